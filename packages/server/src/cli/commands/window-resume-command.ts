import { setTimeout as wait } from "node:timers/promises";
import { catchUpPolicies } from "@quiesce/core";
import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { resumeWindow, windowProgress, type WindowProgressAnswer } from "../operations/resume-operations.js";

interface ResumeWindowOptions extends CatchUpOptions {
  readonly skipReadiness?: boolean;
  readonly watch?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

/** What the commands that let held runs go say about them. */
export interface CatchUpOptions {
  readonly catchUp?: string;
  readonly confirmAll?: boolean;
}

const LOOK_EVERY_MS = 1_000;

export function addCatchUpOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--catch-up <policy>", "what becomes of everything held, this once, instead of the jobs' own policies").choices(
        catchUpPolicies,
      ),
    )
    .option("--confirm-all", "yes, `all` also for jobs that read from a cursor");
}

export function catchUpOf(options: CatchUpOptions): { readonly catchUp?: string; readonly confirmAll?: boolean } {
  return {
    ...(options.catchUp === undefined ? {} : { catchUp: options.catchUp.toUpperCase() }),
    ...(options.confirmAll === true ? { confirmAll: true } : {}),
  };
}

/** `quiesce window resume`: a window has ended and something keeps it from letting go. */
export function windowResumeCommand(cli: Cli): Command {
  return addCatchUpOptions(
    new Command("resume").description(
      "resume a window that has ended and waits: ask its systems again at once, or release it by hand; with --watch only show how far it is",
    ),
  )
    .argument("<window>", "the window's key")
    .option("--skip-readiness", "let go what waits, whatever the systems say")
    .option("-w, --watch", "show the progress until everything has had its place")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the progress as JSON; with --watch one document a line")
    .action(async (key: string, options: ResumeWindowOptions) => {
      const api = await cli.api();
      const changes = options.skipReadiness === true || options.catchUp !== undefined;
      if (options.reason !== undefined) {
        const skip = options.skipReadiness === true ? { skipReadiness: true } : {};
        await api.request(resumeWindow, { input: { key, reason: options.reason, ...skip, ...catchUpOf(options) } });
      } else if (changes || options.watch !== true) {
        throw new CliError("usage", "Why is it resumed? Give a --reason. To see only how far it is, give --watch alone.");
      }
      const look = async () => (await api.request(windowProgress, { key })).windowProgress;
      let shown = "";
      for (;;) {
        const progress = await look();
        const line = lineOf(key, progress);
        if (line !== shown) show(cli, { line, progress, options });
        shown = line;
        if (options.watch !== true || isOver(progress)) {
          if (progress?.state === "OVERRUN") cli.exitCode = exitCodes.refused;
          return;
        }
        await wait(LOOK_EVERY_MS);
      }
    });
}

/** The next occurrence is shown when the one that was watched is closed. */
function isOver(progress: WindowProgressAnswer | null): boolean {
  return progress === null || progress.resume === null || progress.resume.phase === "DONE";
}

function lineOf(key: string, progress: WindowProgressAnswer | null): string {
  if (progress === null || progress.resume === null) return `Window ${key}: nothing of it waits to resume.`;
  const { resume } = progress;
  const failing = resume.checks.flatMap((check) => (check.ok || check.error === null ? [] : [`${check.endpoint.key}: ${check.error}`]));
  return [`Window ${key}: ${resume.sentence}`, ...failing.map((text) => `  ${text}`)].join("\n");
}

function show(
  cli: Cli,
  what: { readonly line: string; readonly progress: WindowProgressAnswer | null; readonly options: ResumeWindowOptions },
): void {
  if (what.options.json !== true) print(cli, what.line);
  else if (what.options.watch === true) print(cli, JSON.stringify(what.progress));
  else printJson(cli, what.progress);
}
