import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

// The command is a process with signals and an exit code: the built one is run with plain Node.
const packageFolder = fileURLToPath(new URL("../../../", import.meta.url));
const program = join(packageFolder, "bin/quiesce.js");

async function newest(folder: string, ending: string): Promise<number> {
  const names = (await readdir(join(packageFolder, folder), { recursive: true })).filter(
    (name) => name.endsWith(ending) && !name.endsWith(`.test${ending}`),
  );
  return Math.max(0, ...(await Promise.all(names.map(async (name) => (await stat(join(packageFolder, folder, name))).mtimeMs))));
}

beforeAll(async () => {
  const built = await newest("dist/cli", ".js").catch(() => 0);
  if (built >= (await newest("src/cli", ".ts"))) return;
  // Another room's type error must not decide about these tests; the typecheck speaks of it.
  try {
    execFileSync(process.execPath, [join(packageFolder, "../../node_modules/typescript/bin/tsc"), "-b", packageFolder], { stdio: "pipe" });
  } catch (error) {
    if (!(error instanceof Error && "status" in error)) throw error;
  }
}, 600_000);

/** A gate at our own edge: what it answers is set by each test, what it was asked is kept. */
interface FakeGate {
  url: string;
  held: boolean;
  until: string | null;
  leaseLost: boolean;
  closesAtTheEntrance: boolean;
  /** Takes requests and never answers them. */
  hangs: boolean;
  /** When the last lease began. */
  enteredAt: number;
  refusal: { code: string; message: string } | undefined;
  upcoming: { beginsAt: string; expiresAt: string | null }[];
  readonly asked: { readonly what: string; readonly input: unknown }[];
  readonly server: Server;
}

const holdFields = { title: "ERP upgrade", owner: "erp-team", reason: "patches", kind: "window" };

function answerGraphql(gate: FakeGate, query: string, variables: { readonly input?: unknown }): unknown {
  const by = gate.held ? [{ ...holdFields, since: "2026-01-01T00:00:00.000Z", until: gate.until }] : [];
  if (query.includes("renewGate")) {
    gate.asked.push({ what: "renew", input: variables.input });
    if (gate.leaseLost) return { errors: [{ message: "The lease is lost.", extensions: { code: "QSC_GATE_LEASE_LOST" } }] };
    return { data: { renewGate: { leaseUntil: new Date().toISOString() } } };
  }
  if (query.includes("leaveGate")) {
    gate.asked.push({ what: "leave", input: variables.input });
    return { data: { leaveGate: { key: "run-1" } } };
  }
  if (query.includes("UpcomingHolds")) {
    const holds = gate.upcoming.map((hold) => ({ ...holdFields, mode: "ENFORCE", ...hold }));
    return { data: { integration: { holds, gate: { asOf: new Date().toISOString() } }, control: { mode: "ENFORCE" } } };
  }
  gate.asked.push({ what: "ask", input: undefined });
  return { data: { gate: { state: gate.held ? "HELD" : "OPEN", held: gate.held, until: gate.until, asOf: new Date().toISOString(), by } } };
}

async function startGate(): Promise<FakeGate> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (gate.hangs) return;
      const send = (status: number, value: unknown): void =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      if (gate.refusal !== undefined && request.url === "/graphql")
        return send(200, { errors: [{ message: gate.refusal.message, extensions: { code: gate.refusal.code } }] });
      const parsed = JSON.parse(body) as { readonly query?: string; readonly variables?: { readonly input?: unknown } };
      if (request.url === "/graphql") return send(200, answerGraphql(gate, parsed.query ?? "", parsed.variables ?? {}));
      gate.asked.push({ what: "enter", input: parsed });
      if (gate.refusal !== undefined) return send(404, { error: gate.refusal });
      if (gate.held || gate.closesAtTheEntrance)
        return send(423, {
          entered: false,
          held: true,
          by: [{ ...holdFields, since: "2026-01-01T00:00:00.000Z", until: gate.until }],
          until: gate.until,
        });
      gate.enteredAt = Date.now();
      return send(201, { entered: true, runId: "run-1", leaseToken: "lease-1", leaseUntil: new Date().toISOString() });
    });
  });
  const gate: FakeGate = {
    url: "",
    held: false,
    until: null,
    leaseLost: false,
    closesAtTheEntrance: false,
    hangs: false,
    enteredAt: 0,
    refusal: undefined,
    upcoming: [],
    asked: [],
    server,
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  gate.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return gate;
}

