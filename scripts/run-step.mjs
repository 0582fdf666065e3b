import { spawn } from "node:child_process";
import { root } from "./root.mjs";

const PROGRESS_MS = 10_000;
const KEPT_OUTPUT_CHARACTERS = 20_000;

/**
 * Runs "$@" and ends its whole process group when the pipe on descriptor 3 closes, which it does however Node ends. npm and
 * turbo start processes of their own, so ending the first one alone would leave the others working.
 */
const GROUP_SCRIPT = `
"$@" 3<&- &
child=$!
( trap '' TERM; read -r _ <&3; kill -TERM 0; sleep 2; kill -KILL 0 ) 2>/dev/null &
reader=$!
exec 3<&-
wait "$child"
status=$?
kill -KILL "$reader" 2>/dev/null
exit "$status"
`;

const command = (program, args) =>
  process.platform === "win32" ? { program, args } : { program: "/bin/sh", args: ["-c", GROUP_SCRIPT, "quiesce-step", program, ...args] };

/** A step that failed. Its message is for the user; there is nothing to trace. */
export class StepError extends Error {}

/**
 * Runs one program quietly: a first line says what is done, a further one every ten seconds that it goes on, and its
 * output is shown only when it fails.
 *
 * @param {{ title: string, program: string, args: string[], env?: NodeJS.ProcessEnv, signal: AbortSignal, advice: string }} step
 */
export async function runStep({ title, program, args, env = process.env, signal, advice }) {
  signal.throwIfAborted();
  console.log(`${title} ...`);
  const started = performance.now();
  const seconds = () => Math.round((performance.now() - started) / 1000);
  const progress = setInterval(() => console.log(`${title}: still at it after ${seconds()} s`), PROGRESS_MS);
  const run = command(program, args);
  const child = spawn(run.program, run.args, {
    cwd: root,
    env,
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const leaveGroup = () => child.stdio[3].destroy();
  signal.addEventListener("abort", leaveGroup, { once: true });
  let output = "";
  const keep = (chunk) => {
    output = (output + chunk).slice(-KEPT_OUTPUT_CHARACTERS);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.stdio[3].on("error", () => undefined);
  try {
    const status = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal.throwIfAborted();
    if (status === 0) return;
    throw new StepError(`${output.trim()}\n\n${title} failed with exit code ${status} (its output is above). ${advice}`);
  } finally {
    clearInterval(progress);
    signal.removeEventListener("abort", leaveGroup);
  }
}
