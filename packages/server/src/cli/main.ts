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

const exitCode = await runCli(process.argv.slice(2), {
  environment,
  out: streamOutput(process.stdout, environment),
  err: streamOutput(process.stderr, environment),
  input: standardInput(),
  clock,
  version,
});

// Not by itself: a server that was stopped in this process leaves timers of Agenda behind (half a lock's lifetime). What was written leaves first.
for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write("", resolve));
process.exit(exitCode);
