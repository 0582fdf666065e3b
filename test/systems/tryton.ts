import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { scratchFolder } from "../database/scratch-folder.js";
import { freePort } from "../lifecycle/free-port.js";
import { watchOver } from "./server-process.js";

// The full paths: another Python that comes first on PATH would not find Debian's modules.
const BIN = "/usr/bin";
const PROGRAMS = ["trytond", "trytond-admin", "trytond-console"];
const MODULES = "/usr/lib/python3/dist-packages/trytond/modules";
const READY_MS = 180_000;
const STOP_MS = 30_000;

/** What a suite needs that starts Tryton with parties. */
export const TRYTON = {
  programs: [...PROGRAMS.map((program) => join(BIN, program)), join(MODULES, "party")],
  packages: "tryton-server tryton-modules-party",
};

/** What it needs in addition for sales and stock. */
export const TRYTON_SALES = {
  programs: [...TRYTON.programs, join(MODULES, "sale"), join(MODULES, "stock")],
  packages: `${TRYTON.packages} tryton-modules-sale tryton-modules-stock`,
};

/** True if Debian's tryton-server and tryton-modules-party are installed. */
export function trytonInstalled(): boolean {
  return TRYTON.programs.every((path) => existsSync(path));
}

/** A real Tryton 6.0 on loopback with an SQLite file of its own. */
export interface Tryton extends AsyncDisposable {
  /** Such as http://127.0.0.1:41234; the same after a restart. */
  readonly url: string;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Starts the server again after {@link stop}, and waits until it answers. */
  start(): Promise<void>;
  /** Ends the server process and waits until it is gone. */
  stop(): Promise<void>;
  /**
   * Runs Python in trytond-console against the database, server up or not. `pool`, `transaction` and `Party` are there;
   * the changes are committed at the end. Gives back what it prints.
   */
  run(script: string): Promise<string>;
  /** As {@link run}, but refuses while the server runs: these are the changes nobody could see happen. */
  changeWhileDown(script: string): Promise<string>;
  /** Stops the server and removes its files. */
  remove(): Promise<void>;
}

/** What a Tryton begins with. */
export interface TrytonOptions {
  readonly parties: number;
  /** Python: the values of party number i, which otherwise is called P00001 and so on and gets the next code. */
  readonly party?: string;
  /** Beside party; what they need comes along. */
  readonly modules?: readonly string[];
}

/** Installs a database in a temporary folder, creates the parties, and starts the server on a free port. */
export async function startTryton(options: TrytonOptions): Promise<Tryton> {
  if (!trytonInstalled()) {
    throw new Error("Tryton is not installed: apt-get install -y --no-install-recommends tryton-server tryton-modules-party");
  }
  const folder = await mkdtemp(join(scratchFolder(), "quiesce-tryton-"));
  const port = await freePort();
  const database = "erp";
  const password = "admin-pass";
  const config = join(folder, "trytond.conf");
  let server: ChildProcess | undefined;
  let watch: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    if (server !== undefined) throw new Error("Tryton runs already");
    const log = await open(join(folder, "trytond.log"), "a");
    const child = spawn(join(BIN, "trytond"), ["-c", config, "-d", database], {
      stdio: ["ignore", log.fd, log.fd],
      cwd: folder,
      detached: true,
    });
    await log.close();
    server = child;
    watch = watchOver(child, folder);
    await answering(`http://127.0.0.1:${port}/`, child, join(folder, "trytond.log"));
  };
  const stop = async (): Promise<void> => {
    const child = server;
    server = undefined;
    watch?.kill("SIGKILL");
    watch = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(hard);
  };
  const run = (script: string): Promise<string> => {
    const lines = ["Party = pool.get('party.party')", script, "transaction.commit()", ""].join("\n");
    return runProgram(folder, "trytond-console", ["-c", config, "-d", database], lines);
  };
  const tryton: Tryton = {
    url: `http://127.0.0.1:${port}`,
    database,
    user: "admin",
    password,
    start,
    stop,
    run,
    changeWhileDown: async (script) => {
      if (server !== undefined) throw new Error("Tryton is not down: stop it first");
      return run(script);
    },
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: () => tryton.remove(),
  };

  try {
    await install({ folder, config, port, database, password, modules: options.modules ?? [] });
    if (options.parties > 0) await run(createParties(options));
    await start();
    return tryton;
  } catch (error) {
    await tryton.remove();
    throw error;
  }
}

async function install(place: {
  readonly folder: string;
  readonly config: string;
  readonly port: number;
  readonly database: string;
  readonly password: string;
  readonly modules: readonly string[];
}): Promise<void> {
  const { folder, config, port, database, password, modules } = place;
  await mkdir(join(folder, "db"));
  // trytond-admin refuses an SQLite database whose file is absent.
  await writeFile(join(folder, "db", `${database}.sqlite`), "");
  await writeFile(join(folder, "password"), `${password}\n`, { mode: 0o600 });
  await writeFile(
    config,
    [
      "[web]",
      `listen = 127.0.0.1:${port}`,
      "[database]",
      "uri = sqlite://",
      `path = ${join(folder, "db")}`,
      "[session]",
      "authentications = password",
      "[password]",
      "length = 4",
      "entropy = 0",
      "",
    ].join("\n"),
  );
  const admin = ["-c", config, "-d", database];
  await runProgram(folder, "trytond-admin", [...admin, "--all", "--email", "admin@example.com"], "");
  await runProgram(folder, "trytond-admin", [...admin, "-u", "party", ...modules, "--activate-dependencies"], "");
}

function createParties({ parties: count, party = "{'name': 'P%05d' % i}" }: TrytonOptions): string {
  // A block in the console ends with an empty line.
  return [
    `for first in range(1, ${count} + 1, 500):`,
    `    _ = Party.create([${party} for i in range(first, min(first + 500, ${count} + 1))])`,
    "",
  ].join("\n");
}

async function runProgram(folder: string, program: string, args: readonly string[], input: string): Promise<string> {
  const child = spawn(join(BIN, program), args, {
    cwd: folder,
    env: { PATH: "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8", TRYTONPASSFILE: join(folder, "password") },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  // The console goes on after an exception and still ends with 0.
  if (code !== 0 || errors.includes("Traceback")) {
    throw new Error(`${program} ended with ${String(code)}:\n${errors.slice(-2000)}`);
  }
  return output;
}

async function answering(url: string, child: ChildProcess, log: string): Promise<void> {
  const until = Date.now() + READY_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null) break;
    const answered = await fetch(url, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.body?.cancel().then(() => true) ?? true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Tryton does not answer at ${url}:\n${(await readFile(log, "utf8")).slice(-2000)}`);
}
