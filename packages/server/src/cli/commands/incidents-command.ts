import { Command, Option } from "commander";
import { alertSeverities, incidentStates } from "@quiesce/core";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import {
  answerIncidentOffer,
  assignIncident,
  type IncidentAnswer,
  incidentTimeline,
  linkIncidentToProblem,
  listIncidents,
  mergeIncidents,
  moveIncident,
  noteIncident,
  offerIncident,
  showIncident,
  splitIncident,
  type TimelineAnswer,
  unlinkIncidentFromProblem,
} from "../operations/incident-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { listLimit } from "./integration-lists.js";

/** What is printed of a timeline, unless more is asked for. */
const TIMELINE = 100;

interface JsonOption {
  readonly json?: boolean;
}

/** `quiesce incidents`: what alerts come to, and what is done about it. */
export function incidentsCommand(cli: Cli): Command {
  const command = new Command("incidents").description("what alerts come to, and what is done about it");
  for (const one of [
    listCommand,
    showCommand,
    ...moves.map((move) => (to: Cli) => moveCommand(to, move)),
    noteCommand,
    assignCommand,
    offerCommand,
  ])
    command.addCommand(one(cli));
  for (const one of [acceptCommand, declineCommand, mergeCommand, splitCommand, linkCommand, unlinkCommand]) command.addCommand(one(cli));
  return command;
}

function listCommand(cli: Cli): Command {
  const several = (text: string, before: readonly string[] = []) => [...before, text];
  return new Command("list")
    .description("list incidents, the newest first")
    .addOption(new Option("--state <state>", "in this state; may be given again").choices(incidentStates).argParser(several))
    .addOption(new Option("--severity <severity>", "with this severity; may be given again").choices(alertSeverities).argParser(several))
    .option("--system <key>", "with their root at this system")
    .option("--team <key>", "of this team")
    .option("--problem <number>", "linked to this problem")
    .option("-a, --all", "also those that are closed or merged")
    .option("-n, --limit <count>", "at most so many (1 to 1000)", listLimit, 50)
    .option("--json", "print them as JSON")
    .action(
      async (
        options: {
          readonly state?: readonly string[];
          readonly severity?: readonly string[];
          readonly system?: string;
          readonly team?: string;
          readonly problem?: string;
          readonly all?: boolean;
          readonly limit: number;
        } & JsonOption,
      ) => {
        const { state, severity, system, team, problem, all, limit, json } = options;
        const shown = state ?? (all === true ? undefined : incidentStates.filter((one) => one !== "closed" && one !== "merged"));
        const filter = {
          ...(shown === undefined ? {} : { states: shown.map(capitals) }),
          ...(severity === undefined ? {} : { severities: severity.map(capitals) }),
          ...(system === undefined ? {} : { system }),
          ...(team === undefined ? {} : { team }),
          ...(problem === undefined ? {} : { problem }),
        };
        const api = await cli.api();
        const found = await readPages(limit, async (page) => (await api.request(listIncidents, { ...page, filter })).incidents);
        if (json === true) return printJson(cli, found);
        if (found.length === 0) return note(cli, "There is no such incident.");
        print(cli, ...incidentTable(cli, found));
      },
    );
}

/** Incidents as a table, one a line. */
export function incidentTable(cli: Cli, incidents: readonly IncidentAnswer[]): readonly string[] {
  return renderTable(
    [
      { title: "NUMBER", value: (one: IncidentAnswer) => one.key, align: "right" },
      { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.startedAt)) },
      { title: "STATE", value: (one) => words(one.state) },
      { title: "SEVERITY", value: (one) => words(one.severity) },
      { title: "ROOT", value: (one) => plainText(one.root) },
      { title: "ALERTS", value: (one) => `${one.firingCount}/${one.alertCount}`, align: "right" },
      { title: "WITH", value: (one) => plainText(one.assignee ?? one.ownerTeam ?? "nobody") },
      { title: "WHAT", value: (one) => plainText(one.title), flexible: true },
    ],
    incidents,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show an incident with its timeline: alerts, what was done, and windows, failed runs and changes near it")
    .argument("<number>", "its number")
    .option("-n, --limit <count>", "at most so much of the timeline (1 to 1000)", listLimit, TIMELINE)
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly limit: number } & JsonOption) => {
      const api = await cli.api();
      const { incident } = await api.request(showIncident, { key });
      if (incident === null)
        throw new CliError("refused", `There is no incident ${key}. List them: quiesce incidents list.`, {
          code: "QSC_INCIDENT_NOT_FOUND",
        });
      const nothing = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } };
      const timeline = await readPages(
        options.limit,
        async (page) => (await api.request(incidentTimeline, { key, ...page })).incident?.timeline ?? nothing,
      );
      if (options.json === true) return printJson(cli, { ...incident, timeline });
      print(cli, ...linesOf(cli, incident), ...timeline.map((item) => timelineLine(cli, item)));
    });
}

