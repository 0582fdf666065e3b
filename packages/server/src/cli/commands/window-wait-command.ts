import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { nextToWaitFor, type WaitedAnswer } from "../operations/wait-operations.js";
import { formatLength } from "../output/format-time.js";
import { localText } from "../output/list-text.js";
import { parseDurationOption } from "../parse-time.js";
import { decideWait, type WaitGoal, waitGoals, type WaitVerdict } from "../wait/decide-wait.js";
import { followOccurrence, lookAtOccurrence, type OccurrenceName } from "../wait/follow-occurrence.js";

interface WaitOptions {
  readonly for: WaitGoal;
  readonly occurrence?: string;
  readonly timeout: string;
  readonly json?: boolean;
}

const codes = {
  reached: exitCodes.ok,
  cancelled: exitCodes.cancelled,
  "no-longer": exitCodes.noLonger,
  "timed-out": exitCodes.timedOut,
} as const;

/** `quiesce window wait`: for scripts that may go on only when a window is so far. */
export function windowWaitCommand(cli: Cli): Command {
  return new Command("wait")
    .description(
      "wait until an occurrence is so far; exit code 0 when it is, 124 when not in time, 77 when it was cancelled, 78 when it can no longer come",
    )
    .argument("<window>", "the window's key")
    .addOption(
      new Option("--for <state>", "what to wait for; `quiesced`: nothing is in flight, the work may begin")
        .choices(waitGoals)
        .makeOptionMandatory(),
    )
    .option(
      "--occurrence <local>",
      "the occurrence that starts, or was planned to start, then: 2026-12-06T02:00 (default: the open one, else the next)",
    )
    .option("--timeout <duration>", "wait at most so long", "30m")
    .option("--json", "print how it ended as JSON")
    .action(async (key: string, options: WaitOptions) => {
      const timeoutMs = parseDurationOption(options.timeout, "--timeout");
      const beganMs = cli.clock.monotonicMs();
      const name = await meantOccurrence(cli, key, options.occurrence);
      const { verdict, last } = await waitFor(cli, { name, goal: options.for, timeoutMs });
      const result = verdict.kind === "waiting" ? "timed-out" : verdict.kind;
      cli.exitCode = codes[result];
      const waitedMs = Math.round(cli.clock.monotonicMs() - beganMs);
      if (options.json === true)
        printJson(cli, { result, for: options.for, window: name.window, localStart: name.localStart, waitedMs, occurrence: last });
      else print(cli, sentenceOf(result, { name, goal: options.for, verdict, waitedMs }));
    });
}

async function meantOccurrence(cli: Cli, key: string, localStart: string | undefined): Promise<OccurrenceName> {
  const api = await cli.api();
  const { maintenanceWindow: window } = await api.request(nextToWaitFor, { key });
  if (window === null)
    throw new CliError("refused", `There is no window "${key}". List them with \`quiesce window list\`.`, { code: "QSC_WINDOW_NOT_FOUND" });
  if (localStart === undefined) {
    if (window.currentOrNext === null)
      throw new CliError("refused", `No occurrence of "${key}" is open or lies ahead. Name one that is over with --occurrence.`);
    return { window: window.key, localStart: window.currentOrNext.localStart };
  }
  if (Number.isNaN(Date.parse(`${localStart}Z`)))
    throw new CliError("usage", `--occurrence is "${localStart}". Expected a local start such as 2026-12-06T02:00.`);
  const name = { window: window.key, localStart };
  if ((await lookAtOccurrence(api, name, undefined)) === null)
    throw new CliError(
      "refused",
      `"${key}" has no occurrence ${localStart}. See them with \`quiesce window preview\` or \`quiesce window list\`.`,
    );
  return name;
}

async function waitFor(cli: Cli, wanted: { readonly name: OccurrenceName; readonly goal: WaitGoal; readonly timeoutMs: number }) {
  const api = await cli.api();
  let verdict: WaitVerdict = { kind: "waiting" };
  let last: WaitedAnswer | null = null;
  let said = "";
  const say = (text: string): void => {
    if (text !== said) note(cli, text);
    said = text;
  };
  await followOccurrence({
    api,
    name: wanted.name,
    signal: AbortSignal.timeout(wanted.timeoutMs),
    onLook: (occurrence) => {
      last = occurrence;
      verdict = decideWait(wanted.goal, occurrence);
      if (occurrence !== null) say(`${occurrence.state}: ${occurrence.inFlight} in flight, ${occurrence.heldRuns} waiting`);
      return verdict.kind === "waiting" ? "go-on" : "enough";
    },
    onTrouble: (reason) => {
      if (reason !== null) say(`Trying again: ${reason}`);
    },
  });
  return { verdict, last } as { readonly verdict: WaitVerdict; readonly last: WaitedAnswer | null };
}

function sentenceOf(
  result: keyof typeof codes,
  of: { readonly name: OccurrenceName; readonly goal: WaitGoal; readonly verdict: WaitVerdict; readonly waitedMs: number },
): string {
  const { name, goal, verdict, waitedMs } = of;
  const subject = `${name.window}, ${localText(name.localStart)}`;
  switch (result) {
    case "reached":
      return `${subject}: ${goal}.`;
    case "timed-out":
      return `${subject}: not ${goal} after ${formatLength(waitedMs)}.`;
    case "cancelled":
      return `${subject}: cancelled, or no longer in its series.`;
    case "no-longer":
      return `${subject}: not ${goal}. ${verdict.kind === "no-longer" ? verdict.reason : ""}`;
  }
}
