import { Command } from "commander";
import { type Cli, print, printJson } from "../cli.js";
import { readZoneData, zoneDataDiff } from "../operations/zone-operations.js";
import { renderZoneData, renderZoneDataDiff } from "../output/render-zones.js";

interface ZonesOptions {
  readonly to: string;
  readonly json?: boolean;
}

const ofServer: ReadonlySet<string> = new Set(["restart", "packaged", "system"]);

/** `quiesce zones`: the time zone data in force, and what other ones would move. */
export function zonesCommand(cli: Cli): Command {
  return new Command("zones")
    .description("the time zone data that the server computes with, and what other ones would move")
    .addCommand(showCommand(cli))
    .addCommand(diffCommand(cli));
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show the version in force, and what the last change of it moved")
    .option("--json", "print it as JSON")
    .action(async (options: ZonesOptions) => {
      const { zoneData } = await (await cli.api()).request(readZoneData);
      if (options.json === true) printJson(cli, zoneData);
      else print(cli, ...renderZoneData(zoneData, cli.out));
    });
}

function diffCommand(cli: Cli): Command {
  return new Command("diff")
    .description("show which occurrences and due times of the next 90 days other zone data would move; puts nothing in force")
    .option(
      "--to <data>",
      "restart (what the server would find if it were started now), packaged, system, or a folder of zone files on this machine",
      "restart",
    )
    .option("--json", "print it as JSON; at most 1,000 of each list")
    .action(async (options: ZonesOptions) => {
      const api = await cli.api();
      const variables = ofServer.has(options.to)
        ? { to: options.to.toUpperCase() }
        : { to: "FILES", files: await packedFolder(options.to) };
      const { zoneDataDiff: diff } = await api.request(zoneDataDiff, variables);
      if (options.json === true) printJson(cli, diff);
      else print(cli, ...renderZoneDataDiff(diff, cli.out));
    });
}

/** The folder is read here: the server reads no path that somebody sends. */
async function packedFolder(folder: string): Promise<{ readonly version: string; readonly source: string; readonly packed: string }> {
  const [{ readZoneinfo }, { packZoneFiles }] = await Promise.all([
    import("../../zone-data/read-zoneinfo.js"),
    import("../../zone-data/zone-data-files.js"),
  ]);
  const { version, files } = await readZoneinfo(folder);
  return { version, source: folder, packed: packZoneFiles(files).toString("base64") };
}
