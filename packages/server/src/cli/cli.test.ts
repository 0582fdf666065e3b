import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstPartyConnectors } from "@quiesce/connectors";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { type App, createApp } from "../app.js";
import { clock } from "../clock.js";
import { readConfig } from "../config.js";
import { version } from "../version.js";
import type { Output } from "./cli.js";
import { readCliEnvironment } from "./environment.js";
import { stylesOf } from "./output/styles.js";
import { runCli } from "./run-cli.js";

// The command line against the real server, in memory instead of a process; exec.test.ts has the process.
let fresh: FreshDatabase;
let app: App;
let folder: string;

beforeAll(async () => {
  fresh = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), "quiesce-cli-"));
  const config = readConfig({ PORT: "0", QUIESCE_DATA_DIR: folder });
  app = await createApp({ config, databaseUrl: fresh.url, connectors: firstPartyConnectors, log: pino({ level: "silent" }) });
  await writeFile(join(folder, "workspace.yaml"), workspace);
  expect(await quiesce("apply", "-f", join(folder, "workspace.yaml"))).toMatchObject({ code: 0, err: "" });
});
afterAll(async () => {
  await app?.stop();
  await fresh?.drop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await quiesce("resume", "--all", "--reason", "after the test");
});

const workspace = `quiesce: 1
systems:
  - key: erp
    name: The old ERP
  - key: lake
    name: Data lake
    dependsOn:
      - system: erp
endpoints:
  - key: erp-files
    system: erp
    connector: file
    config:
      folder: /nowhere
      streams:
        - format: jsonl
          key:
            - id
          name: orders
          path: orders.jsonl
integrations:
  - key: erp-orders
    name: Orders
    via:
      - lake
    tags:
      - orders
jobs:
  - key: orders-sync
    name: orders-sync
    integration: erp-orders
    schedule:
      every: 1h
`;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function memory(columns?: number): { readonly output: Output; readonly text: () => string } {
  let text = "";
  const output: Output = {
    isTerminal: false,
    styles: stylesOf(false),
    columns: () => columns,
    rows: () => undefined,
    write: (more) => void (text += more),
  };
  return { output, text: () => text };
}

interface Given {
  readonly environment?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly answer?: string;
  readonly columns?: number;
}

/** Runs one command line; `answer` makes it believe in a terminal with a person who says so. */
async function run(args: readonly string[], given: Given = {}): Promise<Ended> {
  const out = memory(given.columns);
  const err = memory(given.columns);
  const environment = readCliEnvironment(
    { QUIESCE_URL: app.url, QUIESCE_TOKEN: app.firstToken ?? "", XDG_CACHE_HOME: folder, ...given.environment },
    folder,
  );
  const code = await runCli(args, {
    environment,
    out: out.output,
    err: given.answer === undefined ? err.output : { ...err.output, isTerminal: true },
    input: { isTerminal: given.answer !== undefined, readAll: async () => given.stdin ?? "", ask: async () => given.answer ?? "" },
    clock,
    version,
  });
  return { code, out: out.text(), err: err.text() };
}
const quiesce = (...args: readonly string[]): Promise<Ended> => run(args);
const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse((await quiesce(...args, "--json")).out);

