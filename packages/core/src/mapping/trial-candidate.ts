import { equalJson } from "../catalog/sorted-json.js";
import { type IntegrationEntry, integrationSchema, type StreamEntry } from "../catalog/workspace-schema.js";
import type { Mapping } from "./mapping-schema.js";
import type { TrialKind } from "./mapping-trial.js";
import { twoWayProblems } from "./two-way-problems.js";
import { validateMapping } from "./validate-mapping.js";

/** The mappings of the streams that are tried, by stream. */
export type TrialCandidate = { readonly [stream: string]: Mapping };

/** What is tried of each stream that the candidate treats otherwise: the stream as it has it; null where it has it no more. */
export type TriedStreams = { readonly [stream: string]: StreamEntry | null };

export type CandidateCheck =
  | { readonly ok: true; readonly candidate: TrialCandidate; readonly definition: IntegrationEntry; readonly streams: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] };

/** What of an integration decides where its records go: no share of them could be told from the rest there. */
const ROUTE = ["source", "target"] as const;

/**
 * Checks a definition that somebody wants to try on an integration. Tried is what becomes of records: mappings, deletions, conflict rules, and streams
 * that come or go; what touches no record (names, owners, tags, limits) is taken along. What a trial of this kind cannot try refuses the whole, so
 * that nothing becomes the definition untried.
 */
export function checkDefinition(current: IntegrationEntry, wanted: unknown, kind: TrialKind): CandidateCheck {
  const parsed = integrationSchema.safeParse(wanted);
  if (!parsed.success)
    return {
      ok: false,
      problems: parsed.error.issues.map(({ path, message }) => `${path.map(String).join(".") || "definition"}: ${message}`),
    };
  const definition = parsed.data;
  if (definition.key !== current.key)
    return { ok: false, problems: [`It is the definition of "${definition.key}", expected that of "${current.key}".`] };
  const problems = ROUTE.filter((role) => definition[role] !== current[role]).map(
    (role) =>
      `${role}: another endpoint is not tried beside the one in force: its records would be at two places. Try the rest alone, then apply it.`,
  );
  const tried = triedStreams(current.streams, definition.streams);
  if (new Set(definition.streams.map(({ stream }) => stream)).size < definition.streams.length)
    problems.push("streams: one is named twice.");
  for (const [name, stream] of Object.entries(tried)) {
    const before = current.streams.find((one) => one.stream === name);
    const found = stream === null ? goneProblems(kind) : streamProblems(before, stream, kind);
    problems.push(...found.map((problem) => `${name}: ${problem}`));
  }
  const names = Object.keys(tried);
  if (problems.length > 0) return { ok: false, problems };
  if (names.length === 0)
    return { ok: false, problems: ["It treats every record as the definition in force does, so there is nothing to try. Apply it."] };
  const candidate = Object.fromEntries(
    Object.entries(tried).flatMap(([name, stream]) => (stream === null ? [] : [[name, stream.mapping]])),
  );
  return { ok: true, candidate, definition, streams: names };
}

/** Checks mappings that somebody wants to try on streams of an integration, everything else as it is in force. */
export function checkMappings(
  current: IntegrationEntry,
  mappings: { readonly [stream: string]: unknown },
  kind: TrialKind,
): CandidateCheck {
  const problems = Object.entries(mappings).flatMap(([name, mapping]) => {
    const isKnown = current.streams.some((stream) => stream.stream === name);
    const known = current.streams.map((one) => one.stream).join(", ") || "none";
    return [
      ...(isKnown ? [] : [`There is no stream "${name}"; there are ${known}.`]),
      ...mappingProblems(mapping).map((problem) => `${name}: ${problem}`),
    ];
  });
  if (Object.keys(mappings).length === 0) problems.push("No mapping is given.");
  if (problems.length > 0) return { ok: false, problems };
  const streams = current.streams.map((stream) => ({ ...stream, mapping: mappings[stream.stream] ?? stream.mapping }));
  return checkDefinition(current, { ...current, streams }, kind);
}

