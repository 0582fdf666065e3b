import { DomainError } from "@quiesce/core";
import { type Pulse, stateSource } from "../events/live-source.js";
import { builder } from "../graphql/builder.js";
import { numberOf } from "../graphql/key-or-id.js";
import { IncidentRef } from "../graphql/refs.js";
import type { RequestContext } from "../graphql/request-context.js";
import { incidentsByIds } from "./queries.js";

/** Nobody gets the state more often than this. */
const INTERVAL_MS = 250;

/** One incident, live. */
export function defineIncidentSubscription(): void {
  const ChangeRef = builder.objectRef<Pulse & { readonly incidentId: number }>("IncidentProgress").implement({
    description: "An incident as it is now.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "liveEvents(after: it) continues where this was read." }),
      incident: t.field({ type: IncidentRef, description: "The incident.", resolve: (row) => String(row.incidentId) }),
    }),
  });
  const idOf = async ({ database }: RequestContext, key: string): Promise<number> => {
    const id = numberOf("Incident", key, "key");
    const [row] = await incidentsByIds(database, [id]);
    if (row === undefined) throw new DomainError("QSC_INCIDENT_NOT_FOUND", `There is no incident "${key}".`, { field: "key" });
    return id;
  };
  builder.subscriptionField("incidentProgress", (t) =>
    t.field({
      type: ChangeRef,
      authScopes: { can: "events.read" },
      description:
        "One incident: at once, and then whenever something of it, or of an alert, has changed. All incidents: liveEvents with incident.*",
      args: { key: t.arg.string({ required: true, description: "Its number or id." }) },
      subscribe: async (_root, args, context) => {
        const id = String(await idOf(context, args.key));
        return stateSource({
          place: context.bus.tail,
          matches: (event) => (event.subjectKind === "incident" && event.subjectKey === id) || event.kind.startsWith("alert."),
          minIntervalMs: INTERVAL_MS,
        });
      },
      resolve: async (pulse: Pulse, args, context) => ({ ...pulse, incidentId: await idOf(context, args.key) }),
    }),
  );
}
