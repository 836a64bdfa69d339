import { describe, expect, test } from "@jest/globals";
import { getCountries, getExampleNumber } from "libphonenumber-js/mobile";
import examples from "libphonenumber-js/mobile/examples";
import { countriesProblems } from "../../lib/methods/sms-code/countries.js";
import { maskNumber, readNumber } from "../../lib/methods/sms-code/numbers.js";

const COUNTRIES = ["DE", "GB", "US", "IT"];

describe("a number that codes can be sent to", () => {
  test.each([
    ["+4915112345678", "+4915112345678", "DE"],
    [" +49 151 12345678\n", "+4915112345678", "DE"],
    ["+49-151-1234.5678", "+4915112345678", "DE"],
    ["+49 (0)151 / 12345678", "+4915112345678", "DE"],
    ["\u202a+49\u00a0151\u00a012345678\u202c", "+4915112345678", "DE"],
    ["+44 7400 123456", "+447400123456", "GB"],
    ["+1 (212) 555-1234", "+12125551234", "US"],
    ["+39 312 345 6789", "+393123456789", "IT"],
  ])("%j is one, however it is written", async (typed, number, country) => {
    expect(await readNumber(typed, COUNTRIES)).toEqual({ number, country });
  });

  test.each([
    ["a landline", "+49 30 12345678"],
    ["a premium number", "+1 900 555 1234"],
    ["another premium number", "+49 900 1234567"],
    ["a toll-free number", "+1 800 555 1234"],
    ["another toll-free number", "+49 800 1234567"],
    ["an international toll-free number", "+800 1234 5678"],
    ["a personal number that is forwarded at somebody's cost", "+44 70 1234 5678"],
    ["a pager", "+44 7600 123456"],
    ["a network of no country", "+882 16 1234567"],
    ["another network of no country", "+883 5100 012345"],
    ["a satellite phone", "+870 773 123456"],
    ["the beginning of one", "+49 151 1234"],
    ["one that goes on", "+49 151 12345678 000"],
    ["one of a country that does not exist", "+999 151 12345678"],
    ["full-width digits", "+\uff14\uff19\uff11\uff15\uff11\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18"],
    ["a full-width plus sign", "\uff0b4915112345678"],
    ["Arabic digits", "+\u0664\u0669\u0661\u0665\u0661\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668"],
    ["one digit of another script", "+491511234567\u0668"],
    ["an extension", "+49 151 12345678 ext 5"],
    ["an extension with a semicolon", "+4915112345678;ext=5"],
    ["an extension with a hash", "+4915112345678#5"],
    ["an extension with a letter", "+4915112345678x5"],
    ["a URI", "tel:+4915112345678"],
    ["a sentence", "Call +49 151 12345678"],
    ["two of them", "+4915112345678,+4915112345679"],
    ["two on two lines", "+4915112345678\r\n+4915112345679"],
    ["two plus signs", "++4915112345678"],
    ["letters", "+49 151 PICKPOCKET"],
    ["nothing", ""],
    ["white space", "   "],
    ["a long text", `+4915112345678${" ".repeat(60)}`],
  ])("%s is none", async (_what, typed) => {
    expect(await readNumber(typed, COUNTRIES)).toEqual({ reason: "not-mobile" });
  });

  test.each(["0151 12345678", "0049 151 12345678", "(212) 555-1234", "4915112345678"])(
    "%s lacks the country's code, and is not guessed at",
    async (typed) => {
      expect(await readNumber(typed, COUNTRIES)).toEqual({ reason: "no-country-code" });
    },
  );

  test.each([
    ["France", "+33 6 12 34 56 78"],
    ["Canada, which shares its code with the United States", "+1 506 234 5678"],
    ["Kazakhstan", "+7 701 123 4567"],
    ["Guernsey, which shares its code with Britain", "+44 7781 123456"],
  ])("one of %s is refused where the country is not listed", async (_country, typed) => {
    expect(await readNumber(typed, COUNTRIES)).toEqual({ reason: "country-not-allowed" });
  });

  test("is shown by its last two digits", () => {
    expect(maskNumber("+4915112345642")).toBe("•••• 42");
  });
});

describe("the countries whose numbers may be used", () => {
  test("are all those whose mobile numbers are known as their own", async () => {
    const unreachable = ["AX", "BL", "CC", "CX", "EH", "MF", "SJ", "TA", "VA"];
    const known = getCountries().filter((each) => !unreachable.includes(each));
    expect(countriesProblems(known)).toEqual([]);
    for (const country of getCountries()) {
      const example = getExampleNumber(country, examples);
      const read = await readNumber(example?.number ?? "", getCountries());
      // An example of the Isle of Man lies in a range it shares with Britain.
      const isOwn = "country" in read && (read.country === country || country === "IM");
      expect([country, isOwn]).toEqual([country, known.includes(country)]);
    }
  });

  test.each([
    ["none", undefined],
    ["a word for all", "all"],
    ["an empty list", []],
    ["an object", { DE: true }],
  ])("are a list with something in it, not %s", (_what, given) => {
    expect(countriesProblems(given)).toEqual([expect.stringContaining("list the countries whose numbers may be used")]);
  });

  test.each([
    ["de", '"de" is written "DE"'],
    [" DE", '" DE" is written "DE"'],
    ["UK", '"UK": its mobile numbers are known as those of "GB"'],
    ["AX", '"AX": its mobile numbers are known as those of "FI"'],
    ["Germany", '"Germany" is no country\'s code'],
    ["EU", '"EU" is no country\'s code'],
    ["*", '"*" is no country\'s code'],
    ["", '"" is no country\'s code'],
    [49, "49 is no country's code"],
    ["constructor", '"constructor" is no country\'s code'],
  ])("%j is none of them, and what to write is said", (country, problem) => {
    expect(countriesProblems(["DE", country])).toEqual([expect.stringContaining(`smsCode: countries: ${problem}`)]);
  });

  test("are all looked at: every problem is told", () => {
    expect(countriesProblems(["de", "UK"])).toHaveLength(2);
  });
});
