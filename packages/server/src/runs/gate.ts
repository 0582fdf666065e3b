import { randomUUID } from "node:crypto";
import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { activeHolds, dispatchStopped, heldUntil, type HoldReason } from "./active-holds.js";
import { claimRuns } from "./claim.js";
import { unacknowledgedStep } from "./clock-step.js";

/** Whether work on an integration may start now, for schedulers that are not ours. */
export type GateVerdict =
  | { readonly kind: "open" }
  | { readonly kind: "held"; readonly by: readonly HoldReason[]; readonly until: number | null };

export type GateEntry =
  | { readonly entered: true; readonly runId: string; readonly leaseToken: string; readonly leaseUntil: number }
  | { readonly entered: false; readonly verdict: GateVerdict };

/** A lease must be renewed within this time; longer ones would keep a window from becoming quiesced after a crash. */
export const maxLeaseSeconds = 3_600;
const claimTries = 40;
const claimRetryMs = 25;

/** Asks without entering: the answer may be old the moment it is given. */
export async function askGate(tx: Tx, integrationKey: string): Promise<GateVerdict> {
  const integration = await findIntegration(tx, integrationKey);
  const stopped = await tx.execute<{ stopped: boolean }>(sql`
    select ${dispatchStopped} as stopped from control as c`);
  const by = await activeHolds(tx, integration.id);
  if (by.length > 0) return { kind: "held", by, until: heldUntil(by) ?? null };
  return stopped[0]?.stopped === true ? { kind: "held", by: [], until: null } : { kind: "open" };
}

/**
 * Enters the gate: takes a lease that counts as a run in flight, by the same claim as every other run. While it lasts a window over the
 * integration does not become quiesced. Whoever enters must renew and leave.
 */
export async function enterGate(
  context: CommandContext,
  input: { readonly integration: string; readonly leaseSeconds: number; readonly reason?: string | undefined },
): Promise<GateEntry> {
  if (!Number.isInteger(input.leaseSeconds) || input.leaseSeconds < 1 || input.leaseSeconds > maxLeaseSeconds) {
    throw new DomainError("QSC_GATE_LEASE_INVALID", `A lease lasts 1 to ${maxLeaseSeconds} seconds, found ${input.leaseSeconds}.`, {
      field: "leaseSeconds",
    });
  }
  const leaseToken = randomUUID();
  const queued = await queueGateRun(context, input);
  if ((await unacknowledgedStep(context.database.db)) !== null) {
    await refuseGateRun(context, { ...queued, integration: input.integration, why: "held" });
    return { entered: false, verdict: { kind: "held", by: [], until: null } };
  }
  for (let tries = 0; tries < claimTries; tries += 1) {
    const result = await claimRuns(context.database.sql, {
      workerId: leaseToken,
      runs: [{ id: queued.runId, dueAt: queued.dueAt }],
      limit: 1,
    });
    if (result.claimed.length === 1) return { entered: true, runId: queued.runId, leaseToken, leaseUntil: queued.leaseUntil };
    if (result.held > 0 || result.stale) {
      const verdict = await askGate(context.database.db, input.integration);
      await refuseGateRun(context, { ...queued, integration: input.integration, why: "held" });
      return { entered: false, verdict: verdict.kind === "held" ? verdict : { kind: "held", by: [], until: null } };
    }
    await new Promise((resolve) => setTimeout(resolve, claimRetryMs));
  }
  await refuseGateRun(context, { ...queued, integration: input.integration, why: "busy" });
  throw new DomainError(
    "QSC_GATE_BUSY",
    `The gate of "${input.integration}" could not be entered within a second: another run is taking its place, or a cap is reached. Try again.`,
    {
      field: "integration",
    },
  );
}

