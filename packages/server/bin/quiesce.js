#!/usr/bin/env node
// Committed, so that npm can link it before the first build: a missing file would make npx ask the public registry instead.
import { existsSync } from "node:fs";

const program = new URL("../dist/cli/main.js", import.meta.url);

// Libraries look at it once, when they are loaded: graphql compares types in a slow and talkative way without it. Whoever sets it has their way.
process.env["NODE_ENV"] ??= "production";

if (existsSync(program)) {
  await import(program.href);
} else {
  console.error("Quiesce is not built yet. Run `npm run build` in its folder first (or `npm start`, which does it too).");
  process.exitCode = 1;
}
