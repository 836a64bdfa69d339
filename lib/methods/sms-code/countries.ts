/** Every country whose mobile numbers can be told from those of others, by ISO 3166-1 (XK: Kosovo). A test compares it with what is known of numbers. */
const COUNTRIES: ReadonlySet<string> = new Set(
  (
    "AC AD AE AF AG AI AL AM AO AR AS AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BQ BR BS BT BW BY BZ CA CD CF CG CH CI CK " +
    "CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP " +
    "GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI " +
    "LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU " +
    "NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SK SL SM SN SO SR SS ST SV SX SY " +
    "SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
  ).split(" "),
);

/** What is written for a country by mistake, or whose mobile numbers are another country's. */
const INSTEAD: Readonly<Record<string, string>> = {
  AX: "FI",
  BL: "GP",
  CC: "AU",
  CX: "AU",
  EH: "MA",
  EL: "GR",
  MF: "GP",
  SJ: "NO",
  TA: "SH",
  UK: "GB",
  VA: "IT",
};

const MEND =
  'list the countries whose numbers may be used, by ISO 3166-1, such as ["DE", "AT"]; no word stands for all of them, for in each one more somebody can have codes sent that you pay for';

function countryProblem(country: unknown): string[] {
  if (typeof country === "string" && COUNTRIES.has(country)) return [];
  const where = `smsCode: countries: ${JSON.stringify(country)}`;
  const capitals = typeof country === "string" ? country.trim().toUpperCase() : "";
  const meant = Object.hasOwn(INSTEAD, capitals) ? INSTEAD[capitals] : COUNTRIES.has(capitals) ? capitals : undefined;
  if (meant === undefined) return [`${where} is no country's code; they have two capital letters, such as "DE"`];
  return [
    meant === capitals
      ? `${where} is written "${meant}"`
      : `${where}: its mobile numbers are known as those of "${meant}"`,
  ];
}

/** What is wrong with the `countries` option, each with its mend. */
export function countriesProblems(countries: unknown): string[] {
  if (!Array.isArray(countries) || countries.length === 0) return [`smsCode: countries: ${MEND}`];
  return (countries as readonly unknown[]).flatMap(countryProblem);
}
