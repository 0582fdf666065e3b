import {
  compareMappings,
  isInCanary,
  isTrialComplete,
  judgeCanary,
  type MappingDifference,
  type MappingResult,
  type StreamEntry,
  streamSchema,
  TRIAL_LIMITS,
  type TrialCandidate,
  type TrialFigures,
  type TrialKind,
  type TrialSettings,
  type TriedStreams,
  triedStreams,
  type TwoWay,
} from "@quiesce/core";
import type { SourceRecord } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { systemActor } from "../command.js";
import type { SecretMask } from "../connector-host/secret-mask.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { storableJson } from "./storable-json.js";

/** Another definition that is tried while runs go on, as one run knows it. */
export interface RunningTrial {
  readonly id: number;
  readonly kind: TrialKind;
  readonly streams: TriedStreams;
  readonly settings: TrialSettings;
  /** Set by the page after which it was over; the run then goes on as if there were none. */
  isOver: boolean;
}

/** A record that the candidate treats otherwise, for people to look at. */
export interface RecordDifference extends MappingDifference {
  readonly stream: string;
  readonly recordKey: string;
}

/** What a page showed of a trial, before anything of it is written. */
export interface PageTrial {
  readonly compared: { readonly same: number; readonly different: number; readonly errors: number };
  readonly differences: readonly RecordDifference[];
  /** The records that were compared and are the same so far. */
  readonly alike: ReadonlySet<SourceRecord>;
  /** The records that go the candidate's way. */
  readonly canaries: ReadonlySet<SourceRecord>;
}

/** The trial that goes on beside an integration's runs, or one that has passed and waits for its promotion. */
export async function loadTrial(tx: Tx, integrationId: number): Promise<(RunningTrial & { readonly state: string }) | null> {
  const rows = await tx.execute<
    TriedRow & { id: number; kind: TrialKind; settings: TrialSettings; state: string; [column: string]: unknown }
  >(sql`
    select t.id, t.kind, t.candidate, t.definition -> 'streams' as streams, i.streams as current, t.settings, t.state
    from integration_trial as t join integration as i on i.id = t.integration_id
    where t.integration_id = ${integrationId} and t.kind <> 'dry-run' and t.state in ('running', 'promoting')`);
  const [row] = rows;
  if (row === undefined) return null;
  const { id, kind, settings, state } = row;
  return { id, kind, settings, state, streams: triedOf(row), isOver: state !== "running" };
}

/** What a trial's row says of streams; `streams` is null where only the mappings of the present ones are tried. */
export interface TriedRow {
  readonly candidate: TrialCandidate;
  readonly streams: readonly unknown[] | null;
  readonly current: readonly unknown[];
}

/** The streams that a trial treats otherwise. What an older server has written has its defaults filled in. */
export function triedOf({ candidate, streams, current }: TriedRow): TriedStreams {
  const present = current.map((stream) => streamSchema.parse(stream));
  if (streams !== null)
    return triedStreams(
      present,
      streams.map((stream) => streamSchema.parse(stream)),
    );
  return triedStreams(
    present,
    present.map((stream) => ({ ...stream, mapping: candidate[stream.stream] ?? stream.mapping })),
  );
}

/** How a record of a stream is treated: as the stream is in force, or as a canary has it. */
export function treatmentOf(
  stream: StreamEntry,
  record: SourceRecord,
  trial: RunningTrial | null,
): { readonly stream: StreamEntry; readonly isCanary: boolean } {
  if (trial?.kind !== "canary" || trial.isOver) return { stream, isCanary: false };
  const candidate = trial.streams[stream.stream];
  if (candidate === undefined || candidate === null || !isTried(stream, candidate, record)) return { stream, isCanary: false };
  return isInCanary(record.key, trial.settings.percent) ? { stream: candidate, isCanary: true } : { stream, isCanary: false };
}

/** What a record is compared with: how a shadow would have its stream; null: not at all any more; undefined: it is not compared. */
export function shadowOf(stream: StreamEntry, record: SourceRecord, trial: RunningTrial | null): StreamEntry | null | undefined {
  if (trial?.kind !== "shadow" || trial.isOver) return undefined;
  const candidate = trial.streams[stream.stream];
  return candidate !== undefined && isTried(stream, candidate, record) ? candidate : undefined;
}

