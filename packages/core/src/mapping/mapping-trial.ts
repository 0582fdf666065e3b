import { keyHash } from "./key-hash.js";

/** How a candidate is tried: on a sample, beside real runs without writing, or on a share of what real runs write. */
export const trialKinds = ["dry-run", "shadow", "canary"] as const;
export type TrialKind = (typeof trialKinds)[number];

/** `promoting`: it passed, and the definition is about to be changed. */
export const trialStates = ["running", "promoting", "done", "promoted", "rolled-back", "cancelled", "superseded", "failed"] as const;
export type TrialState = (typeof trialStates)[number];

/** What a trial has seen. `same` + `different` = `records` for a comparison; a canary counts its own records and their `errors`. */
export interface TrialFigures {
  readonly records: number;
  readonly same: number;
  readonly different: number;
  /** Records that do not fit the candidate, or that a canary could not deliver. */
  readonly errors: number;
  /** Runs that ended while it went on, and those that failed over more than the system's absence. */
  readonly runs: number;
  readonly failedRuns: number;
}

export const noTrialFigures: TrialFigures = { records: 0, same: 0, different: 0, errors: 0, runs: 0, failedRuns: 0 };

export interface TrialSettings {
  /** It ends after so many records (1 to 1,000,000). */
  readonly records: number;
  /** Or, for a canary and a shadow, after so many runs; null: records alone decide. */
  readonly runs: number | null;
  /** The share of the record keys that a canary treats, 1 to 100. */
  readonly percent: number;
  /** More errors than this share of a canary's records, and it is rolled back (0 to 1). */
  readonly errorRatio: number;
}

export const TRIAL_LIMITS = {
  dryRunRecords: 1_000,
  records: 1_000_000,
  runs: 10_000,
  /** Before so many records one error says little about their share. */
  judgedFrom: 20,
  differences: 50,
  /** Ended trials that are kept of an integration. */
  kept: 100,
} as const;

export type TrialVerdict =
  | { readonly kind: "go-on" }
  | { readonly kind: "promote"; readonly because: string }
  | { readonly kind: "roll-back"; readonly because: string };

/**
 * Whether a canary goes on, has passed or has failed. It fails as soon as a run failed over it, the share of errors is above the limit (judged from
 * 20 records on, or from all if they are fewer), or so many failed already that the rest could not make up for them. It passes after the agreed
 * number of records or runs.
 */
export function judgeCanary(figures: TrialFigures, settings: TrialSettings): TrialVerdict {
  const { records, errors, runs, failedRuns } = figures;
  const limit = `${round(settings.errorRatio * 100)} %`;
  if (failedRuns > 0) return { kind: "roll-back", because: `A run failed while it was tried.` };
  const judgedFrom = Math.min(TRIAL_LIMITS.judgedFrom, settings.records);
  const finished = records >= settings.records || (settings.runs !== null && runs >= settings.runs && records > 0);
  const ratio = records === 0 ? 0 : errors / records;
  if ((records >= judgedFrom || finished) && ratio > settings.errorRatio)
    return { kind: "roll-back", because: `${errors} of ${records} records failed (${round(ratio * 100)} %), more than ${limit}.` };
  if (errors > settings.errorRatio * settings.records && errors > 1)
    return { kind: "roll-back", because: `${errors} records failed, more than ${limit} of the ${settings.records} that it was to see.` };
  if (finished) return { kind: "promote", because: `${errors} of ${records} records failed, at most ${limit} may, in ${runs} runs.` };
  return { kind: "go-on" };
}

function round(percent: number): number {
  return Math.round(percent * 100) / 100;
}

/** Whether a comparison has seen enough. */
export function isTrialComplete(figures: TrialFigures, settings: TrialSettings): boolean {
  return figures.records >= settings.records || (settings.runs !== null && figures.runs >= settings.runs);
}

/** Whether a record goes the candidate's way: by its key, so that all versions of one record go the same way, and by as many keys of a hundred as wanted. */
export function isInCanary(key: string, percent: number): boolean {
  return (keyHash(key) >>> 0) % 100 < percent;
}
