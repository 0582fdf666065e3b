import type { GraphQLSchema } from "graphql";
import { defineAccess } from "../access/graphql.js";
import { defineMe } from "../access/graphql-me.js";
import { definePrincipals } from "../access/graphql-principals.js";
import { defineAccessReviews } from "../access/reviews/graphql.js";
import { defineAlerts } from "../alerts/graphql.js";
import { defineAudit } from "../audit/graphql.js";
import { defineCalendars } from "../calendars/graphql.js";
import { defineCatalogue } from "../catalog/graphql.js";
import { defineConnectors } from "../connector-host/graphql.js";
import { defineLive } from "../events/graphql.js";
import { defineCredentials } from "../credentials/graphql.js";
import { defineInbox } from "../inbox/graphql.js";
import { defineNotifications } from "../notifications/graphql.js";
import { definePipeline } from "../pipeline/graphql.js";
import { defineReconciliations } from "../reconciliation/graphql.js";
import { defineRuns } from "../runs/graphql.js";
import { defineWebhooks } from "../webhooks/graphql.js";
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
  defineConnectors();
  defineRuns();
  defineReconciliations();
  definePipeline();
  defineCredentials();
  defineInbox();
  defineWebhooks();
  defineAlerts();
  defineWindows();
  defineCalendars();
  defineNotifications();
  defineAudit();
  defineAccess();
  definePrincipals();
  defineMe();
  defineAccessReviews();
  defineServerState();
  defineZoneData();
  defineLive();
  schema = builder.toSchema();
  return schema;
}
