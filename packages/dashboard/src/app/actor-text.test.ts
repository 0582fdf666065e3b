import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createIntl } from "react-intl";
import { expect, it } from "vitest";
import { actorText } from "./actor-text.js";

const intlOf = (language: "en" | "es") => {
  const texts = readFileSync(fileURLToPath(new URL(`../messages/${language}/app.json`, import.meta.url)), "utf8");
  return createIntl({ locale: language === "en" ? "en-GB" : "es-ES", messages: JSON.parse(texts) as never });
};

const actors = [
  ["person:Erika Ruiz", "Erika Ruiz", "Erika Ruiz"],
  ["token:nightly", "token nightly", "el token nightly"],
  ["system:quiesce", "Quiesce itself", "el propio Quiesce"],
  ["quiesce", "Quiesce itself", "el propio Quiesce"],
  ["system:webhook:erp-api", "the webhook of erp-api", "el webhook de erp-api"],
  ["system:calendar holidays", "the calendar holidays", "el calendario holidays"],
  ["erased", "somebody whose name was erased", "alguien cuyo nombre se borró"],
  ["erp-team", "erp-team", "erp-team"],
] as const;

it.each(actors)("says of %s who that is in the language of the page", (actor, en, es) => {
  expect([actorText(actor, intlOf("en")), actorText(actor, intlOf("es"))]).toEqual([en, es]);
});
