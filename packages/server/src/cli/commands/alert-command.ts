import { Command, InvalidArgumentError, Option } from "commander";
import { alertSeverities } from "@quiesce/core";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { listAlerts, showAlert, type ShownAlertAnswer } from "../operations/alert-operations.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";

const MOST = 10_000;

interface ListOptions {
  readonly endpoint?: string;
  readonly resource?: string;
  readonly severity?: readonly string[];
  readonly incident?: string;
  readonly muted?: boolean;
  readonly all?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

/** `quiesce alert`: what monitors say is wrong. */
export function alertCommand(cli: Cli): Command {
  return new Command("alert").description("what monitors say is wrong").addCommand(listCommand(cli)).addCommand(showCommand(cli));
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show an alert: its incident, and why it is kept quiet or marked")
    .argument("<number>", "its number")
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly json?: boolean }) => {
      const { alert } = await (await cli.api()).request(showAlert, { key });
      if (alert === null)
        throw new CliError("refused", `There is no alert ${key}. List them: quiesce alert list --all.`, { code: "QSC_ALERT_NOT_FOUND" });
      if (options.json === true) return printJson(cli, alert);
      print(cli, ...linesOf(cli, alert));
    });
}

function linesOf(cli: Cli, alert: ShownAlertAnswer): readonly string[] {
  const { styles } = cli.out;
  const { key, status, severity, title, startedAt, endedAt, endpoint, resourceName, resourceParents, isMuted, incident, reasons, url } =
    alert;
  const times = [startedAt, ...(endedAt === null ? [] : [endedAt])].map((at) => formatLocalInstant(instantOf(at)));
  const facts = [
    `${plainText(resourceName)} at ${endpoint.key}`,
    ...(resourceParents.length === 0 ? [] : [`behind ${resourceParents.map(plainText).join(", ")}`]),
    incident === null ? "in no incident" : `incident ${incident.key}`,
    ...(isMuted ? ["kept quiet"] : []),
  ];
  return [
    `${styles.bold(`alert ${key}`)}  ${status.toLowerCase()}  ${severity.toLowerCase()}  ${plainText(title)}`,
    `  ${times.join(" to ")}, ${facts.join(", ")}`,
    ...(url === null ? [] : [styles.dim(`  ${plainText(url)}`)]),
    ...reasons.map((one) => {
      const ended = one.endedAt === null ? "" : styles.dim(` (until ${formatLocalInstant(instantOf(one.endedAt))})`);
      return `  ${one.kind.toLowerCase()}${one.mutes ? ", quiet" : ""}: ${plainText(one.reason)} ${styles.dim(plainText(one.path))}${ended}`;
    }),
  ];
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("what fires now, the newest first")
    .option("-e, --endpoint <key>", "of one monitor")
    .option("--resource <name>", "about one resource, by its name at the monitor")
    .addOption(new Option("--severity <severity...>", "with these severities").choices(alertSeverities))
    .option("--incident <number>", "of one incident")
    .option("--muted", "only what is kept quiet")
    .option("-a, --all", "also what is over")
    .option("-n, --limit <count>", "at most so many (1 to 10000)", limitOf, 100)
    .option("--json", "print them as JSON")
    .action(async (options: ListOptions) => {
      const filter = {
        endpoint: options.endpoint,
        resource: options.resource,
        severities: options.severity?.map((severity) => severity.toUpperCase()),
        incident: options.incident,
        muted: options.muted,
        statuses: options.all === true ? undefined : ["FIRING"],
      };
      const api = await cli.api();
      const alerts = await readPages(options.limit, async (page) => (await api.request(listAlerts, { ...page, filter })).alerts);
      if (options.json === true) return printJson(cli, alerts);
      if (alerts.length === 0) return note(cli, options.all === true ? "No alerts." : "Nothing fires.");
      print(
        cli,
        ...renderTable(
          [
            { title: "NUMBER", value: (one) => one.key, align: "right" },
            { title: "SEVERITY", value: (one) => one.severity.toLowerCase() },
            { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.startedAt)) },
            { title: "UNTIL", value: (one) => untilOf(instantOrNull(one.endedAt)) },
            { title: "MONITOR", value: (one) => one.endpoint.key },
            { title: "RESOURCE", value: (one) => plainText(one.resourceName), flexible: true },
            { title: "WHAT", value: (one) => plainText(one.title), flexible: true },
          ],
          alerts,
          { width: cli.out.columns(), styles: cli.out.styles },
        ),
      );
    });
}

const untilOf = (instant: number | null): string => (instant === null ? "" : formatLocalInstant(instant));

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return limit;
  throw new InvalidArgumentError(`Expected 1 to ${MOST}.`);
}
