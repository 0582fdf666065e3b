import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createIntl } from "react-intl";
import { expect, it } from "vitest";
import { coveragePathText } from "./coverage-path.js";

const intlOf = (language: "en" | "es") => {
  const texts = readFileSync(fileURLToPath(new URL(`../messages/${language}/windows.json`, import.meta.url)), "utf8");
  return createIntl({ locale: language === "en" ? "en-GB" : "es-ES", messages: JSON.parse(texts) as never });
};

/** As core/catalog/coverage.ts puts them together. */
const paths = [
  ["system: erp", "the system erp", "el sistema erp"],
  ["dependency: shop > erp", "the dependency erp → shop", "la dependencia erp → shop"],
  ["tag: core; integration: orders", "the tag core and its name", "la etiqueta core y su nombre"],
  ["all: all integrations", "being over everything", "abarcarlo todo"],
  ["system: writes to erp", "the system erp (only what writes to it)", "el sistema erp (solo lo que escribe en él)"],
  ["integration: orders, writes to erp, crm", "its name (only what writes to erp, crm)", "su nombre (solo lo que escribe en erp, crm)"],
  ["of a newer server: 7", "of a newer server: 7", "of a newer server: 7"],
] as const;

it.each(paths)("says of %s why it is covered in the language of the page", (path, en, es) => {
  expect([coveragePathText(path, intlOf("en")), coveragePathText(path, intlOf("es"))]).toEqual([en, es]);
});
