import { ConnectorError, defineConnector, z, type Health } from "@quiesce/sdk";
import { requestTrackerConfig, requestTrackerSecrets } from "./request-tracker-config.js";
import { request, shapeOf, type RequestTrackerContext } from "./request-tracker-request.js";
import { changedTickets } from "./ticket-changes.js";
import { createTicket, findTicket, ticketFields, updateTicket } from "./tickets.js";

/** Request Tracker 5 by REST 2.0: tickets of one queue. Who else writes the same field at the same moment is found by RT's own version of the ticket. */
export const requestTrackerConnector = defineConnector({
  apiVersion: 1,
  id: "request-tracker",
  version: "0.1.0",
  displayName: "Request Tracker (RT)",
  stability: "beta",
  config: requestTrackerConfig,
  secrets: requestTrackerSecrets,
  egress: (config) => [new URL(config.url).origin],
  check: checkRequestTracker,
  tracker: {
    fields: ticketFields,
    whoAmI: async (x) => x.config.user,
    create: createTicket,
    update: updateTicket,
    find: findTicket,
    changes: changedTickets,
  },
});

const versionSchema = z.object({ Version: z.string() });
async function checkRequestTracker(x: RequestTrackerContext): Promise<Health> {
  const { Version: version } = shapeOf(versionSchema, (await request(x, "/rt")).json, "version");
  // RT answers 403 for a queue that is not there, as for one that may not be seen.
  await request(x, `/queue/${encodeURIComponent(x.config.queue)}`).catch((error: unknown) => {
    if (!(error instanceof ConnectorError) || !["permission", "not_found"].includes(error.kind)) throw error;
    throw new ConnectorError("permission", `RT has no queue "${x.config.queue}", or does not show it to this user.`, { field: "queue" });
  });
  return { status: "up", version, identity: { principal: x.config.user } };
}
