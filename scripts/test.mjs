import "./require-node.mjs";
import { build } from "./build.mjs";
import { installWhenDue } from "./install.mjs";
import { root } from "./root.mjs";
import { untilStopped } from "./until-stopped.mjs";

/** What needs nothing but Node, and minutes at most; .ci/run names the others one by one. */
const QUICK_PROJECTS = ["unit", "windows", "architecture", "server", "connectors", "docs"];

/** What the tests must not take from whoever runs them: a user's own database above all. TEST_DATABASE_URL stays. */
const isForeign = (name) => /^(DATABASE_URL|NODE_ENV|PORT|PG[A-Z]+|QUIESCE_.+)$/.test(name);

await untilStopped(async ({ signal }) => {
  for (const name of Object.keys(process.env)) if (isForeign(name)) delete process.env[name];
  await installWhenDue(signal);
  await build(signal);
  const args = process.argv.slice(2);
  const choosesProjects = args.some((arg) => arg === "--project" || arg.startsWith("--project="));
  const projects = choosesProjects ? [] : QUICK_PROJECTS.map((name) => `--project=${name}`);
  // The database's watchdog and the workers' channels end what a hard exit leaves; the next run removes the folder.
  signal.addEventListener("abort", () => process.exit(), { once: true });
  process.chdir(root);
  const { parseCLI, startVitest } = await import("vitest/node");
  const { filter, options } = parseCLI(["vitest", "run", ...projects, ...args]);
  const vitest = await startVitest("test", filter, options);
  const status = process.exitCode ?? 0;
  await vitest.close();
  return status;
});