/** Deletions have no fields, so mappings are not tried on them. */
export function isTried(stream: StreamEntry, candidate: StreamEntry | null, record: SourceRecord): boolean {
  return record.op !== "delete" || candidate?.deletes !== stream.deletes;
}

/** What a stream makes of a record, its way with deletions included; null: the stream is not there. */
export async function outcomeOf(
  stream: StreamEntry | null,
  record: SourceRecord,
  map: (mapping: StreamEntry["mapping"], record: SourceRecord) => MappingResult | Promise<MappingResult>,
): Promise<MappingResult> {
  if (stream === null || (record.op === "delete" && stream.deletes === "ignore")) return { kind: "skipped" };
  return map(stream.mapping, record);
}

/** By which rules conflicts of a record end. */
export function rulesOf(stream: StreamEntry & { readonly twoWay: TwoWay }, key: string, trial: RunningTrial | null): TwoWay {
  return treatmentOf(stream, { key, data: {} }, trial).stream.twoWay ?? stream.twoWay;
}

/** Collects what a page shows of a trial, record by record. */
export function collectTrial(stream: string): {
  readonly page: PageTrial;
  readonly compare: (record: SourceRecord, now: MappingResult, candidate: MappingResult) => void;
  readonly canary: (record: SourceRecord) => void;
} {
  const compared = { same: 0, different: 0, errors: 0 };
  const differences: RecordDifference[] = [];
  const alike = new Set<SourceRecord>();
  const canaries = new Set<SourceRecord>();
  return {
    page: { compared, differences, alike, canaries },
    compare(record, now, candidate) {
      const difference = compareMappings(now, candidate);
      compared[difference === null ? "same" : "different"] += 1;
      if (difference === null) alike.add(record);
      const errors = candidate.kind === "unfit" ? candidate.errors : [];
      if (candidate.kind === "unfit") compared.errors += 1;
      if ((difference === null && errors.length === 0) || differences.length >= TRIAL_LIMITS.differences) return;
      differences.push({
        stream,
        recordKey: record.key,
        ...(difference ?? { now: now.kind, candidate: candidate.kind, fields: [], errors }),
      });
    },
    canary: (record) => void canaries.add(record),
  };
}

/** What several records that were prepared one by one showed. */
export function joinTrials(pages: readonly PageTrial[]): PageTrial {
  const sum = (name: "same" | "different" | "errors") => pages.reduce((total, page) => total + page.compared[name], 0);
  return {
    compared: { same: sum("same"), different: sum("different"), errors: sum("errors") },
    differences: pages.flatMap((page) => page.differences).slice(0, TRIAL_LIMITS.differences),
    alike: new Set(pages.flatMap((page) => [...page.alike])),
    canaries: new Set(pages.flatMap((page) => [...page.canaries])),
  };
}

/** What other rules would make of the conflicts of a record: who wins, by field. */
export interface RuledRecord {
  readonly source: SourceRecord;
  readonly fields: RecordDifference["fields"];
}

/** A page with what other conflict rules would have decided: a record that is mapped alike and decided otherwise differs. */
export function withRules(page: PageTrial, stream: string, ruled: readonly RuledRecord[]): PageTrial {
  if (ruled.length === 0) return page;
  const more = new Map(ruled.map(({ source, fields }) => [source.key, fields]));
  const turned = ruled.filter(({ source }) => page.alike.has(source));
  const { compared, differences } = page;
  return {
    ...page,
    compared: { ...compared, same: compared.same - turned.length, different: compared.different + turned.length },
    differences: [
      ...differences.map((one) => ({ ...one, fields: [...one.fields, ...(more.get(one.recordKey) ?? [])] })),
      ...turned.map(({ source, fields }) => ({
        stream,
        recordKey: source.key,
        now: "mapped" as const,
        candidate: "mapped" as const,
        fields,
        errors: [],
      })),
    ].slice(0, TRIAL_LIMITS.differences),
  };
}

/** A page's share of a trial as figures, once it is known what became of its records. */
export function pageFigures(
  trial: RunningTrial,
  page: PageTrial,
  ended: { readonly well: readonly SourceRecord[]; readonly badly: readonly SourceRecord[] },
): Pick<TrialFigures, "records" | "same" | "different" | "errors"> {
  if (trial.kind !== "canary") return { ...page.compared, records: page.compared.same + page.compared.different };
  const among = (sources: readonly SourceRecord[]) => sources.filter((source) => page.canaries.has(source)).length;
  const errors = among(ended.badly);
  return { records: among(ended.well) + errors, same: 0, different: 0, errors };
}

