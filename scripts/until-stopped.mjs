import { constants } from "node:os";
import { watchParent } from "./watch-parent.mjs";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const FLUSH_MS = 200;
/** One Ctrl-C arrives twice: from the terminal, and passed on by npm. */
const ONE_PRESS_MS = 700;

/**
 * Runs `work(signal, stopping)` as the main part of a script: the first signal, or the end of npm, asks it to stop, the
 * second one ends the process at once. Errors are told in one line and become exit code 1.
 *
 * @param {(context: { signal: AbortSignal, onStop: (stop: (reason: string) => Promise<void>) => void }) => Promise<number>} work
 */
export async function untilStopped(work) {
  const controller = new AbortController();
  let gentleStop;
  let askedAt;
  const ask = (reason, exitCode) => {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt > ONE_PRESS_MS) process.exit(exitCode);
      return;
    }
    askedAt = performance.now();
    process.exitCode = exitCode;
    controller.abort(new Error(reason));
    gentleStop?.(reason).then(
      // Also when the work itself never returns: it may wait for something that the stop has ended.
      () => setTimeout(() => process.exit(), FLUSH_MS).unref(),
      (error) => {
        console.error(`The stop failed: ${error.message}`);
        process.exit(1);
      },
    );
  };
  for (const name of SIGNALS) process.on(name, () => ask(name, 128 + constants.signals[name]));
  watchParent(() => ask("npm has ended", 1));
  try {
    const status = await work({
      signal: controller.signal,
      onStop: (stop) => {
        gentleStop = stop;
      },
    });
    process.exitCode = status;
  } catch (error) {
    if (askedAt === undefined) {
      console.error(
        process.env.QUIESCE_DEBUG === undefined ? `\n${error.code === undefined ? "" : `${error.code}: `}${error.message}` : error,
      );
      process.exitCode = 1;
    }
  }
  // Whatever still holds the event loop has had its chance; output already written gets a moment to leave.
  setTimeout(() => process.exit(), FLUSH_MS).unref();
}
