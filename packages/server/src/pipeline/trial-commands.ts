import {
  type CandidateCheck,
  checkDefinition,
  checkMappings,
  DomainError,
  type IntegrationEntry,
  noTrialFigures,
  TRIAL_LIMITS,
  type TrialCandidate,
  type TrialKind,
  type TrialSettings,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { entryOfVersion, versionOf } from "../catalog/integration-versions.js";
import { applyWorkspace, type CatalogContext } from "../catalog/commands.js";
import { loadIntegration } from "../catalog/store/load-workspace.js";
import { type CommandContext, inTransaction, readNow, systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { endTrial } from "./running-trial.js";

/** What shall be tried, and how. No candidate at all: a dry run of the mappings in force. */
export interface TrialOrder {
  readonly integration: string;
  readonly kind: TrialKind;
  readonly version: number | null;
  /** By stream. */
  readonly mappings: { readonly [stream: string]: unknown } | null;
  /** A whole definition, as an entry of a workspace. */
  readonly definition?: unknown;
  readonly settings: TrialSettings & { readonly sinceCursor: boolean };
  readonly reason: string;
}

const codes = {
  NOT_FOUND: "QSC_TRIAL_NOT_FOUND",
  REASON: "QSC_TRIAL_REASON",
  SETTINGS: "QSC_TRIAL_SETTINGS",
  CANDIDATE: "QSC_TRIAL_CANDIDATE",
  RUNNING: "QSC_TRIAL_RUNNING",
  WITHOUT_JOB: "QSC_TRIAL_WITHOUT_JOB",
  OVER: "QSC_TRIAL_OVER",
} as const;

function refused(what: keyof typeof codes, message: string, field: string): DomainError {
  return new DomainError(codes[what], message, { field });
}

/** Begins to try another definition, or a part of it. Answers the trial's number. Throws the codes QSC_TRIAL_… and QSC_VERSION_…. */
export function startTrial(context: CommandContext, order: TrialOrder): Promise<{ readonly id: number }> {
  requireSettings(order);
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute<{ id: number; bucket: number }>(
      sql`select id, bucket from integration where key = ${order.integration} for no key update`,
    );
    const [integration] = rows;
    const current = await loadIntegration(tx, order.integration);
    if (integration === undefined || current === undefined)
      throw refused("NOT_FOUND", `There is no integration "${order.integration}".`, "integration");
    const tried = await candidateOf(context, order, current);
    const { candidate, definition } = tried;
    if (definition !== null) await requireSystems(tx, definition);
    if (order.kind !== "dry-run") await requireNoOther(tx, integration.id);
    const runId = order.kind === "dry-run" ? await queueDryRun(tx, context, { ...integration, order }) : null;
    const made = await tx.execute<{ id: number }>(sql`
      insert into integration_trial (integration_id, kind, candidate, definition, version, settings, figures, run_id, started_by, reason)
      values (${integration.id}, ${order.kind}, ${JSON.stringify(candidate)}::text::jsonb, ${definition === null ? null : JSON.stringify(definition)}::text::jsonb, ${order.version}::integer, ${JSON.stringify(order.settings)}::text::jsonb,
        ${JSON.stringify(noTrialFigures)}::text::jsonb, ${runId}::uuid, ${`${context.actor.kind}:${context.actor.name}`}, ${order.reason})
      returning id`);
    const id = made[0]?.id;
    if (id === undefined) throw new Error("The trial was not written.");
    await forgetOld(tx, integration.id);
    await note(tx, context, {
      action: "trial.start",
      integration: order.integration,
      reason: order.reason,
      after: { ...order, definition, trial: id, candidate },
    });
    const payload = { trial: id, kind: order.kind, streams: tried.streams, settings: order.settings };
    const subject = { subjectKind: "integration", subjectKey: order.integration, integrationKey: order.integration } as const;
    await appendEvents(tx, [{ ...subject, kind: "integration.trial-started", payload }]);
    return { id };
  });
}

