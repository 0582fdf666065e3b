import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { startCrew } from "./crew.mjs";
import { graphql } from "./graphql.mjs";
import { countSince, tellIncidents } from "./incidents.mjs";
import { liveClient } from "./live-client.mjs";
import { startMonitor } from "./monitor.mjs";
import { ensureShop } from "./shop.mjs";

const WINDOW_IN_MS = 60_000;
const WINDOW_LASTS_MS = 60_000;
/** Runs that were let go start a second apart and take two at most. */
const LOOK_EVERY_MS = 1_000;
const LOOKS = 20;
const UNSETTLED = ["HELD", "QUEUED", "RUNNING"];
/** Products are read at every fifth second and take two: a window that opens a second after has a run in flight, so its drain can be seen. */
const PRODUCTS_EVERY_MS = 5_000;
const INTO_A_RUN_MS = 1_000;

/**
 * Starts the example beside a server of this checkout: on an empty database, and at later starts of a database that it was set up on. A problem
 * of the example is told and does not keep the server.
 */
export async function startExampleBeside(server) {
  const marker = join(server.dataDir, "example");
  const known = await readFile(marker, "utf8").then(
    () => true,
    () => false,
  );
  if (server.firstToken === null && !known) return undefined;
  const token = server.firstToken ?? (await readFile(join(server.dataDir, "admin-token"), "utf8").catch(() => "")).trim();
  if (token === "") {
    console.log(
      `Example: left out, because ${join(server.dataDir, "admin-token")} is gone. Start with --no-example to leave it out for good.`,
    );
    return undefined;
  }
  await writeFile(marker, "The small-erp example was set up on this data folder.\n");
  try {
    return await startExample({ ...server, token });
  } catch (error) {
    console.log(`Example: left out. ${error.message}`);
    return undefined;
  }
}

/** One line of the story, with the time on this machine's clock. */
function say(who, what) {
  console.log(`${timeOfDay(Date.now())}  ${who.padEnd(8)}  ${what}`);
}

/**
 * Sets up the example beside a running server: starts the ERP and a monitor, makes the shop's database, applies the workspace, plans a window that
 * opens in about a minute, and starts a maintenance crew that waits for `quiesced`. It uses nothing but the public API.
 */
async function startExample({ url, token, databaseUrl, dataDir }) {
  const erp = await startErpProcess();
  const secret = randomBytes(24).toString("hex");
  const monitor = await startMonitor({ erpUrl: erp.url, secret });
  try {
    const ask = (query, variables) => graphql({ url, token, query, variables });
    const document = await workspaceDocument({
      erpUrl: erp.url,
      shop: await ensureShop(databaseUrl),
      archive: join(dataDir, "example-archive"),
      monitor: { url: monitor.url, secret },
    });
    await ask(`mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { changes { kind } } }`, {
      input: { document: JSON.stringify(document), reason: "the small-erp example" },
    });
    const { key, startsAt, endsAt } = await planWindow(ask);
    say(
      "Example",
      `${document.jobs.length} jobs move orders between an ERP (${erp.url}, its switch ${erp.controlUrl}), a shop's PostgreSQL and an archive of files.`,
    );
    say("Example", `The window "ERP patch" opens at ${timeOfDay(startsAt)} and lasts until ${timeOfDay(endsAt)}. Its story is told here.`);
    monitor.tellTo(`${url}/hooks/watch`);
    const told = { window: key, since: startsAt, controlUrl: erp.controlUrl };
    const onClosed = () => void report(ask, told).catch((error) => say("Example", `The report could not be read: ${error.message}`));
    const client = liveClient({ url, token });
    const crew = startCrew({ client, controlUrl: erp.controlUrl, window: key, say, onClosed });
    const stopTelling = tellIncidents({ client, say });
    return {
      async stop() {
        crew.stop();
        stopTelling();
        client.stop();
        monitor.stop();
        erp.stop();
      },
    };
  } catch (error) {
    monitor.stop();
    erp.stop();
    throw error;
  }
}

