import type { IntlShape } from "react-intl";
import type { IncidentAlert } from "./alert-groups.js";

/** What an alert says: that a system gives no answer this server says itself, so in the language of the page; monitors have words of their own. */
export function alertTitle(
  { origin, title, endpoint }: Pick<IncidentAlert, "origin" | "title"> & { readonly endpoint: Pick<IncidentAlert["endpoint"], "key"> },
  { formatMessage }: Pick<IntlShape, "formatMessage">,
): string {
  return origin === "CHECK" ? formatMessage({ id: "incidents.alert.no-answer" }, { endpoint: endpoint.key }) : title;
}
