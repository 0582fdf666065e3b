import { DomainError } from "@quiesce/core";
import type { LiveItem } from "../events/live-bus.js";
import { numberNamed, openLog } from "../events/open-log.js";
import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { AlertRef } from "../graphql/refs.js";
import type { RequestContext } from "../graphql/request-context.js";
import { knownEndpointKeys } from "./queries.js";

/** More than the filter takes is refused by it; nobody looks all of them up. */
const MAX_NAMED = 100;

/** Alerts, live. */
export function defineAlertSubscription(): void {
  const EventRef = builder.objectRef<LiveItem>("AlertEvent").implement({
    description: "Something that happened to an alert, or (kind heartbeat) a sign that nothing did.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "Resume here: alertEvents(after: cursor). Kept at least seven days." }),
      at: t.field({
        type: "DateTime",
        description: "When it happened; of a heartbeat, the server's time.",
        resolve: (row) => (row.type === "event" ? row.event.at : row.at),
      }),
      kind: t.string({
        description: "alert.fired, alert.changed, alert.resolved, alert.suppressed, alert.unsuppressed, or heartbeat.",
        resolve: (row) => (row.type === "event" ? row.event.kind : row.type),
      }),
      alert: t.field({
        type: AlertRef,
        nullable: true,
        description: "The alert as it is now, which may be later than this event; null of a heartbeat, and once its record is gone.",
        resolve: (row) => numberNamed(row, "alert"),
      }),
    }),
  });
  builder.subscriptionField("alertEvents", (t) =>
    t.field({
      type: EventRef,
      authScopes: { can: "events.read" },
      description:
        "What happens to alerts that the caller may see, in order, without a gap or a repeat, with a heartbeat every 15 silent seconds.",
      args: {
        after: t.arg.string({ description: "Continue after this cursor; left out, from now on." }),
        endpoints: t.arg.stringList({ description: "Only of these monitors: keys or ids of endpoints, at most 100." }),
      },
      subscribe: async (_root, { after, endpoints }, context) => {
        const keys = endpoints ? await followedEndpoints(context, endpoints) : null;
        return openLog(context, {
          after: after ?? null,
          kinds: ["alert.*"],
          ...(keys === null ? {} : { subjects: keys.map((key) => `endpoint:${key}`) }),
        });
      },
      resolve: (item: LiveItem) => item,
    }),
  );
}

/** Keys of endpoints that the caller may see. Throws QSC_ENDPOINT_NOT_FOUND: whoever follows a name that nothing has would wait for ever. */
async function followedEndpoints(context: RequestContext, named: readonly string[]): Promise<readonly string[]> {
  if (named.length > MAX_NAMED) return named;
  const keys = await Promise.all(named.map((one) => keyOf(context, "Endpoint", one)));
  const known = await knownEndpointKeys(context.database, keys);
  const missing = keys.find((key) => !known.has(key));
  if (missing !== undefined)
    throw new DomainError("QSC_ENDPOINT_NOT_FOUND", `There is no endpoint "${missing.slice(0, 100)}".`, { field: "endpoints" });
  return keys;
}
