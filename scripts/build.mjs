import { join } from "node:path";
import { root } from "./root.mjs";
import { runStep } from "./run-step.mjs";

/** Compiles what changed since the last time. */
export async function build(signal) {
  await runStep({
    title: "Building",
    program: process.execPath,
    args: [join(root, "node_modules/turbo/bin/turbo"), "run", "build", "--ui=stream", "--output-logs=errors-only"],
    // No word to anyone, and no question about newer versions: the build works without a network.
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", TURBO_NO_UPDATE_NOTIFIER: "1", NO_UPDATE_NOTIFIER: "1" },
    signal,
    advice: "If the sources are unchanged, delete node_modules and every dist folder, then run the same command again.",
  });
}
