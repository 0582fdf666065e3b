import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { exitCodeOfSignal, exitCodes } from "../exit-codes.js";

/** How a command ended: its exit code as a shell would say it, or why it never ran. */
export interface ChildEnd {
  readonly exitCode: number;
  /** Why it never ran. */
  readonly failure?: string;
}

export interface RunningChild {
  readonly ended: Promise<ChildEnd>;
  /** Sends a signal to the command and, where it has a group of its own, to what it started. */
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Passes on a signal that this process got, unless the terminal gave it to the command as well. */
  readonly forward: (signal: NodeJS.Signals) => void;
}

/** A terminal sends these to its whole foreground group; a second Ctrl-C means "at once" to many programs. */
const FROM_THE_TERMINAL: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGHUP"]);

/**
 * Starts a command with this process's own stdin, stdout and stderr. Away from a terminal it gets a process group of its own, so that a signal
 * also reaches what a script has started; on a terminal it stays in the foreground group, which the terminal itself signals at Ctrl-C.
 */
export function runChild(input: {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly onTerminal: boolean;
}): RunningChild {
  const [file = "", ...args] = input.command;
  const ownGroup = !input.onTerminal && process.platform !== "win32";
  const child = spawn(file, args, { stdio: "inherit", env: input.environment, detached: ownGroup });
  const kill = (signal: NodeJS.Signals): void => killChild(child, signal, ownGroup);
  const forward = (signal: NodeJS.Signals): void => {
    if (!input.onTerminal || !FROM_THE_TERMINAL.has(signal)) kill(signal);
  };
  return { ended: endOf(child, file), kill, forward };
}

function endOf(child: ChildProcess, file: string): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      const missing = error.code === "ENOENT";
      resolve({
        exitCode: missing ? exitCodes.notFound : exitCodes.notExecutable,
        failure: missing
          ? `the command "${file}" was not found.`
          : `the command "${file}" cannot be executed (${error.code ?? error.message}).`,
      });
    });
    child.once("exit", (code, signal) => resolve({ exitCode: code ?? exitCodeOfSignal(signal === null ? 0 : constants.signals[signal]) }));
  });
}

function killChild(child: ChildProcess, signal: NodeJS.Signals, group: boolean): void {
  if (child.pid === undefined) return;
  if (!group) {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the whole group is gone already, which is what was wanted.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
