import {
  compareMappings,
  isInCanary,
  isTrialComplete,
  judgeCanary,
  type Mapping,
  type MappingDifference,
  type MappingResult,
  type StreamEntry,
  TRIAL_LIMITS,
  type TrialCandidate,
  type TrialFigures,
  type TrialKind,
  type TrialSettings,
} from "@quiesce/core";
import type { SourceRecord } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { systemActor } from "../command.js";
import type { SecretMask } from "../connector-host/secret-mask.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { storableJson } from "./storable-json.js";

/** Other mappings that are tried while runs go on, as one run knows them. */
export interface RunningTrial {
  readonly id: number;
  readonly kind: TrialKind;
  readonly candidate: TrialCandidate;
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
  /** The records that go the candidate's way. */
  readonly canaries: ReadonlySet<SourceRecord>;
}

/** The trial that goes on beside an integration's runs, or one that has passed and waits for its promotion. */
export async function loadTrial(tx: Tx, integrationId: number): Promise<(RunningTrial & { readonly state: string }) | null> {
  const rows = await tx.execute<{ id: number; kind: TrialKind; candidate: TrialCandidate; settings: TrialSettings; state: string }>(sql`
    select id, kind, candidate, settings, state from integration_trial
    where integration_id = ${integrationId} and kind <> 'dry-run' and state in ('running', 'promoting')`);
  const [row] = rows;
  return row === undefined ? null : { ...row, isOver: row.state !== "running" };
}

/** Which mapping a record of a stream takes: the stream's own, or a canary's. Deletions have no fields, so they are never tried. */
export function mappingFor(
  stream: StreamEntry,
  record: SourceRecord,
  trial: RunningTrial | null,
): { readonly mapping: Mapping; readonly isCanary: boolean } {
  const candidate = trial?.candidate[stream.stream];
  const isTried = trial?.kind === "canary" && !trial.isOver && candidate !== undefined && record.op !== "delete";
  if (isTried && isInCanary(record.key, trial.settings.percent)) return { mapping: candidate, isCanary: true };
  return { mapping: stream.mapping, isCanary: false };
}

/** The mapping with which a record is compared, if it is. */
export function shadowOf(stream: StreamEntry, record: SourceRecord, trial: RunningTrial | null): Mapping | undefined {
  return trial?.kind === "shadow" && !trial.isOver && record.op !== "delete" ? trial.candidate[stream.stream] : undefined;
}

/** Collects what a page shows of a trial, record by record. */
export function collectTrial(stream: string): {
  readonly page: PageTrial;
  readonly compare: (record: SourceRecord, now: MappingResult, candidate: MappingResult) => void;
  readonly canary: (record: SourceRecord) => void;
} {
  const compared = { same: 0, different: 0, errors: 0 };
  const differences: RecordDifference[] = [];
  const canaries = new Set<SourceRecord>();
  return {
    page: { compared, differences, canaries },
    compare(record, now, candidate) {
      const difference = compareMappings(now, candidate);
      compared[difference === null ? "same" : "different"] += 1;
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
    canaries: new Set(pages.flatMap((page) => [...page.canaries])),
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