describe("exit codes", () => {
  it.each([
    [0, ["--help"]],
    [0, ["window", "create", "--help"]],
    [0, ["--version"]],
    [0, ["status"]],
    [1, ["explain", "no-such-job"]],
    [1, ["window", "end", "no-such-window", "-r", "x"]],
    [2, []],
    [2, ["no-such-command"]],
    [2, ["status", "--no-such-option"]],
    [2, ["pause", "--all"]],
    [2, ["pause", "-r", "x"]],
    [2, ["pause", "--all", "-i", "erp-orders", "-r", "x"]],
    [2, ["pause", "--all", "-r", "x", "--until", "tomorrow"]],
    [2, ["resume", "-r", "x"]],
    [2, ["mode", "observe"]],
    [2, ["mode", "sometimes", "-r", "x"]],
    [2, ["runs", "-n", "0"]],
    [2, ["status", "--watch"]],
    [2, ["apply", "-f", "/no/such/file"]],
    [2, ["--url", "ftp://x", "status"]],
    [2, ["exec", "-i", "erp-orders", "--lease", "1s", "--", "true"]],
    [2, ["window", "create", "--title", "x", "--owner", "a", "-r", "b", "--all", "--start", "2026-12-06T02:00"]],
    [3, ["--url", "http://127.0.0.1:1", "status"]],
    [4, ["--token", "qsc_wrong", "status"]],
    [125, ["exec", "-i", "no-such-integration", "--", "true"]],
  ] as const)("%i: quiesce %j", async (code, args) => {
    const ended = await run([...args]);
    expect(ended).toMatchObject({ code });
    if (code === 0) expect(ended.err).toBe("");
    else expect(ended.err).not.toBe("");
    expect(ended.err).not.toMatch(/^ +at /m);
  });

  it("says where a refused token came from, and how to get one", async () => {
    await writeFile(join(folder, "admin-token"), "qsc_stale\n");
    const stale = await run(["status"], { environment: { QUIESCE_TOKEN: "", QUIESCE_DATA_DIR: folder } });
    expect(stale).toMatchObject({ code: 4 });
    expect(stale.err).toContain(`(It came from ${join(folder, "admin-token")}.)`);
    await rm(join(folder, "admin-token"));
    const none = await run(["status"], { environment: { QUIESCE_TOKEN: "", QUIESCE_DATA_DIR: folder } });
    expect(none.err).toMatch(/^quiesce: QSC_ACCESS_TOKEN_MISSING: .*Set QUIESCE_TOKEN/);
  });

  it("never shows this machine's admin token to another machine", async () => {
    await writeFile(join(folder, "admin-token"), "qsc_secret\n");
    const ended = await run(["--url", "http://quiesce.invalid", "doctor"], {
      environment: { QUIESCE_TOKEN: "", QUIESCE_DATA_DIR: folder },
    });
    await rm(join(folder, "admin-token"));
    expect(ended.out).toMatch(/^token +fail/m);
    expect(ended.code).toBe(3);
  });

  it("shows a stack only when asked", async () => {
    const ended = await run(["explain", "no-such-job"], { environment: { QUIESCE_DEBUG: "1" } });
    expect(ended.err).toMatch(/^ +at /m);
  });
});

describe("a workspace", () => {
  it("applied again changes nothing, and exports as the same bytes", async () => {
    expect((await quiesce("apply", "-f", join(folder, "workspace.yaml"))).out).toBe("Nothing to change: the server is as the file says.\n");
    expect((await quiesce("export", "-o", join(folder, "exported.yaml"))).code).toBe(0);
    const exported = await readFile(join(folder, "exported.yaml"), "utf8");
    expect((await run(["apply", "-f", "-", "--prune"], { stdin: exported })).out).toContain("Nothing to change");
    expect((await quiesce("export")).out).toBe(exported);
    expect((await run(["validate", "-"], { stdin: exported })).code).toBe(0);
  });

  it("shows its difference and changes nothing before it was confirmed", async () => {
    const changed = workspace.replace("every: 1h", "every: 2h");
    const refused = await run(["apply", "-f", "-"], { stdin: changed, answer: "n" });
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.out).toContain("~ job orders-sync\n    schedule.every: 1h -> 2h\n");
    const dry = await run(["apply", "-f", "-", "--dry-run"], { stdin: changed });
    expect(dry.out).toContain("Would apply: 1 to change.");
    expect((await run(["apply", "-f", "-"], { stdin: changed, answer: "y" })).out).toContain("Applied: 1 changed.");
    expect((await quiesce("apply", "-f", join(folder, "workspace.yaml"))).code).toBe(0);
  });

  it("deletes only with --prune", async () => {
    const less = workspace.slice(0, workspace.indexOf("jobs:"));
    expect((await run(["apply", "-f", "-", "--dry-run"], { stdin: less })).out).toContain("Nothing to change");
    expect((await run(["apply", "-f", "-", "--dry-run", "--prune"], { stdin: less })).out).toContain("- job orders-sync");
  });

  it("is refused with file, line, column and path, without a server", async () => {
    const file = join(folder, "wrong.yaml");
    await writeFile(file, workspace.replace("integration: erp-orders", "integration: erp-ordres"));
    const ended = await quiesce("--url", "http://127.0.0.1:1", "validate", join(folder, "workspace.yaml"), file);
    expect(ended.code).toBe(1);
    expect(ended.out).toMatch(new RegExp(`^${file}:31:18  jobs\\[0\\]\\.integration  .*erp-ordres`));
    expect((await quiesce("validate", "--partial", file)).code).toBe(0);
    expect(JSON.parse((await quiesce("validate", "--json", file)).out)).toMatchObject([{ file, line: 31, column: 18 }]);
  });

  it("takes its secrets from here and never prints them", async () => {
    const secret = workspace.replace("integrations:\n", "    secrets:\n      password:\n        env: CLI_TEST_PASSWORD\nintegrations:\n");
    const missing = await run(["apply", "-f", "-", "--dry-run"], { stdin: secret });
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.err).toContain("CLI_TEST_PASSWORD is not set");
    const given = await run(["apply", "-f", "-", "--dry-run"], { stdin: secret, environment: { CLI_TEST_PASSWORD: "hunter2hunter2" } });
    expect(given).toMatchObject({ code: 0 });
    expect(given.out + given.err).not.toContain("hunter2");
  });
});

