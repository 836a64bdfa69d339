const { expect, test } = require("@jest/globals");
const { backupCodes, passkeys, secondFactor, totp } = require("express-second-factor");
const { authenticatorApp } = require("express-second-factor/testing");

test("what is loaded when it is first needed is found here too", async () => {
  const methods = [passkeys(), totp(), backupCodes()];
  const mfa = secondFactor({ issuer: "Acme", origin: "http://localhost:3000", methods });
  await mfa.ready();
  const uri = "otpauth://totp/Acme:ann?secret=JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ&issuer=Acme";
  await mfa.accounts.importTotp("1", { secret: uri });
  const code = authenticatorApp(uri).code();
  expect(await mfa.accounts.verify("1", { method: "totp", code })).toMatchObject({ ok: true });
});
