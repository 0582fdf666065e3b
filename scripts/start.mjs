import "./require-node.mjs";
import { build } from "./build.mjs";
import { installWhenDue } from "./install.mjs";
import { untilStopped } from "./until-stopped.mjs";

await untilStopped(async ({ signal, onStop }) => {
  await installWhenDue(signal);
  await build(signal);
  // In this process, not in a child: a terminal's Ctrl-C would return to the prompt before a child has stopped.
  const { runServer } = await import("../packages/server/dist/main.js");
  const leave = () => process.exit();
  // While the server starts nothing is in flight, and PostgreSQL's watchdog ends what has started of it.
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  const server = await runServer({ argv: process.argv.slice(2) });
  signal.removeEventListener("abort", leave);
  onStop((reason) => server.stop(reason));
  return server.stopped;
});
