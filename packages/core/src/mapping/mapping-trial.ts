import { equalJson } from "../catalog/sorted-json.js";
import type { IntegrationEntry } from "../catalog/workspace-schema.js";
import { keyHash } from "./key-hash.js";
import type { Mapping } from "./mapping-schema.js";
import { validateMapping } from "./validate-mapping.js";

/** How mappings are tried: on a sample, beside real runs without writing, or on a share of what real runs write. */
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
  /** The share of the record keys that a canary maps, 1 to 100. */
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

/** Mappings to try, by stream. */
export type TrialCandidate = { readonly [stream: string]: Mapping };

export type CandidateCheck =
  | { readonly ok: true; readonly candidate: TrialCandidate }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The mappings that a former definition had and the present one has not. A definition that differs in more than mappings cannot be tried in part. */
export function candidateOfVersion(current: IntegrationEntry, version: IntegrationEntry): CandidateCheck {
  const rest = ({ streams, ...entry }: IntegrationEntry) => ({
    ...entry,
    streams: streams.map(({ mapping: _mapping, ...stream }) => stream),
  });
  const [before, after] = [rest(current), rest(version)];
  const other = Object.keys(before).filter((name) => !equalJson(before[name as keyof typeof before], after[name as keyof typeof after]));
  if (other.length > 0) return { ok: false, problems: [`It differs in ${other.join(", ")} too, and only mappings can be tried.`] };
  const changed = version.streams.filter(
    (stream) => !equalJson(stream.mapping, current.streams.find((one) => one.stream === stream.stream)?.mapping),
  );
  if (changed.length === 0) return { ok: false, problems: ["It has the mappings that are in force."] };
  return checkCandidate(current, Object.fromEntries(changed.map((stream) => [stream.stream, stream.mapping])));
}

/** Checks mappings that somebody wants to try on streams of an integration. */
export function checkCandidate(current: IntegrationEntry, mappings: { readonly [stream: string]: unknown }): CandidateCheck {
  const problems: string[] = [];
  const candidate: { [stream: string]: Mapping } = {};
  for (const [name, mapping] of Object.entries(mappings)) {
    const known = current.streams.find((stream) => stream.stream === name);
    if (known === undefined)
      problems.push(`There is no stream "${name}"; there are ${current.streams.map((one) => one.stream).join(", ") || "none"}.`);
    const check = validateMapping(mapping);
    if (!check.ok) problems.push(...check.problems.map(({ path, message }) => `${name}: ${path === "" ? "" : `${path}: `}${message}`));
    else if (known !== undefined && known.mapping.key !== check.mapping.key && known.deletes === "apply")
      problems.push(
        `${name}: its key changes while deletions are applied, so records would be left behind at the target. Apply it instead.`,
      );
    else if (changesTwoWay(known, check.mapping))
      problems.push(
        `${name}: it changes a field that flows both ways, and part of the records would flow back otherwise. Apply it instead.`,
      );
    else candidate[name] = check.mapping;
  }
  if (Object.keys(mappings).length === 0) problems.push("No mapping is given.");
  return problems.length > 0 ? { ok: false, problems } : { ok: true, candidate };
}

function changesTwoWay(stream: IntegrationEntry["streams"][number] | undefined, candidate: Mapping): boolean {
  if (stream?.twoWay === undefined) return false;
  const { mapping, twoWay } = stream;
  const isOther = (field: string) => !equalJson(mapping.fields[field] ?? null, candidate.fields[field] ?? null);
  return candidate.when !== undefined || Object.keys(twoWay.fields).some(isOther);
}

/** The definition with the candidate's mappings. */
export function withCandidate(current: IntegrationEntry, candidate: TrialCandidate): IntegrationEntry {
  return {
    ...current,
    streams: current.streams.map((stream) => ({ ...stream, mapping: candidate[stream.stream] ?? stream.mapping })),
  };
}

/** Whether a record goes the candidate's way: by its key, so that all versions of one record go the same way, and by as many keys of a hundred as wanted. */
export function isInCanary(key: string, percent: number): boolean {
  return (keyHash(key) >>> 0) % 100 < percent;
}
