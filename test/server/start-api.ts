import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { packagedZoneData, type Role, roles } from "@quiesce/core";
import { createToken } from "../../packages/server/src/access/tokens.js";
import { applyWorkspace } from "../../packages/server/src/catalog/commands.js";
import { type CommandContext, systemActor } from "../../packages/server/src/command.js";
import { masterKeyOf } from "../../packages/server/src/credentials/master-key.js";
import { type Database, openDatabase } from "../../packages/server/src/db/client.js";
import { createLiveBus } from "../../packages/server/src/events/live-bus.js";
import { createSequencer } from "../../packages/server/src/events/sequencer.js";
import { createHttpServer, type HttpServer, type HttpServerOptions } from "../../packages/server/src/http/create-http-server.js";
import { freshDatabase } from "../database/fresh-database.js";

export interface GraphqlAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly unknown[];
    readonly extensions: { readonly code?: string; readonly field?: string; readonly details?: Record<string, unknown> };
  }[];
}

/** The API on a port of its own, on a database of its own, with a token for every role. No scheduler runs: nothing changes by itself. */
export interface StartedApi {
  readonly http: HttpServer;
  readonly url: string;
  readonly database: Database;
  readonly context: CommandContext;
  readonly tokens: { readonly [role in Role]: string };
  /** Everything that was logged as an error. */
  readonly errors: object[];
  ask(query: string, variables?: object, token?: string | null): Promise<GraphqlAnswer>;
  stop(): Promise<void>;
}

const silent = (): void => undefined;

/** A small catalogue: two systems, two integrations, a job that is due every hour. */
export const exampleWorkspace = {
  quiesce: 1,
  systems: [
    { key: "erp", name: "ERP", kind: "erp", tags: ["core"] },
    { key: "shop", name: "Shop" },
    { key: "erp-db", kind: "database" },
  ],
  integrations: [
    { key: "orders", name: "Orders", via: ["shop", "erp"], tags: ["sales"], ownerTeam: "sales-team" },
    { key: "invoices", name: "Invoices", via: ["erp"], criticality: "high" },
    { key: "stock", name: "Stock", via: ["shop"] },
  ],
  jobs: [
    { key: "orders-hourly", integration: "orders", schedule: { cron: "0 * * * *" } },
    { key: "invoices-nightly", integration: "invoices" },
  ],
};

export async function startApi(options: Partial<HttpServerOptions> = {}): Promise<StartedApi> {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url, { max: 10, applicationName: "api-test" });
  const zones = packagedZoneData();
  const context: CommandContext = { database, actor: systemActor, zones };
  const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
  await database.sql`update control set expanded_until = app_now() + interval '30 days'`;
  await applyWorkspace({ ...context, keys }, exampleWorkspace);
  const tokens: Partial<Record<Role, string>> = {};
  for (const role of roles) tokens[role] = (await createToken(context, { name: `test-${role}`, role })).secret;
  const errors: object[] = [];
  const log = { info: silent, warn: silent, error: (fields: object) => void errors.push(fields) };
  const sequencer = createSequencer(database, log);
  sequencer.start();
  // What the setup did has its numbers before a test reads a cursor.
  while ((await database.sql`select 1 from event_inbox limit 1`).length > 0) await sleep(10);
  const bus = createLiveBus(database, log);
  await bus.start();
  const http = createHttpServer({
    database,
    zones,
    bus,
    log,
    version: "0.0.0-test",
    catalogue: { keys },
    afterWrite: () => sequencer.poke(),
    ...options,
  });
  await http.start(0, "127.0.0.1");
  const all = tokens as Record<Role, string>;
  return {
    http,
    url: http.url,
    database,
    context,
    tokens: all,
    errors,
    ask: async (query, variables = {}, token = all.admin) => {
      const headers: Record<string, string> = { "content-type": "application/json" };
      if (token !== null) headers["authorization"] = `Bearer ${token}`;
      const response = await fetch(`${http.url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
      return (await response.json()) as GraphqlAnswer;
    },
    stop: async () => {
      await http.stop();
      await bus.stop();
      await sequencer.stop();
      await database.close();
      await fresh.drop();
    },
  };
}