/** The streams whose records a candidate treats otherwise. */
export function triedStreams(current: readonly StreamEntry[], candidate: readonly StreamEntry[]): TriedStreams {
  const changed = candidate.filter((stream) => {
    const before = current.find((one) => one.stream === stream.stream);
    return before === undefined || !equalJson(treatmentOf(before), treatmentOf(stream));
  });
  const gone = current.filter((stream) => !candidate.some((one) => one.stream === stream.stream));
  return Object.fromEntries([
    ...changed.map((stream) => [stream.stream, stream] as const),
    ...gone.map((stream) => [stream.stream, null] as const),
  ]);
}

/** What becomes of a stream's records; the limit of deletions only says when a person is asked. */
function treatmentOf({ deleteLimit: _limit, ...stream }: StreamEntry): Omit<StreamEntry, "deleteLimit"> {
  return stream;
}

function goneProblems(kind: TrialKind): readonly string[] {
  if (kind !== "canary") return [];
  return ["a canary would keep back records that nobody sends again after a rollback. Look at it as a shadow, then apply it."];
}

function streamProblems(before: StreamEntry | undefined, stream: StreamEntry, kind: TrialKind): readonly string[] {
  const unfit = [...mappingProblems(stream.mapping), ...twoWayProblems(stream).map(({ path, message }) => `${path}: ${message}`)];
  if (unfit.length > 0) return unfit;
  const pushed = "its records are pushed, so there is no sample to read. Try it as a shadow, or preview records.";
  if (before === undefined) {
    if (stream.push) return ["it is new and pushed, so nothing has been sent to it yet. Preview records, then apply it."];
    if (stream.twoWay !== undefined)
      return ["it is new and flows both ways, which begins with both sides read in full. Try it without twoWay first."];
    if (kind === "canary")
      return ["it is new, and a canary takes a share of what is copied already. Try it as a dry run or a shadow, then apply it."];
    return [];
  }
  const problems = changeProblems(before, stream, kind);
  return problems.length === 0 && kind === "dry-run" && stream.push ? [pushed] : problems;
}

function changeProblems(before: StreamEntry, stream: StreamEntry, kind: TrialKind): readonly string[] {
  const problems: string[] = [];
  if (before.target !== stream.target)
    problems.push("target: another place at the target is not tried: its records would be at two places. Apply it.");
  if (before.push !== stream.push) problems.push("push: records are either pushed or read, not a share of them. Apply it.");
  if (!equalJson(waysBack(before), waysBack(stream)))
    problems.push("twoWay: other fields that flow back begin with both sides read in full, which cannot be tried in part. Apply it.");
  else if (kind === "dry-run" && !equalJson(before.twoWay, stream.twoWay))
    problems.push("twoWay: a dry run reads the source alone, so it meets no conflict. Try the rules as a shadow or a canary.");
  if (kind === "shadow" && before.twoWay !== undefined && !equalJson(before.twoWay.times, stream.twoWay?.times))
    problems.push("twoWay.times: when a record was changed is noted as it is read, once. Try other times as a canary.");
  if (kind !== "canary") return problems;
  if (before.deletes === "apply" && stream.deletes === "ignore")
    problems.push(
      "deletes: a canary would pass over deletions that nobody tells again after a rollback. Look at it as a shadow, then apply it.",
    );
  if (before.mapping.key !== stream.mapping.key && (before.deletes === "apply" || stream.deletes === "apply"))
    problems.push("its key changes while deletions are applied, so records would be left behind at the target. Apply it instead.");
  if (changesWayBack(before, stream))
    problems.push("it changes a field that flows both ways, and part of the records would flow back otherwise. Apply it instead.");
  return problems;
}

/** The fields that flow back and how; by which rule a conflict ends, and by which times, is decided record by record. */
function waysBack({ twoWay }: StreamEntry): unknown {
  return twoWay === undefined ? null : Object.fromEntries(Object.entries(twoWay.fields).map(([field, { cast }]) => [field, cast ?? null]));
}

function changesWayBack({ mapping, twoWay }: StreamEntry, candidate: StreamEntry): boolean {
  const isOther = (field: string) => !equalJson(mapping.fields[field] ?? null, candidate.mapping.fields[field] ?? null);
  return Object.keys(twoWay?.fields ?? {}).some(isOther);
}

function mappingProblems(mapping: unknown): readonly string[] {
  const check = validateMapping(mapping);
  return check.ok ? [] : check.problems.map(({ path, message }) => `${path === "" ? "" : `${path}: `}${message}`);
}
