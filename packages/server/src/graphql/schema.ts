import type { GraphQLSchema } from "graphql";
import { defineAccess } from "../access/graphql.js";
import { defineAudit } from "../audit/graphql.js";
import { defineCalendars } from "../calendars/graphql.js";
import { defineCatalogue } from "../catalog/graphql.js";
import { defineLive } from "../events/graphql.js";
import { defineInbox } from "../inbox/graphql.js";
import { defineNotifications } from "../notifications/graphql.js";
import { defineRuns } from "../runs/graphql.js";
import { defineWindows } from "../windows/graphql.js";
import { defineZoneData } from "../zone-data/graphql.js";
import { builder } from "./builder.js";
import { defineScalars } from "./scalars.js";
import { defineServerState } from "./server-state.js";

let schema: GraphQLSchema | null = null;

/** The API's schema, put together from the rooms; one a process. */
export function apiSchema(): GraphQLSchema {
  if (schema !== null) return schema;
  builder.queryType({ description: "Everything that can be read." });
  builder.mutationType({ description: "Everything that can be done. A refusal is an error with `extensions.code`." });
  builder.subscriptionType({ description: "Everything that can be watched, over WebSocket (graphql-transport-ws) or server-sent events." });
  defineScalars();
  defineCatalogue();
  defineRuns();
  defineInbox();
  defineWindows();
  defineCalendars();
  defineNotifications();
  defineAudit();
  defineAccess();
  defineServerState();
  defineZoneData();
  defineLive();
  schema = builder.toSchema();
  return schema;
}