function requireSettings({ kind, settings, reason }: TrialOrder): void {
  if (reason.trim() === "") throw refused("REASON", "The reason is empty. Say what is tried, and why.", "reason");
  const most = kind === "dry-run" ? TRIAL_LIMITS.dryRunRecords : TRIAL_LIMITS.records;
  const within = (field: string, value: number, least: number, max: number, isWhole = true) => {
    if (value < least || value > max || (isWhole && !Number.isInteger(value)) || !Number.isFinite(value))
      throw refused("SETTINGS", `${field} is ${value}, expected ${isWhole ? "a whole number from " : ""}${least} to ${max}.`, field);
  };
  within("records", settings.records, 1, most);
  within("percent", settings.percent, 1, 100);
  within("errorRatio", settings.errorRatio, 0, 1, false);
  if (settings.runs !== null) within("runs", settings.runs, 1, TRIAL_LIMITS.runs);
}

interface Tried {
  readonly candidate: TrialCandidate;
  /** null: what is in force. */
  readonly definition: IntegrationEntry | null;
  readonly streams: readonly string[];
}

async function candidateOf(context: CommandContext, order: TrialOrder, current: IntegrationEntry): Promise<Tried> {
  const { kind, version, mappings, definition = null } = order;
  const [field, second] = [
    ...(version === null ? [] : ["version"]),
    ...(mappings === null ? [] : ["mappings"]),
    ...(definition === null ? [] : ["definition"]),
  ];
  if (second !== undefined)
    throw refused("CANDIDATE", "Found more than one candidate, expected a version, mappings or a definition.", second);
  if (field === undefined) {
    if (kind === "dry-run") return { candidate: {}, definition: null, streams: [] };
    throw refused("CANDIDATE", "Found nothing to try, expected a version, mappings or a definition.", "version");
  }
  const check: CandidateCheck =
    mappings !== null
      ? checkMappings(current, mappings, kind)
      : checkDefinition(
          current,
          version === null ? definition : entryOfVersion(await versionOf(context.database, order.integration, version)),
          kind,
        );
  if (check.ok) return check;
  const more = check.problems.length > 1 ? ` (and ${check.problems.length - 1} more)` : "";
  throw new DomainError(codes.CANDIDATE, `It cannot be tried. ${check.problems[0] ?? ""}${more}`, {
    field,
    details: { problems: check.problems },
  });
}

/** Found now instead of at the end of a canary. */
async function requireSystems(tx: Tx, { via }: IntegrationEntry): Promise<void> {
  const rows = await tx.execute<{ key: string }>(sql`
    select key from unnest(${sql.param(via)}::text[]) as key where not exists (select from system as s where s.key = key.key)`);
  const [unknown] = rows;
  if (unknown !== undefined) throw refused("CANDIDATE", `It cannot be tried. via: There is no system "${unknown.key}".`, "definition");
}

async function requireNoOther(tx: Tx, integrationId: number): Promise<void> {
  const rows = await tx.execute<{ id: number; kind: string }>(sql`
    select id, kind from integration_trial where integration_id = ${integrationId} and kind <> 'dry-run' and state in ('running', 'promoting')`);
  const [other] = rows;
  if (other !== undefined)
    throw refused("RUNNING", `The ${other.kind} ${other.id} of this integration is not over. Wait for it, or cancel it.`, "integration");
}

/** By a run of the integration's own job, so that windows hold it and the systems' caps count it as any other. */
async function queueDryRun(
  tx: Tx,
  context: CommandContext,
  what: { readonly id: number; readonly bucket: number; readonly order: TrialOrder },
): Promise<string> {
  const { order } = what;
  const jobs = await tx.execute<{ id: number; key: string }>(sql`
    select id, key from job where integration_id = ${what.id} and not push order by continuous, reconcile, id limit 1`);
  const [job] = jobs;
  if (job === undefined)
    throw refused(
      "WITHOUT_JOB",
      "No job of this integration reads its source, so there is nothing to take a sample from. Preview records instead.",
      "integration",
    );
  const now = await readNow(tx);
  await tx.execute(sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`);
  const rows = await tx.execute<{ id: string }>(sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, requested_by, reason)
    values (new_run_id(${now}::timestamptz), ${now}::timestamptz, ${now}::timestamptz, ${job.id}, ${what.id}, ${what.bucket}, 'manual', 'queued', ${now}::timestamptz,
      ${context.actor.name}, ${`Dry run: ${order.reason}`})
    returning id`);
  const runId = rows[0]?.id;
  if (runId === undefined) throw new Error("The run was not written.");
  const payload = { job: job.key, trigger: "manual", dryRun: true };
  await appendEvents(tx, [{ kind: "run.queued", subjectKind: "run", subjectKey: runId, integrationKey: order.integration, payload }]);
  return runId;
}

