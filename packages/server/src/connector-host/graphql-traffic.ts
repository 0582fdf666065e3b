import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { EndpointRef } from "../graphql/refs.js";
import { type TrafficRow, trafficOf } from "./traffic/queries.js";

const quiet: Omit<TrafficRow, "endpointId"> = {
  isOpen: false,
  failures: 0,
  openedAt: null,
  probeAt: null,
  delayedUntil: null,
  reason: null,
};
const traffic = batched(
  (ids: readonly number[], { database }) => trafficOf(database, ids),
  (row) => row.endpointId,
);

/** How calls to endpoints go, over all integrations and servers. */
export function defineTraffic(): void {
  const BreakerEnum = capsEnum("BreakerState", "Whether runs may call an endpoint.", ["closed", "open"], {
    closed: "They may.",
    open: "The system gave no answer several times in a row: runs wait until it was asked again.",
  });
  const TrafficRef = builder.objectRef<Omit<TrafficRow, "endpointId">>("EndpointTraffic").implement({
    description: "How calls to an endpoint go, over all integrations and servers.",
    fields: (t) => ({
      breaker: t.field({ type: BreakerEnum, description: "Whether runs may call it.", resolve: (row) => (row.isOpen ? "open" : "closed") }),
      failures: t.exposeInt("failures", { description: "Runs that got no answer since the last one that did." }),
      openedAt: t.expose("openedAt", { type: "DateTime", nullable: true, description: "Since when the breaker is open." }),
      probeAt: t.expose("probeAt", { type: "DateTime", nullable: true, description: "When the system is asked again." }),
      delayedUntil: t.expose("delayedUntil", {
        type: "DateTime",
        nullable: true,
        description: "The system asked for fewer requests; until then runs wait.",
      }),
      reason: t.exposeString("reason", { nullable: true, description: "What the last call without an answer said." }),
    }),
  });
  builder.objectField(EndpointRef, "traffic", (t) =>
    t.field({
      type: TrafficRef,
      description: "How calls to it go.",
      resolve: async (row, _args, context) => (await traffic.one(context, row.id)) ?? quiet,
    }),
  );
}
