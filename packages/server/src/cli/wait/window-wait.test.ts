import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../../test/database/fresh-database.js";
import { freePort } from "../../../../../test/lifecycle/free-port.js";
import { type App, createApp } from "../../app.js";
import { clock } from "../../clock.js";
import { readConfig } from "../../config.js";
import { version } from "../../version.js";
import { readCliEnvironment } from "../environment.js";
import { stylesOf } from "../output/styles.js";
import { runCli } from "../run-cli.js";

// Real servers and sockets; the server in the middle of a wait is another one at the same address afterwards.
let fresh: FreshDatabase;
let app: App;
let folder: string;
let token: string;
let url: string;

beforeAll(async () => {
  fresh = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), "quiesce-wait-"));
  // Not one that the system gives to connections: it is taken a second time.
  app = await start(String(await freePort()));
  token = app.firstToken ?? "";
  url = app.url;
  expect(await quiesce(["apply", "-f", "-"], JSON.stringify({ quiesce: 1, integrations: [{ key: "orders" }] })).ended).toMatchObject({
    code: 0,
  });
});
afterAll(async () => {
  await app.stop();
  await fresh.drop();
  await rm(folder, { recursive: true, force: true });
});

const start = (port: string) =>
  createApp({
    config: readConfig({ PORT: port, QUIESCE_DATA_DIR: folder }),
    databaseUrl: fresh.url,
    connectors: [],
    log: pino({ level: "silent" }),
  });

function quiesce(args: readonly string[], stdin = "") {
  const text = { out: "", err: "" };
  const output = (write: (more: string) => void) => ({
    isTerminal: false,
    styles: stylesOf(false),
    columns: () => undefined,
    rows: () => undefined,
    write,
  });
  const ended = runCli(args, {
    environment: readCliEnvironment({ QUIESCE_URL: url, QUIESCE_TOKEN: token, XDG_CACHE_HOME: folder }, folder),
    out: output((more) => (text.out += more)),
    err: output((more) => (text.err += more)),
    input: { isTerminal: false, readAll: async () => stdin, ask: async () => "" },
    clock,
    version,
  }).then((code) => ({ code, ...text }));
  return { ended, text };
}

const plan = async (title: string, inMs: number, more: readonly string[] = []) => {
  const local = new Date(clock.wallMs() + inMs).toISOString().slice(0, 19);
  const args = [
    "window",
    "create",
    "--title",
    title,
    "--owner",
    "crew",
    "-r",
    "patch",
    "-i",
    "orders",
    "--start",
    local,
    "--duration",
    "1h",
    "--zone",
    "UTC",
    "--yes",
    ...more,
  ];
  expect(await quiesce(args).ended).toMatchObject({ code: 0 });
  return local;
};

it("a crew's script goes on when the window is quiesced, and ends when it is released, also over a restart of the server", async () => {
  // Far enough ahead for both to see it before it begins, also on a busy machine.
  const local = await plan("night", 20_000);
  const quiesced = quiesce(["window", "wait", "night", "--for", "quiesced", "--timeout", "10m", "--json"]);
  const released = quiesce(["window", "wait", "night", "--for", "released", "--timeout", "10m"]);
  await vi.waitFor(() => expect(released.text.err).toContain("SCHEDULED"), { timeout: 60_000 });
  expect(await quiesced.ended).toMatchObject({ code: 0 });
  expect(JSON.parse(quiesced.text.out)).toMatchObject({
    result: "reached",
    for: "quiesced",
    window: "night",
    localStart: local,
    occurrence: { state: "QUIESCED", inFlight: 0 },
  });
  await app.stop();
  await vi.waitFor(() => expect(released.text.err).toContain("Trying again"), { timeout: 60_000 });
  app = await start(new URL(url).port);
  expect(await quiesce(["window", "end", "night", "-r", "done"]).ended).toMatchObject({ code: 0 });
  expect(await released.ended).toMatchObject({ code: 0, out: expect.stringContaining("released") });
  // What is over says so at once, by name.
  const named = (goal: string) => quiesce(["window", "wait", "night", "--for", goal, "--occurrence", local, "--timeout", "5m"]).ended;
  expect(await named("closed")).toMatchObject({ code: 0 });
  expect(await named("quiesced")).toMatchObject({ code: 78, out: expect.stringContaining("over") });
}, 300_000);

it("ends with codes of its own when it is not in time, cancelled, or never comes", async () => {
  await plan("far", 7_200_000);
  expect(await quiesce(["window", "wait", "far", "--for", "begun", "--timeout", "1s"]).ended).toMatchObject({ code: 124 });
  const waiting = quiesce(["window", "wait", "far", "--for", "quiesced", "--timeout", "10m", "--json"]);
  await vi.waitFor(() => expect(waiting.text.err).toContain("SCHEDULED"), { timeout: 60_000 });
  expect(await quiesce(["window", "cancel", "far", "-r", "no", "--yes"]).ended).toMatchObject({ code: 0 });
  expect(await waiting.ended).toMatchObject({ code: 77, out: expect.stringContaining('"cancelled"') });
  await plan("looking", 0, ["--mode", "observe"]);
  expect(await quiesce(["window", "wait", "looking", "--for", "quiesced", "--timeout", "5m"]).ended).toMatchObject({ code: 78 });
  expect(await quiesce(["window", "wait", "no-such-window", "--for", "begun"]).ended).toMatchObject({ code: 1 });
  expect(await quiesce(["window", "wait", "looking", "--for", "lunch"]).ended).toMatchObject({ code: 2 });
}, 300_000);