function linesOf(cli: Cli, incident: IncidentAnswer): readonly string[] {
  const { styles } = cli.out;
  const { key, state, severity, title, root, ownerTeam, assignee, offeredTo, holdReason, mergedInto, problem, integrations } = incident;
  const facts = [
    `root ${plainText(root)}`,
    `${incident.firingCount} of ${incident.alertCount} alerts fire`,
    `team ${plainText(ownerTeam ?? "none")}`,
    ...(assignee === null ? [] : [`${plainText(assignee)} works on it`]),
    ...(offeredTo === null ? [] : [`offered to ${plainText(offeredTo)}`]),
    ...(holdReason === null ? [] : [`waits: ${plainText(holdReason)}`]),
    ...(mergedInto === null ? [] : [`merged into ${mergedInto.key}`]),
    ...(problem === null ? [] : [`problem ${problem.key}`]),
  ];
  return [
    `${styles.bold(`incident ${key}`)}  ${words(state)}  ${words(severity)}  ${plainText(title)}`,
    `  ${facts.join(", ")}`,
    ...(integrations.length === 0 ? [] : [styles.dim(`  integrations: ${integrations.map((one) => plainText(one.key)).join(", ")}`)]),
  ];
}

function timelineLine(cli: Cli, { at, kind, actor, text }: TimelineAnswer): string {
  const by = actor === null ? "" : ` (${plainText(actor)})`;
  return `  ${cli.out.styles.dim(formatLocalInstant(instantOf(at)))}  ${words(kind).padEnd(14)}  ${plainText(text)}${by}`;
}

interface Move {
  readonly name: string;
  readonly state: string;
  readonly description: string;
  readonly needsReason: boolean;
}

const moves: readonly Move[] = [
  { name: "ack", state: "ACKNOWLEDGED", description: "say that you have seen it and take it", needsReason: false },
  { name: "start", state: "IN_PROGRESS", description: "say that you work on it", needsReason: false },
  { name: "hold", state: "ON_HOLD", description: "say that it waits for something outside", needsReason: true },
  { name: "resolve", state: "RESOLVED", description: "say that it is over, before its alerts say so", needsReason: false },
  { name: "close", state: "CLOSED", description: "say that nothing is left to do", needsReason: false },
  { name: "reopen", state: "OPEN", description: "open one again that was resolved", needsReason: true },
];

function moveCommand(cli: Cli, { name, state, description, needsReason }: Move): Command {
  const command = new Command(name).description(description).argument("<number>", "its number");
  if (needsReason) command.requiredOption("-r, --reason <text>", "why; stays on its timeline");
  else command.option("-r, --reason <text>", "why; stays on its timeline");
  if (state === "RESOLVED") command.option("--even-if-firing", "although alerts still fire; wants a reason");
  return command
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly reason?: string; readonly evenIfFiring?: boolean } & JsonOption) => {
      const { reason, evenIfFiring } = options;
      const input = { key, state, ...(reason === undefined ? {} : { reason }), ...(evenIfFiring === true ? { evenIfFiring } : {}) };
      done(cli, (await (await cli.api()).request(moveIncident, { input })).moveIncident, options);
    });
}

function noteCommand(cli: Cli): Command {
  return new Command("note")
    .description("write a note on its timeline")
    .argument("<number>", "its number")
    .argument("<text>", "the note")
    .option("--json", "print the incident as JSON")
    .action(async (key: string, text: string, options: JsonOption) => {
      done(cli, (await (await cli.api()).request(noteIncident, { input: { key, text } })).noteIncident, options);
    });
}

function assignCommand(cli: Cli): Command {
  return new Command("assign")
    .description("say who works on it; without a name, nobody")
    .argument("<number>", "its number")
    .argument("[name]", "who")
    .option("-r, --reason <text>", "why; stays on its timeline")
    .option("--json", "print the incident as JSON")
    .action(async (key: string, assignee: string | undefined, options: { readonly reason?: string } & JsonOption) => {
      const input = {
        key,
        ...(assignee === undefined ? {} : { assignee }),
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      };
      done(cli, (await (await cli.api()).request(assignIncident, { input })).assignIncident, options);
    });
}