describe("holding", () => {
  it("pauses, says who and why, and resumes", async () => {
    expect((await quiesce("gate", "erp-orders")).out).toBe("erp-orders is open.\n");
    const paused = await quiesce("pause", "--tag", "orders", "--until", "+2h", "--reason", "looking at it");
    expect(paused.out).toMatch(/^Paused, hold (\d+): until .* \(in 1h 59m\)\.\nCovers 1 integration: erp-orders\.\n/);
    const gate = await quiesce("gate", "erp-orders");
    expect(gate).toMatchObject({ code: 75 });
    expect(gate.out).toContain("looking at it");
    expect(await json("gate", "erp-orders")).toMatchObject({ state: "HELD", by: [{ owner: "first-admin", reason: "looking at it" }] });
    expect((await quiesce("status")).out).toMatch(
      /looking at it {2}PAUSED {2}until .* \(in 1h 59m\)\n {4}1 integration · by first-admin · hold \d+\n/,
    );
    expect((await quiesce("explain", "orders-sync")).out).toContain("looking at it");
    const hold = /hold (\d+)/.exec(paused.out)?.[1] ?? "";
    expect((await quiesce("resume", hold, "--reason", "fine")).out).toContain(`hold ${hold} over tag orders is lifted`);
    expect((await quiesce("gate", "erp-orders")).code).toBe(0);
    expect((await quiesce("resume", hold, "--reason", "fine")).code).toBe(1);
  });

  it("asks before everything is paused", async () => {
    expect(await run(["pause", "--all", "-r", "x"], { answer: "" })).toMatchObject({ code: 1, err: "Nothing was changed.\n" });
    expect((await quiesce("gate", "erp-orders")).code).toBe(0);
    expect((await run(["pause", "--all", "-r", "x", "-y"], { answer: "" })).code).toBe(0);
    expect((await quiesce("gate", "erp-orders")).code).toBe(75);
  });

  it("observes instead of holding in that mode", async () => {
    await quiesce("pause", "--all", "-r", "x");
    expect((await quiesce("mode", "observe", "-r", "trial")).out).toContain("Mode: observe.");
    expect((await quiesce("gate", "erp-orders")).code).toBe(0);
    expect((await quiesce("mode", "enforce", "-r", "over")).code).toBe(0);
    expect((await quiesce("gate", "erp-orders")).code).toBe(75);
    expect(await json("mode")).toMatchObject({ mode: "ENFORCE" });
  });
});

