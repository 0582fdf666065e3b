import { catchUpPolicies, drainEndings, windowKinds } from "@quiesce/core";
import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import type { GraphqlClient } from "../graphql-client.js";
import { previewResume, previewStandingWindow, previewWindow, type WindowPreviewAnswer } from "../operations/preview-operations.js";
import { createWindow, windowOccurrences } from "../operations/window-operations.js";
import type { WindowAnswer } from "../operations/shapes.js";
import { terminalZone } from "../output/format-time.js";
import { renderPreview } from "../output/render-preview.js";
import { renderResumePreview } from "../output/render-resume-preview.js";
import { isoDurationOf, minutesOf } from "../parse-time.js";
import { addScopeOptions, requiredScopeOf, type ScopeInput, type ScopeOptions } from "../scope-options.js";

interface PlanOptions extends ScopeOptions {
  readonly title?: string;
  readonly key?: string;
  readonly start?: string;
  readonly end?: string;
  readonly duration?: string;
  readonly zone?: string;
  readonly rrule?: string;
  readonly businessDays?: string;
  readonly onHoliday?: string;
  readonly calendar?: string;
  readonly weekend?: string;
  readonly exdate?: readonly string[];
  readonly rdate?: readonly string[];
  readonly dst: "cover" | "rfc";
  readonly kind: string;
  readonly mode: "enforce" | "observe";
  readonly drainLead?: string;
  readonly drainDeadline?: string;
  readonly atDeadline?: "abort" | "leave";
  readonly readiness: boolean;
  readonly maxWait?: string;
  readonly canaries?: string;
  readonly failureBound?: string;
  readonly owner?: string;
  readonly reason?: string;
  readonly confirmLong?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

function addPlanOptions(command: Command): Command {
  return addScopeOptions(
    command
      .option("--title <text>", "its name for people")
      .option("--key <key>", "its stable name (default: made from the title)")
      .option("--start <local>", "local start of the first occurrence: 2026-12-06T02:00")
      .option("--end <local>", "local end of the first occurrence: 2026-12-06T06:00, or 06:00 (on the next day where that is earlier)")
      .option("--duration <duration>", "instead of an end: 4h, 90m, 1d")
      .option("--zone <zone>", "IANA zone of these times: Europe/Madrid (default: this terminal's)")
      .option("--rrule <rule>", 'RFC 5545 recurrence: "FREQ=MONTHLY;BYDAY=1SU" (default: once)')
      .addOption(
        new Option("--business-days <of:which>", 'instead of a rule: "month:1", "quarter:-2,-1" (1 is the first, -1 the last)').conflicts(
          "rrule",
        ),
      )
      .addOption(new Option("--on-holiday <what>", "dates of the rule that are no business days").choices(["skip", "next", "previous"]))
      .option("--calendar <key>", "the holiday calendar that business days are counted by")
      .option("--weekend <days>", "weekdays that are no business days (default: SA,SU)")
      .option("--exdate <local>", "a local start that does not happen (repeat for more)", collect)
      .option("--rdate <local>", "a local start that happens besides (repeat for more)", collect)
      .addOption(
        new Option("--dst <policy>", "how a night with a clock change is read: cover holds both readings")
          .choices(["cover", "rfc"])
          .default("cover"),
      ),
  )
    .addOption(
      new Option("--kind <kind>", "what it does: maintenance holds everything, freeze only what writes")
        .choices(windowKinds)
        .default("maintenance"),
    )
    .addOption(new Option("--mode <mode>", "enforce holds runs, observe only records").choices(["enforce", "observe"]).default("enforce"))
    .option(
      "--drain-lead <duration>",
      "keep back runs that would not finish at most so long before the start; 0 keeps none back (default: 30m)",
    )
    .option(
      "--drain-deadline <duration>",
      "so long after the start, what is still in flight meets --at-deadline (default: it is waited for)",
    )
    .addOption(
      new Option(
        "--at-deadline <what>",
        "abort tells it to stop and runs it after the window, leave lets it finish (default: abort)",
      ).choices(drainEndings),
    )
    .option("--no-readiness", "release it at its end without asking its systems whether they are ready")
    .option("--max-wait <duration>", "after so long without a passing check it is overrun (default: 30m)")
    .option("--canaries <n>", "so many runs go first on each target system when it is released; 0: none (default: 1)")
    .option("--failure-bound <ratio>", "a larger share of failed first runs holds the rest again (default: 0.5)")
    .option("--owner <name>", "the team or person who answers for it")
    .option("-r, --reason <text>", "why it is needed; stays on record")
    .option("--confirm-long", "yes, it is longer than 31 days");
}

/** `quiesce window create`: the preview first, then the window. */
export function windowCreateCommand(cli: Cli): Command {
  return addPlanOptions(
    new Command("create").description("plan a maintenance window; shows when it happens and what it covers before it is saved"),
  )
    .option("-y, --yes", "do not ask before it is saved")
    .option("--json", "print the saved window as JSON")
    .action(async (options: PlanOptions) => {
      const input = planOf(options, ["title", "owner", "reason"]);
      const api = await cli.api();
      const preview = await readPreview(api, input);
      refuseRefused(preview);
      if (options.json !== true) note(cli, ...renderPreview(preview, { timeZone: input.series.timeZone, output: cli.err }), "");
      if (!(await confirmed(cli, `Save the window "${input.title}"?`, options))) {
        note(cli, "Nothing was saved.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const { createMaintenanceWindow: window } = await api.request(createWindow, { input });
      if (options.json === true) printJson(cli, window);
      else print(cli, savedText(window, cli));
    });
}

function savedText(window: WindowAnswer, cli: Cli): string {
  const key = cli.out.styles.bold(window.key);
  if (window.approval === null || window.approval.state === "APPROVED") return `Window ${key} is saved: no covered run starts inside it.`;
  const policies = window.approval.needed.map(({ policy }) => policy).join(", ");
  return cli.out.styles.yellow(
    `Window ${key} is saved and holds nothing until it is approved (${policies}): quiesce window approve ${window.key}`,
  );
}

/** `quiesce window preview`: a plan, or a window that stands. */
export function windowPreviewCommand(cli: Cli): Command {
  return addPlanOptions(
    new Command("preview").description(
      "show when a window happens and what it covers: one that stands, or one described by options; saves nothing",
    ),
  )
    .argument("[window]", "the key of a window that stands; without it the options of `window create` describe one")
    .option("--resume", "of a window that holds: what waits for it, and the runs that a release now would make of that")
    .addOption(new Option("--catch-up <policy>", "with --resume: instead of the jobs' own policies").choices(catchUpPolicies))
    .option("--json", "print it as JSON")
    .action(async (key: string | undefined, options: PlanOptions & { readonly resume?: boolean; readonly catchUp?: string }) => {
      const api = await cli.api();
      if (options.resume === true || options.catchUp !== undefined) {
        if (key === undefined) throw new CliError("usage", "--resume and --catch-up want a window that holds. Name it.");
        const override = options.catchUp === undefined ? {} : { catchUp: options.catchUp.toUpperCase() };
        const { previewResume: jobs } = await api.request(previewResume, { window: key, ...override });
        if (options.json === true) printJson(cli, jobs);
        else print(cli, ...renderResumePreview(jobs, cli.out));
        return;
      }
      if (key !== undefined) {
        await previewStanding(cli, api, key, options.json === true);
        return;
      }
      const input = planOf(options, []);
      const preview = await readPreview(api, input);
      if (options.json === true) printJson(cli, preview);
      else print(cli, ...renderPreview(preview, { timeZone: input.series.timeZone, output: cli.out }));
      if (preview.refusals.length > 0) cli.exitCode = exitCodes.refused;
    });
}

async function previewStanding(cli: Cli, api: GraphqlClient, key: string, json: boolean): Promise<void> {
  const { maintenanceWindow: window } = await api.request(windowOccurrences, { key, first: 20 });
  if (window === null)
    throw new CliError("refused", `There is no window "${key}". List them with \`quiesce window list\`.`, { code: "QSC_WINDOW_NOT_FOUND" });
  const { previewStandingWindow: preview } = await api.request(previewStandingWindow, { window: key });
  if (json) printJson(cli, { ...window, preview });
  else print(cli, ...renderPreview(preview, { timeZone: window.series.timeZone, output: cli.out }));
}

interface Plan {
  readonly key?: string;
  readonly title: string;
  readonly kind: string;
  readonly mode: string;
  readonly series: { readonly start: string; readonly timeZone: string; readonly [field: string]: unknown };
  readonly scope: ScopeInput;
  readonly owner: string;
  readonly reason: string;
  readonly drain?: { readonly leadLimitMinutes?: number; readonly deadlineMinutes?: number; readonly atDeadline?: string };
  readonly resume?: {
    readonly readinessCheck?: boolean;
    readonly maxWaitMinutes?: number;
    readonly canaries?: number;
    readonly failureBound?: number;
  };
  readonly confirmLong?: boolean;
}

/** The plan as the server wants it. A preview needs no title, owner and reason yet. */
function planOf(options: PlanOptions, needed: readonly ("title" | "owner" | "reason")[]): Plan {
  for (const name of needed) if (options[name] === undefined) throw new CliError("usage", `A window wants a --${name}.`);
  const { start } = options;
  if (start === undefined) throw new CliError("usage", "When does it start? Give --start as a local time, as 2026-12-06T02:00.");
  if ((options.end === undefined) === (options.duration === undefined))
    throw new CliError("usage", "Give the window an --end or a --duration, one of them.");
  return {
    ...(options.key === undefined ? {} : { key: options.key }),
    title: options.title ?? "Preview",
    kind: options.kind.toUpperCase(),
    mode: options.mode.toUpperCase(),
    series: {
      start,
      ...(options.end === undefined ? {} : { end: endOf(start, options.end) }),
      ...(options.duration === undefined ? {} : { duration: isoDurationOf(options.duration, "--duration") }),
      timeZone: options.zone ?? terminalZone(),
      ...(options.rrule === undefined ? {} : { rrule: options.rrule.replace(/^RRULE:/i, "") }),
      ...businessDayOptions(options),
      ...(options.exdate === undefined ? {} : { exdates: options.exdate }),
      ...(options.rdate === undefined ? {} : { rdates: options.rdate }),
      dstPolicy: options.dst.toUpperCase(),
    },
    scope: requiredScopeOf(options),
    owner: options.owner ?? "preview",
    reason: options.reason ?? "preview",
    ...drainOf(options),
    ...resumeOf(options),
    ...(options.confirmLong === true ? { confirmLong: true } : {}),
  };
}

function drainOf(options: PlanOptions): Pick<Plan, "drain"> {
  const { drainLead, drainDeadline, atDeadline } = options;
  if (drainLead === undefined && drainDeadline === undefined && atDeadline === undefined) return {};
  if (atDeadline !== undefined && drainDeadline === undefined)
    throw new CliError("usage", "--at-deadline says what happens at the drain deadline. Give --drain-deadline as well.");
  return {
    drain: {
      ...(drainLead === undefined ? {} : { leadLimitMinutes: minutesOf(drainLead, "--drain-lead") }),
      ...(drainDeadline === undefined ? {} : { deadlineMinutes: minutesOf(drainDeadline, "--drain-deadline") }),
      ...(atDeadline === undefined ? {} : { atDeadline: atDeadline.toUpperCase() }),
    },
  };
}

function resumeOf(options: PlanOptions): Pick<Plan, "resume"> {
  const { readiness, maxWait, canaries, failureBound } = options;
  const resume = {
    ...(readiness ? {} : { readinessCheck: false }),
    ...(maxWait === undefined ? {} : { maxWaitMinutes: minutesOf(maxWait, "--max-wait") }),
    ...(canaries === undefined ? {} : { canaries: numberOf(canaries, "--canaries") }),
    ...(failureBound === undefined ? {} : { failureBound: numberOf(failureBound, "--failure-bound") }),
  };
  return Object.keys(resume).length === 0 ? {} : { resume };
}

function numberOf(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new CliError("usage", `${option} wants a number, found "${text}".`);
  return value;
}

function businessDayOptions({ businessDays, onHoliday, calendar, weekend }: PlanOptions): { readonly [field: string]: unknown } {
  const match = businessDays === undefined ? null : /^(month|quarter|year):(-?\d+(?:,-?\d+)*)$/i.exec(businessDays);
  if (businessDays !== undefined && match === null)
    throw new CliError("usage", `--business-days ${businessDays} is not understood. Write month:1, quarter:-2,-1 or year:-1.`);
  const [, of = "", ordinals = ""] = match ?? [];
  return {
    ...(match === null ? {} : { businessDays: { of: of.toUpperCase(), ordinals: ordinals.split(",").map(Number) } }),
    ...(onHoliday === undefined ? {} : { onHoliday: onHoliday.toUpperCase() }),
    ...(calendar === undefined ? {} : { calendar }),
    ...(weekend === undefined ? {} : { weekend: weekend.toUpperCase().split(",") }),
  };
}

/** `06:00` is the first such time after the start; no zone is needed to say so, both are on the same wall clock. */
function endOf(start: string, end: string): string {
  const date = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2})/.exec(start);
  if (date === null || !/^\d{2}:\d{2}$/.test(end)) return end;
  const [, year, month, day, time = ""] = date;
  const next = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day) + (end > time ? 0 : 1)));
  return `${next.toISOString().slice(0, 10)}T${end}`;
}

async function readPreview(api: GraphqlClient, input: Plan): Promise<WindowPreviewAnswer> {
  return (await api.request(previewWindow, { input })).previewMaintenanceWindow;
}

function refuseRefused(preview: WindowPreviewAnswer): void {
  const first = preview.refusals[0];
  if (first === undefined) return;
  const nearest = first.nearest === null ? "" : ` The nearest that works: ${first.nearest}`;
  throw new CliError("refused", `${first.message}${nearest}`, { code: first.code, field: first.field });
}
