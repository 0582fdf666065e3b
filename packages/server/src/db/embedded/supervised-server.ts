import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isProcessAlive } from "./postmaster-file.js";
import { accountOptions, PROGRAM_ENVIRONMENT } from "./run-program.js";
import type { ServerAccount } from "./server-account.js";

/** One running `postgres` below its watchdog. */
export interface SupervisedServer {
  readonly watchdogPid: number;
  /** Settles with the exit code when the watchdog, and so postgres, has ended. Never rejects. */
  readonly exited: Promise<number | null>;
  hasExited(): boolean;
  /** The last lines that this start wrote to the log, for an error message. */
  logTail(): string;
  /** Ends the server: fast shutdown, harder when it takes too long. */
  stop(postmasterPid: number): Promise<void>;
}

/** Beside the data, followed by the postmaster's id: the ids of the Node and of the watchdog that look after it. */
export const OWNER_FILE = "quiesce.owner";

/**
 * The watchdog is postgres's parent and holds the read end of a pipe whose only writer is Node. However Node dies, the
 * pipe closes and the watchdog repeats SIGINT (fast shutdown; one alone is lost while the server still starts), after
 * three seconds SIGQUIT (immediate: the next start recovers from the log) until postgres is gone. When postgres goes by
 * itself, `wait` returns and the watchdog ends too. It is a shell and not a Node: 1 MB, and it reaps its child even where
 * process 1 reaps nobody.
 */
export const WATCHDOG_SCRIPT = `
"$@" 3<&- &
server=$!
echo "$PPID $$" >"${OWNER_FILE}.$server"
(
  read -r _ <&3
  tries=0
  while kill -0 "$server" 2>/dev/null; do
    if [ "$tries" -lt 15 ]; then kill -INT "$server"; else kill -QUIT "$server"; fi
    tries=$((tries + 1))
    sleep 0.2
  done
) 2>/dev/null &
reader=$!
exec 3<&-
wait "$server"
status=$?
kill "$reader" 2>/dev/null
rm -f "${OWNER_FILE}.$server"
exit "$status"
`;

const LARGEST_LOG_BYTES = 10_000_000;
const LOG_TAIL_LINES = 15;
const STOP_TIMEOUT_MS = 8_000;

const openLog = (path: string): { readonly file: number; readonly size: number } => {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const full = size > LARGEST_LOG_BYTES;
  if (full) renameSync(path, `${path}.old`);
  return { file: openSync(path, "a", 0o600), size: full ? 0 : size };
};

const stopServer = async (watchdog: ChildProcess, pipe: Socket, postmasterPid: number, exited: Promise<unknown>): Promise<void> => {
  watchdog.ref();
  pipe.destroy();
  if (isProcessAlive(postmasterPid)) process.kill(postmasterPid, "SIGINT");
  const late = new AbortController();
  const timeout = sleep(STOP_TIMEOUT_MS, "late", { signal: late.signal }).catch(() => "cancelled");
  const first = await Promise.race([exited.then(() => "exited"), timeout]);
  late.abort();
  if (first === "exited") return;
  if (isProcessAlive(postmasterPid)) process.kill(postmasterPid, "SIGKILL");
  watchdog.kill("SIGKILL");
  await exited;
};

/** Starts postgres in a session of its own (Ctrl-C in a terminal must not reach it before Quiesce has let go of it). */
export function superviseServer(options: {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly logFile: string;
  readonly account: ServerAccount | undefined;
}): SupervisedServer {
  const log = openLog(options.logFile);
  const watchdog = spawn("/bin/sh", ["-c", WATCHDOG_SCRIPT, "quiesce-postgres", options.program, ...options.args], {
    cwd: options.cwd,
    env: PROGRAM_ENVIRONMENT,
    detached: true,
    stdio: ["ignore", log.file, log.file, "pipe"],
    ...accountOptions(options.account),
  });
  closeSync(log.file);
  // Reported below: without a pid there is no watchdog.
  watchdog.on("error", () => undefined);
  const pipe = watchdog.stdio[3];
  if (!(pipe instanceof Socket) || watchdog.pid === undefined)
    throw new Error("The shell /bin/sh that starts PostgreSQL could not be run.");
  // The server serves Node, it does not keep it: a Node with nothing else to do ends, and the watchdog with it.
  pipe.on("error", () => undefined);
  pipe.unref();
  watchdog.unref();
  let ended = false;
  const exited = new Promise<number | null>((resolve) => {
    watchdog.once("exit", (status) => {
      ended = true;
      resolve(status);
    });
  });
  return {
    watchdogPid: watchdog.pid,
    exited,
    hasExited: () => ended,
    logTail: () =>
      readFileSync(options.logFile).subarray(log.size).toString("utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n"),
    stop: (postmasterPid) => stopServer(watchdog, pipe, postmasterPid, exited),
  };
}