function queueGateRun(
  context: CommandContext,
  input: { readonly integration: string; readonly leaseSeconds: number; readonly reason?: string | undefined },
): Promise<{ readonly runId: string; readonly dueAt: number; readonly leaseUntil: number }> {
  return inTransaction(context, async (tx) => {
    const integration = await findIntegration(tx, input.integration, { keep: true });
    const now = await readNow(tx);
    await tx.execute(sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`);
    const leaseUntil = now + input.leaseSeconds * 1_000;
    const rows = await tx.execute<{ id: string }>(sql`
      insert into run (id, due_at, last_due_at, integration_id, bucket, trigger, state, ready_at, lease_until, requested_by, reason)
      values (new_run_id(${now}::timestamptz), ${now}::timestamptz, ${now}::timestamptz, ${integration.id}, ${integration.bucket}, 'gate', 'queued',
        ${now}::timestamptz, ${leaseUntil}::timestamptz, ${context.actor.name}, ${input.reason ?? null})
      returning id`);
    const runId = rows[0]?.id;
    if (runId === undefined) throw new Error("The gate run was not written.");
    await recordAudit(tx, {
      actor: context.actor,
      action: "gate.enter",
      subjectKind: "integration",
      subjectKey: input.integration,
      ...(input.reason === undefined ? {} : { reason: input.reason }),
      after: { runId, leaseUntil: payloadInstant(leaseUntil) },
    });
    return { runId, dueAt: now, leaseUntil };
  });
}

/** A gate run that may not start is cancelled, not held: nobody waits for it here, its caller decides what follows. */
async function refuseGateRun(
  context: CommandContext,
  input: { readonly runId: string; readonly integration: string; readonly why: "held" | "busy" },
): Promise<void> {
  const { runId, integration, why } = input;
  await inTransaction(context, async (tx) => {
    const refused = await tx.execute(sql`
      update run set state = 'cancelled', reason = 'gate-refused', finished_at = app_now()
      where id = ${runId}::uuid and due_at = run_due_of_id(${runId}::uuid) and state in ('queued', 'held')
      returning id`);
    if (refused.length === 0) return;
    await recordAudit(tx, {
      actor: context.actor,
      action: "gate.refuse",
      subjectKind: "integration",
      subjectKey: integration,
      after: { runId, why },
    });
    await appendEvents(tx, [
      {
        kind: "run.finished",
        subjectKind: "run",
        subjectKey: runId,
        integrationKey: integration,
        payload: { state: "cancelled", reason: "gate-refused" },
      },
    ]);
  });
}

/** Keeps the lease for another while. Refused when the lease was lost: then the work must stop. */
export function renewGate(
  context: CommandContext,
  input: { readonly runId: string; readonly leaseToken: string; readonly leaseSeconds: number },
): Promise<{ readonly leaseUntil: number }> {
  return inTransaction(context, async (tx) => {
    const leaseSeconds = Math.min(Math.max(1, Math.trunc(input.leaseSeconds)), maxLeaseSeconds);
    const rows = await tx.execute<{ leaseUntil: number }>(sql`
      update run set lease_until = app_now() + ${`${leaseSeconds} seconds`}::interval
      where id = ${asUuid(input.runId, "runId")}::uuid and due_at = run_due_of_id(${input.runId}::uuid) and trigger = 'gate' and state = 'running'
        and worker_id = ${asUuid(input.leaseToken, "leaseToken")}::uuid
      returning lease_until as "leaseUntil"`);
    const renewed = rows[0];
    if (renewed === undefined) throw leaseLost(input.runId);
    return renewed;
  });
}

/** Leaves the gate: the run ends with the caller's outcome. */
export function leaveGate(
  context: CommandContext,
  input: {
    readonly runId: string;
    readonly leaseToken: string;
    readonly outcome: "succeeded" | "failed";
    readonly exitCode?: number | undefined;
  },
): Promise<{ readonly runId: string }> {
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute<{ integrationKey: string }>(sql`
      update run as r set state = ${input.outcome}, finished_at = app_now(), figures = ${JSON.stringify(input.exitCode === undefined ? {} : { exitCode: input.exitCode })}::text::jsonb,
        reason = case when ${input.outcome} = 'failed' then 'exit-code' end
      from integration as i
      where i.id = r.integration_id and r.id = ${asUuid(input.runId, "runId")}::uuid and r.due_at = run_due_of_id(${input.runId}::uuid) and r.trigger = 'gate'
        and r.state = 'running' and r.worker_id = ${asUuid(input.leaseToken, "leaseToken")}::uuid
      returning i.key as "integrationKey"`);
    const left = rows[0];
    if (left === undefined) throw leaseLost(input.runId);
    await recordAudit(tx, {
      actor: context.actor,
      action: "gate.leave",
      subjectKind: "integration",
      subjectKey: left.integrationKey,
      after: { runId: input.runId, outcome: input.outcome, exitCode: input.exitCode ?? null },
    });
    await appendEvents(tx, [
      {
        kind: "run.finished",
        subjectKind: "run",
        subjectKey: input.runId,
        integrationKey: left.integrationKey,
        payload: { state: input.outcome, exitCode: input.exitCode ?? null },
      },
    ]);
    return { runId: input.runId };
  });
}

/** `keep`: nobody deletes it before the transaction ends. */
async function findIntegration(tx: Tx, key: string, { keep = false } = {}): Promise<{ readonly id: number; readonly bucket: number }> {
  const rows = await tx.execute<{ id: number; bucket: number }>(sql`
    select id, bucket from integration where key = ${key} ${keep ? sql`for key share` : sql``}`);
  const integration = rows[0];
  if (integration === undefined)
    throw new DomainError("QSC_INTEGRATION_NOT_FOUND", `There is no integration "${key}".`, { field: "integration" });
  return integration;
}

function leaseLost(runId: string): DomainError {
  return new DomainError(
    "QSC_GATE_LEASE_LOST",
    `The lease of run ${runId} is not yours any more, or has ended. Stop the work: a window may have become quiesced.`,
    {
      field: "leaseToken",
    },
  );
}

function asUuid(value: string, field: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
    throw new DomainError("QSC_ID_MALFORMED", `"${value.slice(0, 60)}" is not an id. Expected a UUID as the server gave it.`, { field });
  }
  return value;
}
