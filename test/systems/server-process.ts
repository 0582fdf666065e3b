import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, isAbsolute, join } from "node:path";
import { scratchFolder } from "../database/scratch-folder.js";
import { freePort } from "../lifecycle/free-port.js";

const READY_MS = 180_000;
const STOP_MS = 30_000;
/** Debian keeps servers where a user's PATH does not look. */
const FOLDERS = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/usr/lib/rabbitmq/bin"];

/** Where a program is, or undefined if it is not installed. */
export function programPath(name: string): string | undefined {
  if (isAbsolute(name)) return existsSync(name) ? name : undefined;
  return FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * Whether a suite that needs these programs is to run. Without them it is skipped, with a line that says so; with CI=true it runs and fails, because a
 * suite that does not run proves nothing.
 */
export function suiteRuns(system: string, options: { readonly programs: readonly string[]; readonly packages: string }): boolean {
  const missing = options.programs.filter((name) => programPath(name) === undefined);
  if (missing.length === 0 || process.env["CI"] === "true") return true;
  console.log(
    `Skipped: ${system} is not installed, ${missing.join(", ")} missing (apt-get install ${options.packages}). CI=true makes this a failure.`,
  );
  return false;
}

/** A server of the test's own, on loopback, with its files in a folder of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  /** Starts it again after {@link stop} or {@link kill}, on the same port and files. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it where it stands, connections and all; only {@link kill} helps then. */
  freeze(): void;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Stops the server and removes its files. */
  remove(): Promise<void>;
}

/** How a server is started. */
export interface ServerSetup {
  readonly name: string;
  /** Who runs it, if the tests run as root and it refuses that. */
  readonly user?: string;
  /** Prepares the folder, before the first start. */
  readonly prepare?: (place: Place) => Promise<void>;
  readonly command: (place: Place) => {
    readonly program: string;
    readonly args: readonly string[];
    readonly env?: { readonly [name: string]: string };
  };
  /** True as soon as it serves; asked again and again. */
  readonly ready?: (place: Place) => Promise<boolean>;
}

/** Where a server is to be. */
export interface Place {
  readonly folder: string;
  readonly port: number;
  /** Runs a program as the server's user, and gives back what it prints. */
  readonly run: (program: string, args: readonly string[], env?: { readonly [name: string]: string }) => string;
  /** Writes a file that the server's user may read. */
  readonly write: (name: string, text: string) => Promise<string>;
}

/** Starts a server on a free port and waits until it serves. */
export async function startServer(setup: ServerSetup): Promise<ServerProcess> {
  const owner = ownerOf(setup.user);
  const folder = await mkdtemp(join(scratchFolder(), `quiesce-${setup.name}-`));
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  const port = await freePort();
  const env = { PATH: FOLDERS.join(delimiter), HOME: folder, LANG: "C.UTF-8" };
  const place: Place = {
    folder,
    port,
    run: (program, args, more = {}) =>
      execFileSync(pathOf(program), args, {
        cwd: folder,
        env: { ...env, ...more },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        ...owner,
      }),
    write: async (name, text) => {
      const path = join(folder, name);
      await writeFile(path, text, { mode: 0o600 });
      if (owner !== undefined) await chown(path, owner.uid, owner.gid);
      return path;
    },
  };
  let child: ChildProcess | undefined;
  let watch: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending !== undefined) await ended(ending, signal);
    watch?.kill("SIGKILL");
    watch = undefined;
  };
  const start = async (): Promise<void> => {
    if (child !== undefined) throw new Error(`${setup.name} runs already`);
    const { program, args, env: more = {} } = setup.command(place);
    const log = await open(join(folder, "server.log"), "a");
    child = spawn(pathOf(program), args, {
      cwd: folder,
      env: { ...env, ...more },
      stdio: ["ignore", log.fd, log.fd],
      detached: true,
      ...owner,
    });
    watch = watchOver(child, folder);
    await log.close();
    await serving(setup, place, child);
  };
  const server: ServerProcess = {
    port,
    folder,
    start,
    stop: () => end("SIGTERM"),
    freeze: () => child && killGroup(child, "SIGSTOP"),
    kill: () => end("SIGKILL"),
    remove: async () => {
      await end("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
    [Symbol.asyncDispose]: () => server.remove(),
  };
  try {
    await setup.prepare?.(place);
    await start();
    return server;
  } catch (error) {
    await server.remove();
    throw error;
  }
}

/**
 * A test runner that is ended in the middle, be it by SIGKILL, must not leave a server behind: this shell reads from it, and at the end of that ends the
 * server's group and removes its files. The server must lead a group of its own (detached); who ends it otherwise ends the shell first.
 */
export function watchOver({ pid }: ChildProcess, folder: string): ChildProcess | undefined {
  if (pid === undefined) return undefined;
  const script = 'read -r _; kill -s KILL -- "-$1"; rm -rf -- "$2"';
  const watch = spawn("/bin/sh", ["-c", script, "sh", String(pid), folder], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  watch.unref();
  return watch;
}

function pathOf(program: string): string {
  const path = programPath(program);
  if (path === undefined) throw new Error(`${program} is not installed; test/systems/install-debian.sh installs what the suites start.`);
  return path;
}

function ownerOf(user: string | undefined): { readonly uid: number; readonly gid: number } | undefined {
  if (user === undefined || process.getuid?.() !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  killGroup(child, signal);
  const hard = setTimeout(() => killGroup(child, "SIGKILL"), STOP_MS);
  await exit;
  clearTimeout(hard);
}

/** Some servers are started by a script that waits for them: the whole group is ended. */
function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (Reflect.get(Object(error), "code") !== "ESRCH") throw error;
  }
}

async function serving(setup: ServerSetup, place: Place, child: ChildProcess): Promise<void> {
  const until = Date.now() + READY_MS;
  const ready = setup.ready ?? (({ port }) => accepts(port));
  while (Date.now() < until && child.exitCode === null) {
    if (await ready(place)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const log = await readFile(join(place.folder, "server.log"), "utf8");
  throw new Error(`${setup.name} does not serve on port ${place.port}:\n${log.slice(-2000)}`);
}

/** True if something accepts connections on the port. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
