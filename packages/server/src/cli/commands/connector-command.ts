import { resolve } from "node:path";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { type ConnectorAnswer, listConnectors, reloadConnectors } from "../operations/connector-operations.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";

/** `quiesce connector`: what reaches systems, and the packages it comes in. */
export function connectorCommand(cli: Cli): Command {
  return new Command("connector")
    .description("connectors: which there are, loading them anew, and the integrity of a package")
    .addCommand(listCommand(cli))
    .addCommand(reloadCommand(cli))
    .addCommand(integrityCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("connectors of the server, failed ones too; exit code 1 when one has failed")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const { connectors } = await (await cli.api()).request(listConnectors);
      if (options.json === true) printJson(cli, connectors);
      else print(cli, ...tableOf(cli, connectors));
      if (connectors.some(({ state }) => state === "FAILED")) cli.exitCode = exitCodes.refused;
    });
}

function reloadCommand(cli: Cli): Command {
  return new Command("reload")
    .description("bring the connectors of the server to what its list of packages says now; exit code 1 when one fails")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print what changed as JSON")
    .action(async (options: { readonly reason?: string; readonly json?: boolean }) => {
      const input = options.reason === undefined ? {} : { reason: options.reason };
      const { reloadConnectors: answer } = await (await cli.api()).request(reloadConnectors, { input });
      if (options.json === true) printJson(cli, answer);
      else {
        const changes = (["added", "changed", "removed", "failed"] as const).flatMap((what) =>
          answer[what].map((name) => `${what} ${name}`),
        );
        print(cli, changes.length === 0 ? "Nothing has changed." : `${changes.join(", ")}.`, ...tableOf(cli, answer.connectors));
      }
      if (answer.failed.length > 0) cli.exitCode = exitCodes.refused;
    });
}

function integrityCommand(cli: Cli): Command {
  return new Command("integrity")
    .description("print the integrity of an installed package, for the list of packages")
    .argument("<folder>", "the package's folder, such as node_modules/@acme/quiesce-connector-erp")
    .option("--json", "print it as JSON")
    .action(async (folder: string, options: { readonly json?: boolean }) => {
      const { packageDigest } = await import("../../connector-host/packages/package-digest.js");
      const digest = await packageDigest(resolve(folder)).catch((error: unknown) => {
        throw new CliError("refused", `${folder}: ${error instanceof Error ? error.message : String(error)}`);
      });
      if (options.json === true) printJson(cli, { integrity: digest });
      else print(cli, digest);
    });
}

function tableOf(cli: Cli, connectors: readonly ConnectorAnswer[]): readonly string[] {
  const rows = renderTable(
    [
      { title: "NAME", value: (one: ConnectorAnswer) => one.name },
      { title: "VERSION", value: (one) => one.version ?? "" },
      { title: "PACKAGE", value: (one) => plainText(one.package ?? "(comes with Quiesce)"), flexible: true },
      { title: "RUNS", value: (one) => one.isolation.toLowerCase() },
      { title: "STATE", value: (one) => one.state.toLowerCase() },
      { title: "CAN", value: (one) => one.facets.map(({ name }) => name).join(" "), flexible: true },
    ],
    connectors,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
  const reasons = connectors.flatMap(({ name, reason }) => (reason === null ? [] : [`${name}: ${plainText(reason)}`]));
  return [...rows, ...reasons];
}