describe("a window", () => {
  const plan = ["--title", "ERP upgrade", "--owner", "erp-team", "--reason", "version 7", "--system", "erp", "--zone", "Europe/Madrid"];

  it("is shown before it is saved, with local time, UTC and what it covers, and not saved without a yes", async () => {
    const created = await run(["window", "create", ...plan, "--start", "2026-12-06T22:00", "--end", "02:00", "--rrule", "FREQ=WEEKLY"], {
      answer: "n",
    });
    expect(created).toMatchObject({ code: 1, out: "" });
    expect(created.err).toContain("2026-12-06 22:00  2026-12-07 02:00  2026-12-06 21:00Z to 2026-12-07 01:00Z  4h 00m");
    expect(created.err).toMatch(/erp-orders +Orders +dependency: lake > erp/);
    expect((await quiesce("window", "list")).err).toContain("No windows");
  });

  it("lives from its creation to its report", async () => {
    const start = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000);
    const local = start.toISOString().slice(0, 19);
    const created = await quiesce("window", "create", ...plan, "--zone", "UTC", "--start", local, "--duration", "1h", "--key", "upgrade");
    expect(created).toMatchObject({ code: 0, out: "Window upgrade is saved: no covered run starts inside it.\n" });
    expect((await quiesce("window", "create", ...plan, "--start", local, "--duration", "1h", "--key", "upgrade")).err).toContain(
      "QSC_WINDOW_EXISTS",
    );
    expect((await quiesce("window", "preview", "upgrade")).out).toContain("1h 00m");
    while ((await quiesce("gate", "erp-orders")).code === 0) {
      expect(Date.now()).toBeLessThan(start.getTime() + 60_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await quiesce("window", "list")).out).toMatch(/upgrade {2}ERP upgrade .* 59m \d\ds left/);
    expect((await quiesce("window", "extend", "upgrade", "--until", "+2h", "-r", "slow")).out).toContain("(in 1h 59m)");
    expect((await quiesce("window", "list")).out).toContain("1h 59m left");
    expect(await quiesce("window", "end", "upgrade", "-r", "done")).toMatchObject({ code: 0, err: "" });
    // Its system does not answer (there is no such folder): the end is permission, not an order.
    expect((await quiesce("gate", "erp-orders")).code).toBe(75);
    expect(await quiesce("window", "resume", "upgrade", "--skip-readiness", "-r", "the folder comes later")).toMatchObject({ code: 0 });
    expect((await quiesce("gate", "erp-orders")).code).toBe(0);
    const report = await quiesce("window", "report", "upgrade");
    expect(report.out).toContain("adds up: 0 = 0, 0 due");
    expect(await json("window", "report", "upgrade")).toMatchObject({ due: 0, title: "ERP upgrade", startedInside: 0 });
    expect((await run(["window", "cancel", "upgrade", "-r", "over"], { answer: "no" })).code).toBe(1);
    expect(await quiesce("window", "cancel", "upgrade", "-r", "over")).toMatchObject({ code: 0, err: "" });
    expect((await quiesce("window", "list")).out).toBe("");
    expect((await quiesce("window", "list", "--all")).out).toContain("CANCELLED");
  });

  it("that the server refuses is refused before anybody is asked", async () => {
    const created = await run(
      ["window", "create", ...plan, "--start", "2026-12-06T02:00", "--duration", "1h", "--rrule", "FREQ=MINUTELY"],
      { answer: "y" },
    );
    expect(created).toMatchObject({ code: 1 });
    expect(created.err).toMatch(/^quiesce: QSC_WINDOW_FREQUENCY_TOO_HIGH: .*FREQ=HOURLY/);
  });
});

