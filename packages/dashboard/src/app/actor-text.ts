import type { IntlShape } from "react-intl";

const KNOWN = /^(person|token|gate|system):(.+)$/s;

/**
 * Who did something, in the language of the page. The server writes person:Ada Ruiz, token:nightly, system:quiesce; a name without a kind stays as it
 * is. The audit trail shows what is written, which its filters look for.
 */
export function actorText(actor: string, { formatMessage }: Pick<IntlShape, "formatMessage">): string {
  if (actor === "quiesce") return formatMessage({ id: "app.actor.quiesce" });
  if (actor === "erased") return formatMessage({ id: "app.actor.erased" });
  const [, kind, name = ""] = KNOWN.exec(actor) ?? [];
  switch (kind) {
    case "person":
      return name;
    case "token":
    case "gate":
      return formatMessage({ id: `app.actor.${kind}` }, { name });
    case "system":
      return partText(name, { formatMessage });
    default:
      return actor;
  }
}

/** Parts of the server that act by themselves: webhook:erp-api, calendar holidays. */
function partText(name: string, { formatMessage }: Pick<IntlShape, "formatMessage">): string {
  if (name === "quiesce") return formatMessage({ id: "app.actor.quiesce" });
  const [, part, of = ""] = /^(webhook|calendar)[: ](.+)$/s.exec(name) ?? [];
  return part === "webhook" || part === "calendar" ? formatMessage({ id: `app.actor.${part}` }, { name: of }) : name;
}
