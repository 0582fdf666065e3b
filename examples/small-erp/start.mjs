import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { parse } from "yaml";
import { startCrew } from "./crew.mjs";
import { graphql } from "./graphql.mjs";

const WINDOW_IN_SECONDS = 60;
const WINDOW_LASTS_SECONDS = 60;

/**
 * Starts the example beside a server of this checkout: on an empty database, and at later starts of a database that it was set up on. A problem
 * of the example is told and does not keep the server.
 */
export async function startExampleBeside(server) {
  const log = (line) => console.log(line);
  const marker = join(server.dataDir, "example");
  const known = await readFile(marker, "utf8").then(() => true, () => false);
  if (server.firstToken === null && !known) return undefined;
  const token = server.firstToken ?? (await readFile(join(server.dataDir, "admin-token"), "utf8").catch(() => "")).trim();
  if (token === "") {
    log("Example: left out, because the admin token's file is gone.");
    return undefined;
  }
  await writeFile(marker, "The small-erp example was set up on this data folder.\n");
  try {
    return await startExample({ ...server, token, log });
  } catch (error) {
    log(`Example: left out. ${error.message}`);
    return undefined;
  }
}

/**
 * Sets up the example beside a running server: starts the ERP, makes the shop's database, applies the workspace, plans a window that opens in
 * about a minute, and starts a maintenance crew that waits for `quiesced`. It uses nothing but the public API.
 */
async function startExample({ url, token, databaseUrl, dataDir, log }) {
  const erp = await startErpProcess();
  const shop = await ensureShop(databaseUrl);
  const archive = join(dataDir, "example-archive");
  await mkdir(archive, { recursive: true });
  const document = await workspaceDocument({ erp, shop, archive });
  const ask = (query, variables) => graphql({ url, token, query, variables });
  const applied = await ask(`mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { changes { kind } } }`, {
    input: { document: JSON.stringify(document) },
  });
  const window = await planWindow(ask);
  log(`Example: ${applied.applyWorkspace.changes.length} changes applied; the ERP answers at ${erp.url}.`);
  log(`Example: the window "${window.title}" opens at ${window.start} UTC, in about a minute, and lasts ${WINDOW_LASTS_SECONDS} s.`);
  const crew = startCrew({ url, token, controlUrl: erp.controlUrl, window: window.key, log });
  return {
    async stop() {
      crew.stop();
      erp.stop();
    },
  };
}

function startErpProcess() {
  const child = spawn(process.execPath, [fileURLToPath(new URL("erp-process.mjs", import.meta.url))], { stdio: ["pipe", "pipe", "pipe"], detached: true });
  return new Promise((resolve, reject) => {
    let complaint = "";
    child.stderr.on("data", (text) => (complaint += text));
    child.once("exit", (code) => reject(new Error(complaint.trim() || `The example's ERP ended with code ${code}.`)));
    createInterface({ input: child.stdout }).once("line", (line) => resolve({ ...JSON.parse(line), stop: () => child.stdin.end() }));
  });
}

/** The shop's database lives on the same PostgreSQL server, as a database of its own. */
async function ensureShop(databaseUrl) {
  const admin = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    const [known] = await admin`select 1 as known from pg_database where datname = 'quiesce_example_shop'`;
    if (known === undefined) await admin.unsafe("create database quiesce_example_shop");
  } finally {
    await admin.end();
  }
  const { hostname, port, username, password } = new URL(databaseUrl);
  return { host: hostname, port: Number(port === "" ? 5_432 : port), user: decodeURIComponent(username), password: decodeURIComponent(password), database: "quiesce_example_shop" };
}

async function workspaceDocument({ erp, shop, archive }) {
  const values = { ERP_URL: erp.url, SHOP_HOST: shop.host, SHOP_PORT: String(shop.port), SHOP_DATABASE: shop.database, SHOP_USER: shop.user, ARCHIVE_FOLDER: archive };
  const text = await readFile(new URL("workspace.yaml", import.meta.url), "utf8");
  const document = parse(text.replace(/\$\{([A-Z_]+)\}/g, (_, name) => JSON.stringify(values[name] ?? "").slice(1, -1)));
  for (const endpoint of document.endpoints) {
    if (endpoint.secrets?.password !== undefined) endpoint.secrets.password = { env: "SHOP_PASSWORD", value: shop.password };
  }
  return document;
}

async function planWindow(ask) {
  const local = (at) => new Date(at).toISOString().slice(0, 19);
  const start = Date.now() + WINDOW_IN_SECONDS * 1_000;
  const series = { start: local(start), end: local(start + WINDOW_LASTS_SECONDS * 1_000), timeZone: "UTC" };
  const input = { key: "erp-patch", title: "ERP patch", series, scope: { systems: ["erp"] }, owner: "finance", reason: "monthly patch of the ERP" };
  const { maintenanceWindow } = await ask(`query { maintenanceWindow(key: "erp-patch") { key cancelledAt } }`, {});
  const known = maintenanceWindow !== null && maintenanceWindow.cancelledAt === null;
  await ask(
    known
      ? `mutation ($input: UpdateMaintenanceWindowInput!) { updateMaintenanceWindow(input: $input) { key } }`
      : `mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }`,
    { input },
  );
  return { key: input.key, title: input.title, start: series.start };
}