describe("work of other schedulers", () => {
  const exec = (...command: readonly string[]): Promise<Ended> => quiesce("exec", "-i", "erp-orders", "--no-wait", "--", ...command);
  const gateRuns = async (): Promise<readonly { readonly state: string }[]> =>
    (await json("runs", "-i", "erp-orders", "--since", "1h")) as readonly { readonly state: string }[];

  it("is recorded with its outcome, and leaves no trace where it was held", async () => {
    expect(await exec("sh", "-c", "exit 5")).toMatchObject({ code: 5, err: "" });
    expect(await exec("true")).toMatchObject({ code: 0, err: "" });
    const recorded = await gateRuns();
    expect(recorded.filter(({ state }) => state === "FAILED")).toHaveLength(1);
    expect(recorded.filter(({ state }) => state === "SUCCEEDED")).toHaveLength(1);
    await quiesce("pause", "--all", "-r", "closed");
    expect(await exec("true")).toMatchObject({ code: 75 });
    expect(await gateRuns()).toEqual(recorded);
  });

  it("is in flight while it runs, so that a window is not quiesced before it ends", async () => {
    const goOn = join(folder, "go-on");
    const working = exec("sh", "-c", `until [ -e "${goOn}" ]; do sleep 0.1; done`);
    await vi.waitFor(async () => expect(await gateRuns()).toContainEqual(expect.objectContaining({ state: "RUNNING" })), {
      timeout: 60_000,
    });
    const start = new Date(Date.now() - 60_000).toISOString().slice(0, 19);
    await quiesce(
      "window",
      "create",
      "--key",
      "drain",
      "--title",
      "Drain",
      "--owner",
      "a",
      "-r",
      "b",
      "--system",
      "erp",
      "--zone",
      "UTC",
      "--start",
      start,
      "--duration",
      "1h",
    );
    const state = async (): Promise<unknown> => {
      const status = (await json("status")) as {
        readonly activeHolds: readonly { readonly occurrence: { readonly state: string; readonly inFlight: number } }[];
      };
      const occurrence = status.activeHolds[0]?.occurrence;
      return occurrence === undefined ? undefined : `${occurrence.state} ${occurrence.inFlight}`;
    };
    await expect.poll(state, { timeout: 60_000, interval: 100 }).toBe("DRAINING 1");
    await writeFile(goOn, "");
    expect(await working).toMatchObject({ code: 0 });
    await expect.poll(state, { timeout: 60_000, interval: 100 }).toBe("QUIESCED 0");
    expect(await exec("true")).toMatchObject({ code: 75 });
    expect(await quiesce("window", "cancel", "drain", "-r", "over")).toMatchObject({ code: 0, err: "" });
  });
});

describe("tokens", () => {
  it("are made, listed without secrets and revoked", async () => {
    const made = await quiesce("token", "create", "--name", "ci", "--role", "viewer", "--expires", "+90d");
    const secret = made.out.trim();
    expect(secret).toMatch(/^qsc_[\w-]{43}$/);
    const asViewer = { environment: { QUIESCE_TOKEN: secret } };
    expect((await run(["status"], asViewer)).code).toBe(0);
    expect(await run(["pause", "--all", "-r", "x"], asViewer)).toMatchObject({ code: 4 });
    const listed = await quiesce("token", "list");
    expect(listed.out).toMatch(/ci +viewer +valid/);
    expect(listed.out).not.toContain(secret);
    const key = /^(\d+) +ci /m.exec(listed.out)?.[1] ?? "";
    expect((await quiesce("token", "revoke", key, "-r", "left")).out).toBe(`Token ${key} (ci) is revoked.\n`);
    expect((await run(["status"], asViewer)).err).toContain("QSC_ACCESS_TOKEN_REVOKED");
  });
});

describe("programs", () => {
  it.each([
    ["status"],
    ["runs"],
    ["explain", "orders-sync"],
    ["gate", "erp-orders"],
    ["window", "list"],
    ["token", "list"],
    ["mode"],
    ["doctor"],
  ])("read JSON from %s", async (...args) => {
    expect(await json(...args)).toBeTypeOf("object");
  });
});

describe("quiesce ledger", () => {
  it("lists due times with why, and says whether all are accounted for", async () => {
    const ended = await quiesce("ledger", "--since", "1d");
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.err).toMatch(/^All \d+ due times from .* are accounted for\.$/m);
    expect(await json("ledger", "--state", "held", "skipped", "-n", "5")).toMatchObject({ conservation: { difference: 0 } });
  });

  it("refuses a job that is not there, and a time that is none", async () => {
    expect(await quiesce("ledger", "--since", "soon")).toMatchObject({ code: 2 });
    expect(await json("ledger", "--job", "no-such-job")).toMatchObject({ entries: [] });
  });
});