/**
 * Adds to a trial's figures in the transaction of what was counted, and ends it when it has seen enough. A canary that failed is over with this
 * commit: nothing of the definition was changed. One that passed waits for its promotion.
 */
export async function countTrial(
  tx: Tx,
  of: { readonly trial: RunningTrial; readonly integration: string; readonly mask: SecretMask },
  more: Partial<TrialFigures> & { readonly differences?: readonly RecordDifference[] },
): Promise<void> {
  const { trial } = of;
  const { differences = [], ...figures } = more;
  if (trial.isOver || (differences.length === 0 && Object.values(figures).every((count) => count === 0))) return;
  const rows = await tx.execute<{ figures: TrialFigures; shown: number }>(sql`
    select figures, jsonb_array_length(differences) as shown from integration_trial where id = ${trial.id}::bigint and state = 'running' for update`);
  const [row] = rows;
  if (row === undefined) {
    trial.isOver = true;
    return;
  }
  const sum = added(row.figures, figures);
  const shown = differences.slice(0, Math.max(0, TRIAL_LIMITS.differences - row.shown));
  await tx.execute(sql`
    update integration_trial set figures = ${JSON.stringify(sum)}::text::jsonb, differences = differences || ${shownJson(of.mask, shown)}::text::jsonb
    where id = ${trial.id}::bigint`);
  await judge(tx, of, sum);
}

function added(sum: TrialFigures, more: Partial<TrialFigures>): TrialFigures {
  const names = ["records", "same", "different", "errors", "runs", "failedRuns"] as const;
  const total = { ...sum };
  for (const name of names) total[name] = sum[name] + (more[name] ?? 0);
  return total;
}

/** A difference longer than this is kept by the paths of its fields. */
const MAX_DIFFERENCE_CHARACTERS = 4_000;

/** Differences as they are stored: without secrets, and bounded. */
export function shownJson(mask: SecretMask, differences: readonly RecordDifference[]): string {
  return storableJson(
    differences.map((difference) => {
      const masked = mask.deep(difference);
      if (JSON.stringify(masked).length <= MAX_DIFFERENCE_CHARACTERS) return masked;
      const fields = masked.fields
        .slice(0, TRIAL_LIMITS.differences)
        .map(({ path }) => ({ path: path.slice(0, 200), before: "(too long)", after: "(too long)" }));
      return { ...masked, fields, errors: masked.errors.slice(0, 5) };
    }),
  );
}

async function judge(tx: Tx, of: { readonly trial: RunningTrial; readonly integration: string }, sum: TrialFigures): Promise<void> {
  const { trial } = of;
  if (trial.kind !== "canary") {
    if (isTrialComplete(sum, trial.settings))
      await endTrial(tx, of, { state: "done", verdict: `${sum.different} of ${sum.records} records differ, ${sum.errors} do not fit.` });
    return;
  }
  const verdict = judgeCanary(sum, trial.settings);
  if (verdict.kind === "roll-back") await endTrial(tx, of, { state: "rolled-back", verdict: verdict.because });
  if (verdict.kind !== "promote") return;
  trial.isOver = true;
  await tx.execute(sql`update integration_trial set state = 'promoting', verdict = ${verdict.because} where id = ${trial.id}::bigint`);
}

/** Ends a trial by itself, with an audit entry and an event. */
export async function endTrial(
  tx: Tx,
  of: { readonly trial: Pick<RunningTrial, "id" | "kind"> & { isOver?: boolean }; readonly integration: string },
  end: { readonly state: "done" | "rolled-back" | "failed" | "superseded"; readonly verdict: string },
): Promise<void> {
  of.trial.isOver = true;
  const ended = await tx.execute(sql`
    update integration_trial set state = ${end.state}, verdict = ${end.verdict}, ended_at = app_now()
    where id = ${of.trial.id}::bigint and state in ('running', 'promoting') returning id`);
  if (ended.length === 0) return;
  const subject = { subjectKind: "integration", subjectKey: of.integration } as const;
  const what = { trial: of.trial.id, kind: of.trial.kind, state: end.state, verdict: end.verdict };
  await recordAudit(tx, { ...subject, actor: systemActor, action: "trial.end", reason: end.verdict, after: what });
  await appendEvents(tx, [{ ...subject, kind: "integration.trial-ended", integrationKey: of.integration, payload: what }]);
}
