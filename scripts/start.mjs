import "./require-node.mjs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { installWhenDue } from "./install.mjs";
import { root } from "./root.mjs";
import { untilStopped } from "./until-stopped.mjs";

// A checkout keeps its data in itself: two checkouts never share a database, and removing the folder removes everything.
process.env.QUIESCE_DATA_DIR ||= join(root, ".quiesce");

await untilStopped(async ({ signal, onStop }) => {
  await installWhenDue(signal);
  await build(signal);
  // As the command line does: libraries look at it when they are loaded.
  process.env.NODE_ENV ??= "production";
  // In this process, not in a child: a terminal's Ctrl-C would return to the prompt before a child has stopped.
  const { runServer } = await import("../packages/server/dist/main.js");
  const leave = () => process.exit();
  // While the server starts nothing is in flight, and PostgreSQL's watchdog ends what has started of it.
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  const server = await runServer({ argv: process.argv.slice(2) });
  signal.removeEventListener("abort", leave);
  let example;
  onStop(async (reason) => {
    await example?.stop();
    await server.stop(reason);
  });
  let isOver = false;
  const over = server.stopped.then(async () => {
    isOver = true;
    await example?.stop();
  });
  // A server that ends while the example is set up leaves it waiting for answers that do not come.
  example = await Promise.race([startExampleWhenWanted(server), over]);
  if (isOver) return server.stopped;
  // On this machine's own database whoever sees the terminal could read everything anyway; a database of your own has its own people.
  const link = server.signInLink ?? (server.embedded ? await server.newSignInLink() : null);
  console.log(
    [
      "",
      link === null ? `Dashboard: ${server.url}/` : `Dashboard: ${link}   (signs one browser in, once, within 15 minutes)`,
      server.firstToken === null
        ? `GraphiQL:  ${server.url}/graphql   (it asks for an API token once)`
        : `GraphiQL:  ${server.url}/graphql#token=${server.firstToken}`,
      `Health:    ${server.url}/health`,
      `Status:    npx quiesce ${server.url === "http://127.0.0.1:4000" ? "" : `--url ${server.url} `}status --watch`,
      "Stop:      Ctrl-C",
      "",
    ].join("\n"),
  );
  return server.stopped;
});

/** The example belongs to the embedded database of a checkout; it stays away from a database of your own. */
async function startExampleWhenWanted(server) {
  if (process.argv.includes("--no-example") || !server.embedded) return undefined;
  const { startExampleBeside } = await import("../examples/small-erp/start.mjs");
  return startExampleBeside(server);
}