describe("a jump of the database's clock", () => {
  const answers = async (path: string) => (await fetch(`${app.url}${path}`)).status;

  it("fails health but not readiness, is shown by doctor and clock, and acknowledged with a reason", async () => {
    expect((await quiesce("clock")).out).toMatch(/steady/);
    await app.database.sql`
      update control set clock_stepped_at = app_now(), clock_step = '{"byMs": -3600000, "server": "north"}'::text::jsonb`;
    await vi.waitFor(async () => expect(await answers("/health")).toBe(503), { timeout: 60_000 });
    expect(await answers("/readyz")).toBe(200);
    expect(await quiesce("doctor")).toMatchObject({
      code: 1,
      out: expect.stringMatching(/dispatch\.clock +fail +.*jumped back by 3600\.0 s/),
    });
    expect((await quiesce("clock")).out).toMatch(/jumped back by 1h 00m, .* by north\..*quiesce clock acknowledge --reason/);
    expect(await quiesce("clock", "acknowledge")).toMatchObject({ code: 2 });
    expect(await quiesce("clock", "acknowledge", "--reason", "put right")).toMatchObject({ code: 0 });
    expect(await quiesce("clock", "acknowledge", "--reason", "again")).toMatchObject({
      code: 1,
      err: expect.stringContaining("QSC_CONTROL_CLOCK_STEADY"),
    });
    await vi.waitFor(async () => expect(await answers("/health")).toBe(200), { timeout: 60_000 });
  });
});

describe("the drain of a window", () => {
  it("is planned by options, watched by `window status`, and passed by break-glass", async () => {
    const start = new Date(clock.wallMs() - 60_000).toISOString().slice(0, 16);
    const plan = ["--title", "Drain", "--owner", "a", "-r", "b", "-i", "erp-orders", "--zone", "UTC", "--start", start, "--duration", "1h"];
    expect(await quiesce("window", "create", ...plan, "--at-deadline", "leave")).toMatchObject({ code: 2 });
    expect(await quiesce("window", "create", ...plan, "--drain-lead", "soon")).toMatchObject({ code: 2 });
    const policy = ["--drain-lead", "10m", "--drain-deadline", "15m", "--at-deadline", "leave"];
    expect(await quiesce("window", "create", ...plan, ...policy, "--key", "drain", "--yes")).toMatchObject({ code: 0 });
    expect(await json("window", "status", "drain")).toMatchObject({
      drain: { leadLimitMinutes: 10, deadlineMinutes: 15, atDeadline: "LEAVE" },
      currentOrNext: { inFlight: 0, runsInFlight: [] },
    });
    await vi.waitFor(async () => expect((await quiesce("window", "status", "drain")).out).toMatch(/QUIESCED[\s\S]*nothing is in flight/), {
      timeout: 60_000,
    });

    const order = ["break-glass", "orders-sync", "--window", "drain"];
    expect(await run([...order, "--reason", "payroll"], { answer: "n" })).toMatchObject({ code: 1 });
    expect(await quiesce("break-glass", "orders-sync", "--window", "nothing", "--reason", "payroll", "--yes")).toMatchObject({ code: 1 });
    expect(await quiesce(...order, "--reason", "payroll", "--yes")).toMatchObject({
      code: 0,
      out: expect.stringContaining("of orders-sync passes drain, which is not quiesced until it has ended"),
    });
    expect((await quiesce("window", "report", "drain")).out).toMatch(
      /drained in [\s\S]*break-glass: orders-sync by first-admin .*: payroll/,
    );
    expect(await quiesce("window", "cancel", "drain", "-r", "over", "--yes")).toMatchObject({ code: 0 });
  });
});

describe("quiesce doctor", () => {
  it("finds nothing wrong with a healthy server", async () => {
    const ended = await quiesce("doctor");
    expect(ended.out).toMatch(/^versions +pass/m);
    expect(ended.out).not.toMatch(/ fail /);
  });

  it("says that no server answers", async () => {
    const ended = await quiesce("--url", "http://127.0.0.1:1", "doctor");
    expect(ended).toMatchObject({ code: 3 });
    expect(ended.out).toMatch(/^server +fail +No Quiesce server answers at http:\/\/127\.0\.0\.1:1/m);
  });
});
