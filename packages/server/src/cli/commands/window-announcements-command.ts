import { Command, InvalidArgumentError } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import {
  type AnnouncementAnswer,
  listAnnouncements,
  listRemoteDowntimes,
  type RemoteDowntimeAnswer,
} from "../operations/announcement-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";

const MOST = 10_000;

interface Options {
  readonly endpoint?: string;
  readonly all?: boolean;
  readonly theirs?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

/** `quiesce window announcements`: what monitors were told, and what others told them. */
export function windowAnnouncementsCommand(cli: Cli): Command {
  return new Command("announcements")
    .description("what monitors are told of windows: downtimes and silences, ours and with --theirs those of others")
    .argument("[window]", "the window's key")
    .option("-e, --endpoint <key>", "at one monitor")
    .option("-a, --all", "also what was withdrawn")
    .option("--theirs", "what others have announced there instead")
    .option("-n, --limit <count>", "at most so many (1 to 10000)", limitOf, 100)
    .option("--json", "print them as JSON")
    .action(async (window: string | undefined, options: Options) => {
      if (options.theirs === true) await showTheirs(cli, options);
      else await showOurs(cli, window, options);
    });
}

async function showOurs(cli: Cli, window: string | undefined, options: Options): Promise<void> {
  const filter = { window, endpoint: options.endpoint, states: options.all === true ? undefined : ["PENDING", "ANNOUNCED"] };
  const api = await cli.api();
  const found = await readPages(
    options.limit,
    async (page) => (await api.request(listAnnouncements, { ...page, filter })).monitorAnnouncements,
  );
  if (options.json === true) return printJson(cli, found);
  if (found.length === 0) return note(cli, "No monitor is told anything.");
  const columns = [
    { title: "MONITOR", value: (one: AnnouncementAnswer) => one.endpoint.key },
    { title: "WINDOW", value: (one: AnnouncementAnswer) => one.window.key },
    { title: "FROM", value: (one: AnnouncementAnswer) => formatLocalInstant(instantOf(one.startsAt)) },
    { title: "UNTIL", value: (one: AnnouncementAnswer) => formatLocalInstant(instantOf(one.endsAt)) },
    { title: "STATE", value: (one: AnnouncementAnswer) => one.state.toLowerCase() },
    { title: "ABOUT", value: (one: AnnouncementAnswer) => plainText(one.resources.join(", ")), flexible: true },
    { title: "PROBLEM", value: (one: AnnouncementAnswer) => plainText(one.problem ?? ""), flexible: true },
  ];
  print(cli, ...renderTable(columns, found, { width: cli.out.columns(), styles: cli.out.styles }));
}

async function showTheirs(cli: Cli, options: Options): Promise<void> {
  const api = await cli.api();
  const variables = { endpoint: options.endpoint };
  const found = await readPages(
    options.limit,
    async (page) => (await api.request(listRemoteDowntimes, { ...page, ...variables })).remoteDowntimes,
  );
  if (options.json === true) return printJson(cli, found);
  if (found.length === 0) return note(cli, "Nobody else has announced anything at the monitors.");
  const columns = [
    { title: "MONITOR", value: (one: RemoteDowntimeAnswer) => one.endpoint.key },
    { title: "FROM", value: (one: RemoteDowntimeAnswer) => formatLocalInstant(instantOf(one.startsAt)) },
    { title: "UNTIL", value: (one: RemoteDowntimeAnswer) => formatLocalInstant(instantOf(one.endsAt)) },
    { title: "BY", value: (one: RemoteDowntimeAnswer) => plainText(one.author ?? "") },
    { title: "ABOUT", value: (one: RemoteDowntimeAnswer) => plainText(one.resources.join(", ")), flexible: true },
    { title: "TITLE", value: (one: RemoteDowntimeAnswer) => plainText(one.title), flexible: true },
  ];
  print(cli, ...renderTable(columns, found, { width: cli.out.columns(), styles: cli.out.styles }));
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return limit;
  throw new InvalidArgumentError(`Expected 1 to ${MOST}.`);
}
