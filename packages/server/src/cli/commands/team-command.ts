import { Command } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { listDeliveries, listTeams, redeliver, testTeam } from "../operations/team-operations.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";

const MOST_TEAMS = 10_000;
const USUAL_DELIVERIES = 50;

/** `quiesce team`: who is told about windows, and what they were told. */
export function teamCommand(cli: Cli): Command {
  return new Command("team")
    .description("teams that are told about windows and incidents: try their webhooks and mails, see and repeat what was sent")
    .addCommand(listCommand(cli))
    .addCommand(testCommand(cli))
    .addCommand(deliveriesCommand(cli))
    .addCommand(redeliverCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("teams and where they are told; they are made with `quiesce apply`")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const api = await cli.api();
      const teams = await readPages(MOST_TEAMS, async (page) => (await api.request(listTeams, page)).teams);
      if (options.json === true) return printJson(cli, teams);
      const rows = teams.flatMap((team) => {
        const mails = team.mails.map(({ to, pending }) => ({ destination: `mailto:${to}`, pending, disabledAt: null }));
        const ways = [...team.webhooks, ...mails];
        return (ways.length === 0 ? [null] : ways).map((hook) => ({ team, hook }));
      });
      print(
        cli,
        ...renderTable(
          [
            { title: "TEAM", value: ({ team }) => team.key },
            { title: "TITLE", value: ({ team }) => plainText(team.title), flexible: true },
            { title: "TOLD AT", value: ({ hook }) => hook?.destination ?? "(nowhere)", flexible: true },
            { title: "WAITING", value: ({ hook }) => String(hook?.pending ?? 0), align: "right" },
            { title: "", value: ({ hook }) => (hook === null || hook.disabledAt === null ? "" : "disabled: 410 Gone") },
          ],
          rows,
          { width: cli.out.columns(), styles: cli.out.styles },
        ),
      );
    });
}

function testCommand(cli: Cli): Command {
  return new Command("test")
    .description(
      "send a test message to every webhook and mail address of a team and print the answers; exit code 1 when one did not take it",
    )
    .argument("<team>", "the team's key")
    .option("--json", "print the answers as JSON")
    .action(async (key: string, options: { readonly json?: boolean }) => {
      const { testTeam: answers } = await (await cli.api()).request(testTeam, { input: { key } });
      if (options.json === true) printJson(cli, answers);
      else
        for (const one of answers) {
          const status = one.status === null ? (one.ok ? "mail" : "no answer") : `HTTP ${one.status}`;
          const text = one.answer === "" ? "" : `: ${plainText(one.answer)}`;
          const enabled = one.enabled ? " It was disabled and is told again from now on." : "";
          print(
            cli,
            `${one.ok ? cli.out.styles.green("ok") : cli.out.styles.red("failed")}  ${one.destination}  ${status}${text}${enabled}`,
          );
        }
      if (answers.some((one) => !one.ok)) cli.exitCode = exitCodes.refused;
    });
}

function deliveriesCommand(cli: Cli): Command {
  return new Command("deliveries")
    .description("messages to teams, newest first; kept for 30 days")
    .option("--team <key>", "only to this team")
    .option("-w, --window <key>", "only about this window")
    .option("--failed", "only those that were given up")
    .option("--pending", "only those that wait")
    .option("--json", "print them as JSON")
    .action(
      async (options: {
        readonly team?: string;
        readonly window?: string;
        readonly failed?: boolean;
        readonly pending?: boolean;
        readonly json?: boolean;
      }) => {
        const state = [...(options.failed === true ? ["FAILED"] : []), ...(options.pending === true ? ["PENDING"] : [])];
        const filter = {
          ...(options.team === undefined ? {} : { team: options.team }),
          ...(options.window === undefined ? {} : { window: options.window }),
          ...(state.length === 0 ? {} : { state }),
        };
        const { deliveries } = await (await cli.api()).request(listDeliveries, { first: USUAL_DELIVERIES, filter });
        if (options.json === true) return printJson(cli, deliveries.nodes);
        const now = cli.clock.wallMs();
        print(
          cli,
          ...renderTable(
            [
              { title: "NUMBER", value: (one) => one.key, align: "right" },
              { title: "WHEN", value: (one) => formatLocalInstant(instantOf(one.at)) },
              { title: "EVENT", value: (one) => one.kind },
              { title: "TEAM", value: (one) => one.team, flexible: true },
              { title: "TO", value: (one) => one.destination, flexible: true },
              { title: "STATE", value: (one) => one.state.toLowerCase() },
              { title: "TRIES", value: (one) => String(one.attempts), align: "right" },
              { title: "", value: (one) => whyOf(one, now) },
            ],
            deliveries.nodes,
            { width: cli.out.columns(), styles: cli.out.styles },
          ),
        );
        if (deliveries.pageInfo.hasNextPage) note(cli, `These are the newest ${USUAL_DELIVERIES}; the query deliveries has the others.`);
      },
    );
}

function whyOf(one: { readonly lastError: string | null; readonly nextAt: string | null }, now: number): string {
  const next = instantOrNull(one.nextAt);
  if (one.lastError === null) return "";
  return next === null || next <= now ? plainText(one.lastError) : `${plainText(one.lastError)}; next try ${formatLocalInstant(next)}`;
}

function redeliverCommand(cli: Cli): Command {
  return new Command("redeliver")
    .description("send a message that was delivered or given up once more, under its old id")
    .argument("<number>", "the message's number, as `quiesce team deliveries` shows it")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the message as JSON")
    .action(async (key: string, options: { readonly reason?: string; readonly json?: boolean }) => {
      const input = { key, ...(options.reason === undefined ? {} : { reason: options.reason }) };
      const { redeliver: ordered } = await (await cli.api()).request(redeliver, { input });
      if (options.json === true) printJson(cli, ordered);
      else print(cli, `The message ${ordered.key} (${ordered.kind}) goes to ${ordered.destination} once more.`);
    });
}