let gate: FakeGate;
let folder: string;
let running: ChildProcess[] = [];

beforeEach(async () => {
  gate = await startGate();
  folder = await mkdtemp(join(tmpdir(), "quiesce-exec-"));
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  running = [];
  gate.server.closeAllConnections();
  gate.server.close();
  await rm(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly printed: () => string;
  readonly exit: Promise<number | null>;
}

function exec(options: readonly string[], command: readonly string[], input = ""): Started {
  const child = spawn(process.execPath, [program, "exec", "-i", "erp-orders", "--cache-dir", folder, ...options, "--", ...command], {
    env: { PATH: process.env["PATH"], HOME: folder, QUIESCE_URL: gate.url, QUIESCE_TOKEN: "qsc_test" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(input);
  const exit = once(child, "close").then(([code]) => code as number | null);
  return { child, said: () => stderr, printed: () => stdout, exit };
}

/** Waits for a fact, looking often: what is waited for happens in another process. */
async function until(fact: () => boolean): Promise<void> {
  for (let looked = 0; !fact(); looked += 1) {
    if (looked > 6_000) throw new Error("It did not happen within a minute.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Gone, or dead and not yet collected: who collects an orphan is the machine's business. */
function isOver(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() === "" || stdout.trim().startsWith("Z");
}

const whatWasAsked = (): readonly string[] => gate.asked.map(({ what }) => what);
const stopServer = (): void => {
  gate.server.closeAllConnections();
  gate.server.close();
};
const minutesFromNow = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

describe("quiesce exec", () => {
  it("passes input, output and errors through and records a success", async () => {
    const started = exec([], ["sh", "-c", "cat; echo oops >&2"], "hello\n");
    expect(await started.exit).toBe(0);
    expect(started.printed()).toBe("hello\n");
    expect(started.said()).toBe("oops\n");
    expect(whatWasAsked()).toEqual(["ask", "enter", "leave"]);
    expect(gate.asked[1]?.input).toEqual({ leaseSeconds: 60 });
    expect(gate.asked[2]?.input).toEqual({ run: "run-1", leaseToken: "lease-1", outcome: "SUCCEEDED", exitCode: 0 });
  });

  it("passes the command's exit code on and records a failure with it", async () => {
    const started = exec([], ["sh", "-c", "exit 3"]);
    expect(await started.exit).toBe(3);
    expect(gate.asked.at(-1)?.input).toMatchObject({ outcome: "FAILED", exitCode: 3 });
  });

  it("tells the command which run it is", async () => {
    const started = exec([], ["sh", "-c", "echo $QUIESCE_INTEGRATION $QUIESCE_RUN"]);
    expect(await started.exit).toBe(0);
    expect(started.printed()).toBe("erp-orders run-1\n");
  });

  it("gives options after -- to the command", async () => {
    const started = exec([], ["echo", "--url", "x", "--help"]);
    expect(await started.exit).toBe(0);
    expect(started.printed()).toBe("--url x --help\n");
  });

  it("ends with 127 for a command that is not there and 126 for one that cannot be executed", async () => {
    const missing = exec([], ["quiesce-no-such-command"]);
    expect(await missing.exit).toBe(127);
    expect(missing.said()).toContain('"quiesce-no-such-command" was not found');
    const file = join(folder, "not-executable");
    await writeFile(file, "");
    expect(await exec([], [file]).exit).toBe(126);
    expect(gate.asked.filter(({ what }) => what === "leave").map(({ input }) => (input as { outcome: string }).outcome)).toEqual([
      "FAILED",
      "FAILED",
    ]);
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("forwards %s to what the command started and ends with %i", async (signal, code) => {
    const started = exec([], ["sh", "-c", "sh -c 'echo ready; exec sleep 30'; exit 9"]);
    await until(() => started.printed().includes("ready"));
    started.child.kill(signal);
    expect(await started.exit).toBe(code);
    expect(gate.asked.at(-1)?.input).toMatchObject({ outcome: "FAILED", exitCode: code });
  });

  it("lets a command that handles the signal choose its exit code", async () => {
    const started = exec([], ["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"]);
    await until(() => started.printed().includes("ready"));
    started.child.kill("SIGTERM");
    expect(await started.exit).toBe(7);
  });

  it("does not start inside a window with --no-wait, and says why and until when", async () => {
    gate.held = true;
    gate.until = minutesFromNow(30);
    const started = exec(["--no-wait"], ["sh", "-c", "echo started"]);
    expect(await started.exit).toBe(75);
    expect(started.printed()).toBe("");
    expect(started.said()).toMatch(/erp-orders is held: "ERP upgrade" by erp-team \(patches\), until .*\(in 29m \d\ds\)\. Not started\./);
    expect(whatWasAsked()).toEqual(["ask"]);
  });

  it("believes the entrance, not the answer to its question", async () => {
    gate.closesAtTheEntrance = true;
    const started = exec(["--no-wait"], ["echo", "started"]);
    expect(await started.exit).toBe(75);
    expect(started.printed()).toBe("");
    expect(whatWasAsked()).toEqual(["ask", "enter"]);
  });

  it("waits while held, without a row in the ledger for every look, and starts when the gate opens", async () => {
    gate.held = true;
    gate.until = new Date(Date.now() + 2_500).toISOString();
    const started = exec(["--wait", "30s"], ["echo", "started"]);
    await until(() => whatWasAsked().includes("ask"));
    expect(started.printed()).toBe("");
    gate.held = false;
    expect(await started.exit).toBe(0);
    expect(started.printed()).toBe("started\n");
    expect(started.said().match(/Waiting\./g)).toHaveLength(1);
    expect(whatWasAsked().filter((what) => what === "enter")).toHaveLength(1);
  });

  it("gives up with 75 when --wait is over", async () => {
    gate.held = true;
    const started = exec(["--wait", "1s"], ["echo", "started"]);
    expect(await started.exit).toBe(75);
    expect(started.said()).toContain("until somebody resumes it");
    expect(started.printed()).toBe("");
  });

  it("ends the wait at a signal without ever having entered", async () => {
    gate.held = true;
    const started = exec(["--wait", "1h"], ["echo", "started"]);
    await until(() => started.said().includes("Waiting."));
    started.child.kill("SIGTERM");
    expect(await started.exit).toBe(143);
    expect(whatWasAsked()).not.toContain("leave");
  });

  it("renews its lease while the command runs", async () => {
    const goOn = join(folder, "go-on");
    const started = exec(["--lease", "12s"], ["sh", "-c", `until [ -e "${goOn}" ]; do sleep 0.1; done`]);
    await until(() => whatWasAsked().filter((what) => what === "renew").length >= 2);
    await writeFile(goOn, "");
    expect(await started.exit).toBe(0);
    expect(gate.asked.find(({ what }) => what === "renew")?.input).toEqual({ run: "run-1", leaseToken: "lease-1", leaseSeconds: 12 });
  });

  it("stops the command and all it started when the lease is lost", async () => {
    gate.leaseLost = true;
    const started = exec(["--lease", "12s"], ["sh", "-c", "trap '' TERM; (trap '' TERM; sleep 60; echo survived) & echo pid $!; wait"]);
    await until(() => started.printed().includes("pid"));
    const pid = Number(/pid (\d+)/.exec(started.printed())?.[1]);
    expect(await started.exit).toBe(76);
    expect(started.said()).toContain("the server says that the lease is not ours any more");
    await until(() => isOver(pid));
    expect(whatWasAsked()).not.toContain("leave");
  });

  it.each(["is gone", "never answers"])("has stopped the command before its lease is over when the server %s", async (how) => {
    // The command says itself how long it lived: this process may be late to hear of its end.
    const started = exec(["--lease", "18s"], ["sh", "-c", "trap '' TERM; while :; do date +%s%3N; sleep 0.1; done"]);
    await until(() => started.printed() !== "");
    if (how === "is gone") stopServer();
    else gate.hangs = true;
    expect(await started.exit).toBe(76);
    expect(Number(started.printed().trim().split("\n").at(-1)) - gate.enteredAt).toBeLessThan(18_000);
    expect(started.said()).toContain("could not be renewed in time");
  });

  it("ends with 125 when the gate refuses for good, since 1 belongs to the command", async () => {
    gate.refusal = { code: "QSC_INTEGRATION_NOT_FOUND", message: 'There is no integration "erp-orders".' };
    const started = exec([], ["echo", "started"]);
    expect(await started.exit).toBe(125);
    expect(started.said()).toBe('quiesce: QSC_INTEGRATION_NOT_FOUND: There is no integration "erp-orders".\n');
    expect(started.printed()).toBe("");
  });
});

describe("quiesce exec without a server", () => {
  it("holds when nothing is known, and runs then only if told to", async () => {
    stopServer();
    const held = exec(["--no-wait"], ["echo", "started"]);
    expect(await held.exit).toBe(75);
    expect(held.said()).toContain("--if-unreachable hold");
    const run = exec(["--if-unreachable", "run"], ["sh", "-c", "echo started; exit 4"]);
    expect(await run.exit).toBe(4);
    expect(run.printed()).toBe("started\n");
    expect(run.said()).toContain("running without a lease");
  });

  it("runs by the intervals of the last contact when they leave now open", async () => {
    gate.upcoming = [{ beginsAt: minutesFromNow(60), expiresAt: minutesFromNow(120) }];
    expect(await exec([], ["true"]).exit).toBe(0);
    stopServer();
    const started = exec([], ["echo", "started"]);
    expect(await started.exit).toBe(0);
    expect(started.said()).toContain("nothing holds erp-orders now");
  });

  it("holds by the intervals of the last contact, whatever --if-unreachable says", async () => {
    gate.held = true;
    gate.until = minutesFromNow(30);
    gate.upcoming = [{ beginsAt: minutesFromNow(-1), expiresAt: gate.until }];
    expect(await exec(["--no-wait"], ["true"]).exit).toBe(75);
    stopServer();
    const started = exec(["--no-wait", "--if-unreachable", "run"], ["echo", "started"]);
    expect(await started.exit).toBe(75);
    expect(started.printed()).toBe("");
    expect(started.said()).toContain("as planned at the last contact");
  });

  it("does not believe intervals that are older than a day", async () => {
    expect(await exec([], ["true"]).exit).toBe(0);
    stopServer();
    const [name = ""] = await readdir(folder);
    const cached = JSON.parse(await readFile(join(folder, name), "utf8")) as { fetchedAt: number; asOf: number };
    const age = 24 * 3_600_000;
    await writeFile(join(folder, name), JSON.stringify({ ...cached, fetchedAt: cached.fetchedAt - age, asOf: cached.asOf - age }));
    expect(await exec(["--no-wait"], ["echo", "started"]).exit).toBe(75);
  });

  it("takes a broken cache for none", async () => {
    expect(await exec([], ["true"]).exit).toBe(0);
    stopServer();
    const [name = ""] = await readdir(folder);
    await writeFile(join(folder, name), '{"version":1,"holds":');
    expect(await exec(["--no-wait"], ["true"]).exit).toBe(75);
  });

  it("keeps what it knows from other users", async () => {
    expect(await exec([], ["true"]).exit).toBe(0);
    const [name = ""] = await readdir(folder);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });
});