function offerCommand(cli: Cli): Command {
  return new Command("offer")
    .description("ask another team to take it over; it stays where it is until they accept")
    .argument("<number>", "its number")
    .argument("<team>", "the team's key")
    .requiredOption("-r, --reason <text>", "why; the team is told")
    .option("--json", "print the incident as JSON")
    .action(async (key: string, team: string, options: { readonly reason: string } & JsonOption) => {
      const input = { key, team, reason: options.reason };
      done(cli, (await (await cli.api()).request(offerIncident, { input })).offerIncident, options);
    });
}

function acceptCommand(cli: Cli): Command {
  return new Command("accept")
    .description("take over an incident that your team is offered")
    .argument("<number>", "its number")
    .option("-r, --reason <text>", "a word about it; stays on its timeline")
    .option("--json", "print the incident as JSON")
    .action(async (key: string, options: { readonly reason?: string } & JsonOption) => {
      const input = { key, accept: true, ...(options.reason === undefined ? {} : { reason: options.reason }) };
      done(cli, (await (await cli.api()).request(answerIncidentOffer, { input })).answerIncidentOffer, options);
    });
}

function declineCommand(cli: Cli): Command {
  return new Command("decline")
    .description("leave an incident that your team is offered where it is")
    .argument("<number>", "its number")
    .requiredOption("-r, --reason <text>", "why; stays on its timeline")
    .option("--json", "print the incident as JSON")
    .action(async (key: string, options: { readonly reason: string } & JsonOption) => {
      const input = { key, accept: false, reason: options.reason };
      done(cli, (await (await cli.api()).request(answerIncidentOffer, { input })).answerIncidentOffer, options);
    });
}

function mergeCommand(cli: Cli): Command {
  return new Command("merge")
    .description("put an incident under another of the same cause, for good")
    .argument("<number>", "the one that goes")
    .argument("<into>", "the one that stands for it")
    .requiredOption("-r, --reason <text>", "why; stays on both timelines")
    .option("--json", "print the one that stands for both as JSON")
    .action(async (key: string, into: string, options: { readonly reason: string } & JsonOption) => {
      const input = { key, into, reason: options.reason };
      done(cli, (await (await cli.api()).request(mergeIncidents, { input })).mergeIncidents, options);
    });
}

function splitCommand(cli: Cli): Command {
  return new Command("split")
    .description("take alerts out of an incident into a new one")
    .argument("<number>", "its number")
    .argument("<alerts...>", "the alerts, by number")
    .requiredOption("-r, --reason <text>", "why; stays on both timelines")
    .option("--json", "print the new one as JSON")
    .action(async (key: string, alerts: readonly string[], options: { readonly reason: string } & JsonOption) => {
      const input = { key, alerts: [...alerts], reason: options.reason };
      done(cli, (await (await cli.api()).request(splitIncident, { input })).splitIncident, options);
    });
}

function linkCommand(cli: Cli): Command {
  return new Command("link")
    .description("say that an incident is one more time of a problem, whatever its root is")
    .argument("<number>", "the incident's number")
    .argument("<problem>", "the problem's number")
    .requiredOption("-r, --reason <text>", "why; stays on its timeline")
    .option("--json", "print the incident as JSON")
    .action(async (key: string, problem: string, options: { readonly reason: string } & JsonOption) => {
      const input = { key, problem, reason: options.reason };
      done(cli, (await (await cli.api()).request(linkIncidentToProblem, { input })).linkIncidentToProblem, options);
    });
}

function unlinkCommand(cli: Cli): Command {
  return new Command("unlink")
    .description("take an incident out of its problem: it had another cause")
    .argument("<number>", "the incident's number")
    .requiredOption("-r, --reason <text>", "why; stays on its timeline")
    .option("--json", "print the incident as JSON")
    .action(async (key: string, options: { readonly reason: string } & JsonOption) => {
      const input = { key, reason: options.reason };
      done(cli, (await (await cli.api()).request(unlinkIncidentFromProblem, { input })).unlinkIncidentFromProblem, options);
    });
}

function done(cli: Cli, incident: IncidentAnswer, { json }: JsonOption): void {
  if (json === true) return printJson(cli, incident);
  print(cli, ...linesOf(cli, incident));
}

function capitals(word: string): string {
  return word.toUpperCase().replaceAll("-", "_");
}

function words(text: string): string {
  return text.toLowerCase().replaceAll("_", " ");
}
