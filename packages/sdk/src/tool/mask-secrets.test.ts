import { expect, test } from "vitest";
import { secretMasker } from "./mask-secrets.js";

test("secrets are masked plain, as base64, URL-encoded and in JSON, wherever they stand", () => {
  const mask = secretMasker({ token: 'pa"ss wörd', nested: { keys: ["k3y+/="] } });
  const forms = ['pa"ss wörd', encodeURIComponent('pa"ss wörd'), 'pa\\"ss wörd', Buffer.from('pa"ss wörd').toString("base64"), "k3y+/="];
  for (const form of forms) expect(mask(`before ${form} after`)).toMatch(/^before •••=* after$/u);
});

test("a longer secret is masked before one that it holds", () => {
  expect(secretMasker({ a: "secret", b: "secret-long" })("secret-long and secret")).toBe("••• and •••");
});

test("what is shorter than four characters would hide half of every text, and stays", () => {
  expect(secretMasker({ turn: "a", pin: "123" })("a 123")).toBe("a 123");
});
