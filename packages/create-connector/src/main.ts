#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createConnector } from "./create-connector.js";

const USAGE = `npm create @quiesce/connector <folder> [-- options]

Begins a connector: sources, tests by the conformance kit, package.json. They pass at once.

  --name <package>   the package's name; quiesce-connector-<folder> if absent
  --sdk <range>      the version of @quiesce/sdk; that of this tool if absent
`;

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string };

try {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: {
      name: { type: "string" },
      sdk: { type: "string", default: `^${version}` },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [folder, ...others] = positionals;
  if (values.help || folder === undefined || others.length > 0) {
    process.stdout.write(USAGE);
    process.exitCode = values.help ? 0 : 2;
  } else {
    const made = await createConnector({ folder, sdk: values.sdk, ...(values.name === undefined ? {} : { packageName: values.name }) });
    process.stdout.write(`Made ${made.files.length} files in ${made.folder}. Go on with:\n\n  cd ${folder}\n  npm install\n  npm test\n`);
  }
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
