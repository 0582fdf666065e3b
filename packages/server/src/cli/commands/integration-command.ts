import { Command, InvalidArgumentError } from "commander";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { diffVersions, listVersions, rollbackIntegration, type VersionAnswer } from "../operations/integration-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { changesSummary, renderChanges } from "../output/render-changes.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { listLimit, MOST_LISTED, unknownIntegration } from "./integration-lists.js";
import { cancelTrialCommand, tryCommand, trialCommand, trialsCommand } from "./integration-trial-commands.js";

/** `quiesce integration`: what an integration's definition was, and what another one would do. */
export function integrationCommand(cli: Cli): Command {
  return new Command("integration")
    .description("versions of an integration's definition: see, compare, bring back; and try other mappings")
    .addCommand(versionsCommand(cli))
    .addCommand(diffCommand(cli))
    .addCommand(rollbackCommand(cli))
    .addCommand(tryCommand(cli))
    .addCommand(trialsCommand(cli))
    .addCommand(trialCommand(cli))
    .addCommand(cancelTrialCommand(cli));
}

function versionsCommand(cli: Cli): Command {
  return new Command("versions")
    .description("list the definitions that an integration has had, the newest first")
    .argument("<integration>", "its key")
    .option("-n, --limit <count>", `at most so many (1 to ${MOST_LISTED})`, listLimit, 50)
    .option("--json", "print them as JSON")
    .action(async (key: string, options: { readonly limit: number; readonly json?: boolean }) => {
      const api = await cli.api();
      const versions = await readPages(options.limit, async (page) => {
        const { integration } = await api.request(listVersions, { key, ...page });
        if (integration === null) throw unknownIntegration(key);
        return integration.versions;
      });
      if (options.json === true) return printJson(cli, versions);
      if (versions.length === 0) return note(cli, "Its definition was not changed since versions are kept.");
      print(cli, ...versionLines(cli, versions));
    });
}

function versionLines(cli: Cli, versions: readonly VersionAnswer[]): readonly string[] {
  const origin = ({ origin: why, restores }: VersionAnswer) => (restores === null ? why.toLowerCase() : `rollback to ${restores}`);
  return renderTable(
    [
      { title: "VERSION", value: (one) => String(one.number), align: "right" },
      { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.at)) },
      { title: "BY", value: (one) => plainText(one.actor), flexible: true },
      { title: "FROM", value: origin },
      { title: "WHY", value: (one) => plainText(one.reason ?? ""), flexible: true },
    ],
    versions,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

function diffCommand(cli: Cli): Command {
  return new Command("diff")
    .description("what differs between two versions of a definition")
    .argument("<integration>", "its key")
    .argument("<from>", "the number of the one version", versionNumber)
    .argument("<to>", "the number of the other one", versionNumber)
    .option("--json", "print it as JSON")
    .action(async (integration: string, from: number, to: number, options: { readonly json?: boolean }) => {
      const { integrationVersionDiff: fields } = await (await cli.api()).request(diffVersions, { integration, from, to });
      if (options.json === true) return printJson(cli, fields);
      if (fields.length === 0) return note(cli, `Versions ${from} and ${to} are the same.`);
      print(cli, ...renderChanges([{ kind: "UPDATE", objectType: "integration", key: integration, fields }], cli.out));
    });
}

interface RollbackOptions {
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

function rollbackCommand(cli: Cli): Command {
  return new Command("rollback")
    .description("bring a former definition back, as a new version")
    .argument("<integration>", "its key")
    .argument("<version>", "the number of the version that is wanted again", versionNumber)
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("-y, --yes", "do not ask (only a terminal is asked at all)")
    .option("--json", "print what was done as JSON")
    .action(async (integration: string, version: number, options: RollbackOptions) => {
      if (!(await confirmed(cli, `Bring version ${version} of "${integration}" back?`, options))) {
        note(cli, "Nothing was changed.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const input = { integration, version, reason: options.reason };
      const { rollbackIntegration: done } = await (await cli.api()).request(rollbackIntegration, { input });
      if (options.json === true) return printJson(cli, done);
      if (done.changes.length === 0) return note(cli, `The definition of version ${version} is in force.`);
      print(cli, ...renderChanges(done.changes, cli.out), cli.out.styles.green(`${changesSummary(done.changes, "done")}.`));
    });
}

function versionNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 2_147_483_647)
    throw new InvalidArgumentError("Expected the number of a version, such as 3.");
  return number;
}
