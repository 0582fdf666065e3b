import { catchUpPolicies } from "@quiesce/core";
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
import { refusalHint } from "../refusal-hints.js";
import { requiredScopeOf } from "../scope-options.js";
import { overrideFreezeOf } from "./override-freeze-option.js";
import { addPlanOptions, localTime, type PlanOptions, policyFields, seriesFields } from "./plan-options.js";

interface NewPlanOptions extends PlanOptions {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const addNewPlanOptions = (command: Command): Command =>
  addPlanOptions(command.option("--key <key>", "its stable name (default: made from the title)"), "new").option(
    "-r, --reason <text>",
    "why it is needed; stays on record",
  );

/** `quiesce window create`: the preview first, then the window. */
export function windowCreateCommand(cli: Cli): Command {
  return addNewPlanOptions(
    new Command("create").description("plan a maintenance window; shows when it happens and what it covers before it is saved"),
  )
    .option("-y, --yes", "do not ask before it is saved")
    .option("--json", "print the saved window as JSON")
    .action(async (options: NewPlanOptions) => {
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
  if (window.nextStart === null) return cli.out.styles.yellow(`Window ${key} is saved, and is over: it holds nothing.`);
  if (window.approval === null || window.approval.state === "APPROVED") return `Window ${key} is saved: no covered run starts inside it.`;
  const policies = window.approval.needed.map(({ policy }) => policy).join(", ");
  return cli.out.styles.yellow(
    `Window ${key} is saved and holds nothing until it is approved (${policies}): quiesce window approve ${window.key}`,
  );
}

/** `quiesce window preview`: a plan, or a window that stands. */
export function windowPreviewCommand(cli: Cli): Command {
  return addNewPlanOptions(
    new Command("preview").description(
      "show when a window happens and what it covers: one that stands, or one described by options; saves nothing",
    ),
  )
    .argument("[window]", "the key of a window that stands; without it the options of `window create` describe one")
    .option("--resume", "of a window that holds: what waits for it, and the runs that a release now would make of that")
    .addOption(new Option("--catch-up <policy>", "with --resume: instead of the jobs' own policies").choices(catchUpPolicies))
    .option("--json", "print it as JSON")
    .action(async (key: string | undefined, options: NewPlanOptions & { readonly resume?: boolean; readonly catchUp?: string }) => {
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
  readonly title: string;
  readonly series: { readonly timeZone: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** The plan as the server wants it. A preview needs no title, owner and reason yet. */
function planOf(options: NewPlanOptions, needed: readonly ("title" | "owner" | "reason")[]): Plan {
  const missing = needed.filter((name) => options[name] === undefined).map((name) => `--${name}`);
  if (missing.length > 0) throw new CliError("usage", `A window wants ${missing.join(", ").replace(/, (?=[^,]*$)/, " and ")} as well.`);
  const start = options.start === undefined ? undefined : localTime(options.start);
  if (start === undefined) throw new CliError("usage", "When does it start? Give --start as a local time, as 2026-12-06T02:00.");
  if ((options.end === undefined) === (options.duration === undefined))
    throw new CliError("usage", "Give the window an --end or a --duration, one of them.");
  const { kind = "maintenance", mode = "enforce", readiness, ...rest } = options;
  return {
    ...(options.key === undefined ? {} : { key: options.key }),
    title: options.title ?? "Preview",
    kind: kind.toUpperCase(),
    mode: mode.toUpperCase(),
    series: { ...seriesFields(options, start), start, timeZone: options.zone ?? terminalZone() },
    // Asking is the default of the server: only that nobody is asked is said.
    ...policyFields({ ...rest, ...(readiness === false ? { readiness } : {}) }),
    scope: requiredScopeOf(options),
    owner: options.owner ?? NOBODY,
    reason: options.reason ?? NOBODY,
    ...overrideFreezeOf(options),
    ...(options.confirmLong === true ? { confirmLong: true } : {}),
  };
}

/** Stands for an owner that a preview was not told. */
const NOBODY = "preview";

async function readPreview(api: GraphqlClient, input: Plan): Promise<WindowPreviewAnswer> {
  const { previewMaintenanceWindow: preview } = await api.request(previewWindow, { input });
  if (input["owner"] !== NOBODY) return preview;
  // Nobody was named, so nobody is unknown.
  return { ...preview, warnings: preview.warnings.filter((warning) => !warning.startsWith(`The owner ${NOBODY} is no team`)) };
}

function refuseRefused(preview: WindowPreviewAnswer): void {
  const first = preview.refusals[0];
  if (first === undefined) return;
  const nearest = first.nearest === null || first.message.includes(first.nearest) ? "" : ` The nearest that works: ${first.nearest}`;
  throw new CliError("refused", `${first.message}${nearest}${refusalHint(first.code)}`, { code: first.code, field: first.field });
}