async function forgetOld(tx: Tx, integrationId: number): Promise<void> {
  await tx.execute(sql`
    delete from integration_trial where integration_id = ${integrationId} and state not in ('running', 'promoting') and id <= (
      select t.id from integration_trial as t where t.integration_id = ${integrationId} order by t.id desc offset ${TRIAL_LIMITS.kept} limit 1)`);
}

/** Ends a trial before its time; the definition stays as it is. Throws QSC_TRIAL_NOT_FOUND, QSC_TRIAL_OVER and QSC_TRIAL_REASON. */
export function cancelTrial(
  context: CommandContext,
  input: { readonly id: number; readonly reason: string },
): Promise<{ readonly id: number }> {
  if (input.reason.trim() === "") throw refused("REASON", "The reason is empty. Say why it is ended.", "reason");
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute<{ state: string; integration: string; kind: string }>(sql`
      select t.state, t.kind, i.key as integration from integration_trial as t join integration as i on i.id = t.integration_id
      where t.id = ${input.id}::bigint for update of t`);
    const [trial] = rows;
    if (trial === undefined) throw refused("NOT_FOUND", `There is no trial ${input.id}.`, "key");
    if (trial.state !== "running" && trial.state !== "promoting")
      throw refused("OVER", `The trial ${input.id} is ${trial.state} already.`, "key");
    await tx.execute(sql`
      update integration_trial set state = 'cancelled', verdict = ${input.reason}, ended_at = app_now() where id = ${input.id}::bigint`);
    await note(tx, context, {
      action: "trial.cancel",
      integration: trial.integration,
      reason: input.reason,
      after: { trial: input.id, state: "cancelled" },
    });
    const subject = { subjectKind: "integration", subjectKey: trial.integration, integrationKey: trial.integration } as const;
    const payload = { trial: input.id, kind: trial.kind, state: "cancelled", verdict: input.reason };
    await appendEvents(tx, [{ ...subject, kind: "integration.trial-ended", payload }]);
    return { id: input.id };
  });
}

/** Makes the candidate of a canary that passed the definition, by the way of every apply. What stands against it is written down in the trial. */
export async function promoteTrial(context: Omit<CatalogContext, "actor">, trialId: number): Promise<void> {
  const rows = await context.database.db.execute<{
    integration: string;
    candidate: TrialCandidate;
    definition: IntegrationEntry | null;
    verdict: string;
    reason: string;
  }>(sql`
    select i.key as integration, t.candidate, t.definition, t.verdict, t.reason from integration_trial as t join integration as i on i.id = t.integration_id
    where t.id = ${trialId}::bigint and t.state = 'promoting'`);
  const [trial] = rows;
  const current = trial === undefined ? undefined : await loadIntegration(context.database.db, trial.integration);
  if (trial === undefined || current === undefined) return;
  const document = { quiesce: 1, integrations: [trial.definition ?? withMappings(current, trial.candidate)] };
  const reason = `Canary ${trialId} passed: ${trial.verdict} It was tried because: ${trial.reason}`.slice(0, 2_000);
  const end = (state: "failed" | "superseded", verdict: string) =>
    inTransaction(context, (tx) =>
      endTrial(tx, { trial: { id: trialId, kind: "canary" }, integration: trial.integration }, { state, verdict }),
    );
  try {
    const changes = await applyWorkspace({ ...context, actor: systemActor }, document, {
      reason,
      origin: { kind: "promotion", trial: trialId },
    });
    if (changes.length === 0) await end("superseded", "The definition is so already.");
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    await end("failed", `It passed, but could not be made the definition: ${error.message}`);
    return;
  }
}

/** Of a trial that an older server began: the definition in force with its mappings. */
function withMappings(current: IntegrationEntry, candidate: TrialCandidate): IntegrationEntry {
  return { ...current, streams: current.streams.map((stream) => ({ ...stream, mapping: candidate[stream.stream] ?? stream.mapping })) };
}

async function note(
  tx: Tx,
  context: CommandContext,
  what: { readonly action: string; readonly integration: string; readonly reason: string; readonly after: unknown },
): Promise<void> {
  const { action, integration, reason, after } = what;
  await recordAudit(tx, { actor: context.actor, action, subjectKind: "integration", subjectKey: integration, reason, after });
}
