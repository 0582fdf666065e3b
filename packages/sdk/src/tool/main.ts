#!/usr/bin/env node
import { parseArgs } from "node:util";
import { isConnectorError } from "../error.js";
import { devConnector } from "./dev-connector.js";
import { recordAnswers } from "./record-answers.js";
import type { ToolOptions } from "./tool-options.js";
import { verifyPackage } from "./verify-package.js";

const USAGE = `quiesce-connector: for authors of connectors. Run it in the connector's package, after it was built.

  quiesce-connector dev check                     calls check with the settings in quiesce.dev.json
  quiesce-connector dev streams                   lists the streams
  quiesce-connector dev read <stream>             reads the first records; --limit <n> (10)
  quiesce-connector record check|streams|read     does the same, and saves what the system answered, secrets masked; --out <folder> (test/fixtures)
  quiesce-connector verify                        builds, tests, packs and installs the package, compares its manifest, writes a report;
                                                  --report <file> (quiesce-report.json), --with <package> (installed beside it; repeatable)

  --settings <file>   { "config": {...}, "secrets": {...} }; quiesce.dev.json if absent. Keep it out of version control.
  --package <folder>  the connector's package; the current folder if absent
`;

async function run(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      package: { type: "string", default: "." },
      settings: { type: "string", default: "quiesce.dev.json" },
      out: { type: "string", default: "test/fixtures" },
      report: { type: "string", default: "quiesce-report.json" },
      with: { type: "string", multiple: true, default: [] },
      limit: { type: "string", default: "10" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw new Error(`--limit: found "${values.limit}", expected a whole number from 1 to 10000`);
  const options: ToolOptions = { ...values, folder: values.package, limit };
  const [command, facet = "", stream = ""] = positionals;
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  if (command === "dev" && !values.help) await devConnector(facet, stream, options, print);
  else if (command === "record" && !values.help) await recordAnswers(facet, stream, options, print);
  else if (command === "verify" && !values.help) return (await verifyPackage(options, print)) ? 0 : 1;
  else {
    print(USAGE);
    return values.help ? 0 : 2;
  }
  return 0;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (thrown) {
  const kind = isConnectorError(thrown) ? `${thrown.kind}: ` : "";
  process.stderr.write(`${kind}${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