function startErpProcess() {
  const child = spawn(process.execPath, [fileURLToPath(new URL("erp-process.mjs", import.meta.url))], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  return new Promise((resolve, reject) => {
    let complaint = "";
    child.stderr.on("data", (text) => (complaint += text));
    child.once("exit", (code) => reject(new Error(complaint.trim() || `The example's ERP ended with code ${code}.`)));
    createInterface({ input: child.stdout }).once("line", (line) => resolve({ ...JSON.parse(line), stop: () => child.stdin.end() }));
  });
}

/** The workspace with the addresses that things really have. */
async function workspaceDocument({ erpUrl, shop, archive, monitor }) {
  await mkdir(archive, { recursive: true });
  const document = parse(await readFile(new URL("workspace.yaml", import.meta.url), "utf8"));
  const { password, ...address } = shop;
  const configs = { "erp-api": { baseUrl: erpUrl }, "shop-db": address, "archive-files": { folder: archive }, watch: { url: monitor.url } };
  const secrets = { password, webhookSecret: monitor.secret };
  for (const endpoint of document.endpoints) {
    Object.assign(endpoint.config, configs[endpoint.key]);
    for (const name of Object.keys(endpoint.secrets ?? {})) endpoint.secrets[name] = { value: secrets[name] };
  }
  return document;
}

/** Plans the window, or at a later start moves it: what it did before stays in its report. */
async function planWindow(ask) {
  const local = (at) => new Date(at).toISOString().slice(0, 19);
  const startsAt = Math.ceil((Date.now() + WINDOW_IN_MS) / PRODUCTS_EVERY_MS) * PRODUCTS_EVERY_MS + INTO_A_RUN_MS;
  const endsAt = startsAt + WINDOW_LASTS_MS;
  const series = { start: local(startsAt), end: local(endsAt), timeZone: "UTC" };
  const input = {
    key: "erp-patch",
    title: "ERP patch",
    series,
    scope: { systems: ["erp"] },
    owner: "finance",
    reason: "monthly patch of the ERP",
  };
  const { maintenanceWindow } = await ask(`query { maintenanceWindow(key: "erp-patch") { cancelledAt } }`, {});
  const known = maintenanceWindow !== null && maintenanceWindow.cancelledAt === null;
  await ask(
    known
      ? `mutation ($input: UpdateMaintenanceWindowInput!) { updateMaintenanceWindow(input: $input) { key } }`
      : `mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }`,
    { input },
  );
  return { key: input.key, startsAt, endsAt };
}

/** The end of the story, in counts; told when the runs that were let go have ended. */
async function report(ask, { window, since, controlUrl }) {
  for (let look = 0; look < LOOKS; look += 1) {
    await sleep(LOOK_EVERY_MS);
    const { windowReport } = await ask(
      `query ($window: String!) { windowReport(window: $window) { due failed startedInside byState { state count } } }`,
      { window },
    );
    if (windowReport.byState.some(({ state, count }) => UNSETTLED.includes(state) && count > 0)) continue;
    const sum = windowReport.byState.filter(({ count }) => count > 0).map(({ state, count }) => `${count} ${state.toLowerCase()}`);
    say(
      "Window",
      `closed. ${windowReport.due} due times fell into it: ${sum.join(" + ")}; started inside ${windowReport.startedInside}, failed ${windowReport.failed}.`,
    );
    break;
  }
  const { quiet, incidents } = await countSince(ask, since);
  say("Window", `its monitor cried that the ERP is away: ${quiet} of its alerts kept quiet by the window, incidents raised ${incidents}.`);
  say("Example", `Without a window it is an outage: curl -X POST ${controlUrl}/down raises an incident within a minute, and /up ends it.`);
  say("Example", `See how the counts add up: npx quiesce window report ${window}`);
}

function timeOfDay(at) {
  return new Date(at).toTimeString().slice(0, 8);
}
