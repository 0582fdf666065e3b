import { parseInstantText } from "@quiesce/core";
import type { Command } from "commander";
import { CliError } from "../cli-error.js";

/** Of which integrations. */
export interface ScopeOptions {
  readonly integration?: string;
  readonly system?: string;
  readonly team?: string;
  readonly tag?: string;
}

export interface PeriodOptions {
  readonly from?: string;
  readonly to?: string;
}

const USUAL_DAYS = 30;
const DAY_MS = 86_400_000;
const INSTANT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** The options that say of which integrations: one of them, or none for all. */
export function scopeOptions(command: Command): Command {
  return command
    .option("-i, --integration <key>", "of one integration")
    .option("--system <key>", "of the integrations that touch a system")
    .option("--team <key>", "of the integrations of a team")
    .option("--tag <tag>", "of the integrations with a tag");
}

export function scopeText({ integration, system, team, tag }: ScopeOptions): ScopeOptions {
  return { ...(integration && { integration }), ...(system && { system }), ...(team && { team }), ...(tag && { tag }) };
}

/** The options that say of which period: the last thirty days when they are left out. */
export function withPeriod(command: Command): Command {
  return command
    .option(
      "--from <instant>",
      `from then on, as 2027-03-01 (UTC) or 2027-03-01T00:00:00Z; ${USUAL_DAYS} days before the end when left out`,
    )
    .option("--to <instant>", "until then; now when left out");
}

export function periodOf({ from, to }: PeriodOptions, now: number): { readonly from: string; readonly to: string } {
  const end = to === undefined ? now : instantOf(to, "--to");
  const start = from === undefined ? end - USUAL_DAYS * DAY_MS : instantOf(from, "--from");
  return { from: new Date(start).toISOString(), to: new Date(end).toISOString() };
}

function instantOf(text: string, option: string): number {
  const at = INSTANT.test(text) ? parseInstantText(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new CliError(
    "usage",
    `${option} is "${text}". Expected a day as 2027-03-01 (of UTC) or an instant with its offset, as 2027-03-01T00:00:00Z.`,
  );
}

/** A figure in its unit; shares as per cent, cut so that nothing below 100 % reads as that. */
export function figureText(value: number | null, unit: string): string {
  if (value === null) return "-";
  if (unit === "share") return `${(Math.floor(value * 1e5 + 1e-7) / 1e3).toFixed(3)} %`;
  const digits = Math.abs(value) < 10 ? 2 : 0;
  return `${value.toFixed(digits)}${unit === "count" ? "" : ` ${unit}`}`;
}
