import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstPartyConnectors } from "@quiesce/connectors";
import { packagedZoneData } from "@quiesce/core";
import { pino } from "pino";
import { createSignInLink, signInAddress } from "../../packages/server/src/access/sign-in-links.js";
import { type App, createApp } from "../../packages/server/src/app.js";
import { applyWorkspace } from "../../packages/server/src/catalog/commands.js";
import { type CommandContext, systemActor } from "../../packages/server/src/command.js";
import { readConfig } from "../../packages/server/src/config.js";
import { masterKeyOf } from "../../packages/server/src/credentials/master-key.js";
import { freshDatabase } from "../database/fresh-database.js";
import { openWire, type Wire } from "../server/wire.js";

/** The whole server with its page, on a database of its own, behind a wire that a test can cut. */
export interface BrowserServer {
  readonly app: App;
  /** Where browsers reach it: through the wire. */
  readonly url: string;
  readonly context: CommandContext;
  readonly wire: Wire;
  /** A link that signs one browser in as the local admin. */
  signInLink(): Promise<string>;
  /** Asks the API as the first admin token. Throws what the server refuses. */
  ask<Data = { readonly [field: string]: unknown }>(query: string, variables?: object): Promise<Data>;
  /** Posts to the gate as the first admin token. */
  gate(path: string, body: object): Promise<{ readonly [field: string]: unknown }>;
  stop(): Promise<void>;
}

/** Two systems and three integrations; erp is what windows are about. */
export const browserWorkspace = {
  quiesce: 1,
  systems: [
    { key: "erp", name: "ERP", kind: "erp", tags: ["core"] },
    { key: "shop", name: "Shop" },
    { key: "warehouse", name: "Warehouse" },
  ],
  integrations: [
    { key: "orders", name: "Orders to the ERP", via: ["shop", "erp"], tags: ["sales"], ownerTeam: "sales-team", criticality: "high" },
    { key: "invoices", name: "Invoices", via: ["erp"], criticality: "critical" },
    { key: "stock", name: "Stock levels", via: ["shop", "warehouse"] },
  ],
  jobs: [
    { key: "orders-hourly", integration: "orders", schedule: { cron: "0 * * * *" } },
    { key: "invoices-nightly", integration: "invoices", schedule: { cron: "0 2 * * *" } },
    { key: "stock-hourly", integration: "stock", schedule: { cron: "30 * * * *" } },
  ],
};

export async function startBrowserServer(
  options: {
    readonly workspace?: object;
    /** Further settings, as the environment has them; given where browsers reach it. */
    readonly settings?: (url: string) => { readonly [name: string]: string };
  } = {},
): Promise<BrowserServer> {
  const fresh = await freshDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), "quiesce-browser-"));
  const wire = await openWire();
  // What the browser's address line shows is the wire.
  const settings = { PORT: "0", QUIESCE_DATA_DIR: dataDir, QUIESCE_LOG_LEVEL: "silent", QUIESCE_PUBLIC_URL: wire.url };
  const config = readConfig({ ...settings, ...options.settings?.(wire.url) });
  const app = await createApp({ config, databaseUrl: fresh.url, connectors: firstPartyConnectors, log: pino({ level: "silent" }) });
  wire.lead(Number(new URL(app.url).port));
  const context: CommandContext = { database: app.database, actor: systemActor, zones: packagedZoneData() };
  const keys = { current: masterKeyOf(Buffer.alloc(32, 7)), previous: [] };
  await applyWorkspace({ ...context, keys }, options.workspace ?? browserWorkspace);
  return {
    app,
    url: wire.url,
    context,
    wire,
    signInLink: async () => signInAddress(wire.url, (await createSignInLink(context, {})).secret),
    ask: async (query, variables = {}) => {
      const response = await fetch(`${app.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${app.firstToken ?? ""}` },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as {
        readonly data: never;
        readonly errors?: readonly { readonly message: string }[];
      };
      if (errors?.[0] !== undefined) throw new Error(errors[0].message);
      return data;
    },
    gate: async (path, body) => {
      const response = await fetch(`${app.url}/gate/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${app.firstToken ?? ""}` },
        body: JSON.stringify(body),
      });
      return (await response.json()) as { readonly [field: string]: unknown };
    },
    stop: async () => {
      wire.cut();
      await app.stop();
      await wire.close();
      await fresh.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
