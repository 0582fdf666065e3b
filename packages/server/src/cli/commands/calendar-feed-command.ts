import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { createFeed, type FeedAnswer, listFeeds, revokeFeed } from "../operations/calendar-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";

const MOST_FEEDS = 10_000;

/** `quiesce calendar feed`: addresses that calendar programs read. */
export function calendarFeedCommand(cli: Cli): Command {
  return new Command("feed")
    .description("make, list and revoke the addresses under which calendar programs read windows")
    .addCommand(createCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(revokeCommand(cli));
}

interface CreateOptions {
  readonly title: string;
  readonly all?: boolean;
  readonly team?: string;
  readonly system?: string;
  readonly integration?: string;
  readonly tag?: string;
  readonly json?: boolean;
}

function createCommand(cli: Cli): Command {
  return new Command("create")
    .description("make a feed; its secret address is printed to standard output, this once")
    .requiredOption("--title <text>", "the calendar's name")
    .option("--all", "every window")
    .option("--team <name>", "windows that the team answers for, or that cover what it owns")
    .option("-s, --system <key>", "windows that cover an integration which touches the system")
    .option("-i, --integration <key>", "windows that cover the integration")
    .option("-t, --tag <tag>", "windows that cover an integration with the tag")
    .option("--json", "print the feed with its address as JSON")
    .action(async (options: CreateOptions) => {
      const input = { title: options.title, ...feedScopeOf(options) };
      const { createCalendarFeed: made } = await (await cli.api()).request(createFeed, { input });
      const { url } = await cli.connection();
      const address = `${url.replace(/\/+$/, "")}${made.path}`;
      if (options.json === true) {
        printJson(cli, { ...made, url: address });
        return;
      }
      note(
        cli,
        `Feed ${made.feed.key} (${plainText(made.feed.title)}). Keep the address now: it is not shown again, and whoever has it reads the calendar.`,
      );
      print(cli, address);
    });
}

function feedScopeOf(options: CreateOptions): { readonly scope: string; readonly name?: string } {
  const named = (["team", "system", "integration", "tag"] as const).filter((kind) => options[kind] !== undefined);
  const [kind, ...others] = named;
  if (others.length > 0 || (kind === undefined) !== (options.all === true))
    throw new CliError("usage", "Whose windows should the feed show? Say one of --all, --team, --system, --integration and --tag.");
  const name = kind === undefined ? undefined : options[kind];
  return kind === undefined || name === undefined ? { scope: "ALL" } : { scope: kind.toUpperCase(), name };
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list feeds, without their addresses")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const api = await cli.api();
      const found = await readPages(MOST_FEEDS, async (page) => (await api.request(listFeeds, page)).calendarFeeds);
      if (options.json === true) printJson(cli, found);
      else print(cli, ...feedLines(found, cli));
    });
}

function feedLines(feeds: readonly FeedAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  const state = (feed: FeedAnswer): string => (feed.revokedAt === null ? "valid" : "revoked");
  return renderTable(
    [
      { title: "FEED", value: (feed) => feed.key },
      { title: "TITLE", value: (feed) => feed.title, flexible: true },
      { title: "SHOWS", value: (feed) => (feed.name === null ? "all" : `${feed.scope.toLowerCase()} ${feed.name}`) },
      { title: "STATE", value: state, style: (text, feed) => (feed.revokedAt === null ? styles.green(text) : styles.dim(text)) },
      { title: "BEGINS", value: (feed) => `${feed.prefix}…` },
      { title: "LAST READ", value: (feed) => (feed.lastReadAt === null ? "never" : formatLocalInstant(instantOf(feed.lastReadAt))) },
      { title: "MADE BY", value: (feed) => feed.createdBy, flexible: true },
    ],
    feeds,
    { width: cli.out.columns(), styles },
  );
}

function revokeCommand(cli: Cli): Command {
  return new Command("revoke")
    .description("end a feed's address at once")
    .argument("<feed>", "the feed's number, as `calendar feed list` shows it")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the feed as JSON")
    .action(async (key: string, options: { readonly reason?: string; readonly json?: boolean }) => {
      const input = { key, ...(options.reason === undefined ? {} : { reason: options.reason }) };
      const { revokeCalendarFeed: revoked } = await (await cli.api()).request(revokeFeed, { input });
      if (options.json === true) printJson(cli, revoked);
      else print(cli, `Feed ${revoked.key} (${plainText(revoked.title)}) is revoked.`);
    });
}
