import { clock } from "../clock.js";
import { version } from "../version.js";
import { readCliEnvironment } from "./environment.js";
import { runCli } from "./run-cli.js";
import { standardInput, streamOutput } from "./terminal.js";

const environment = readCliEnvironment();

// `quiesce runs | head` closes the pipe early; that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), {
  environment,
  out: streamOutput(process.stdout, environment),
  err: streamOutput(process.stderr, environment),
  input: standardInput(),
  clock,
  version,
});

// Agenda leaves timers behind its stop (half a lock's lifetime); output already written gets a moment to leave.
const flushMs = 300;
setTimeout(() => process.exit(), flushMs).unref();
