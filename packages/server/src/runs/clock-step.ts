import { DomainError } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";

/** What every server knows of the database's clock; read together with the clock itself. */
export interface ClockState {
  /** A jump is on record and nobody has acknowledged it. */
  readonly stepped: boolean;
  readonly acknowledgements: number;
}

/** A jump that waits for somebody to look. */
export interface ClockStep {
  /** When it was seen, by the clock as it went after the jump. */
  readonly seenAt: number;
  /** At least so far: forward above zero, back below. */
  readonly byMs: number;
  /** The server that saw it first. */
  readonly server: string;
}

/** The clock jumped and nobody has looked. `c` is the alias of control. */
export const clockStepped: SQL = sql`(c.clock_stepped_at is not null)`;

/** The database's time together with what is on record of its clock. */
export async function readClock(database: Database): Promise<ClockState & { readonly now: number }> {
  const [row] = await database.sql<(ClockState & { readonly now: number })[]>`
    select app_now() as now, c.clock_stepped_at is not null as stepped, c.clock_acknowledgements as acknowledgements from control as c`;
  if (row === undefined) throw new Error("control has no row.");
  return row;
}

/** The jump that waits for an acknowledgement; null when none does. */
export async function unacknowledgedStep(tx: Tx): Promise<ClockStep | null> {
  const rows = await tx.execute<{ seenAt: number; byMs: number; server: string }>(sql`
    select c.clock_stepped_at as "seenAt", (c.clock_step ->> 'byMs')::float8 as "byMs", c.clock_step ->> 'server' as server
    from control as c where ${clockStepped}`);
  const row = rows[0];
  return row === undefined ? null : { seenAt: row.seenAt, byMs: row.byMs, server: row.server };
}

/**
 * Puts a jump of the database's clock on record, which stops dispatch on every server. One record for all of them: false when there is one
 * already, or when somebody acknowledged since the server that asks looked last.
 */
export function recordClockStep(
  context: { readonly database: Database },
  input: { readonly byMs: number; readonly server: string; readonly acknowledgements: number },
): Promise<boolean> {
  return inTransaction(context, async (tx) => {
    const step = { byMs: input.byMs, server: input.server };
    const rows = await tx.execute(sql`
      update control as c set clock_stepped_at = app_now(), clock_step = ${JSON.stringify(step)}::text::jsonb
      where not ${clockStepped} and c.clock_acknowledgements = ${input.acknowledgements} returning c.only_row`);
    if (rows.length === 0) return false;
    const subject = { subjectKind: "control", subjectKey: "clock" } as const;
    await recordAudit(tx, { ...subject, actor: systemActor, action: "dispatch.stop", reason: "The database's clock jumped.", after: step });
    await appendEvents(tx, [{ ...subject, kind: "dispatch.clock-stepped", payload: step }]);
    return true;
  });
}

/**
 * An operator has looked at the database's clock: dispatch goes on, on every server. Throws QSC_CONTROL_CLOCK_REASON and
 * QSC_CONTROL_CLOCK_STEADY.
 */
export function acknowledgeClockStep(context: CommandContext, input: { readonly reason: string }): Promise<ClockStep> {
  return inTransaction(context, async (tx) => {
    const reason = input.reason.trim();
    if (reason === "") {
      throw new DomainError(
        "QSC_CONTROL_CLOCK_REASON",
        "The reason is empty. Say why the database's clock can be trusted again, such as: corrected by NTP, shows the right time now.",
        { field: "reason" },
      );
    }
    await tx.execute(sql`select from control for update`);
    const step = await unacknowledgedStep(tx);
    if (step === null) {
      throw new DomainError(
        "QSC_CONTROL_CLOCK_STEADY",
        "No jump of the database's clock waits for an acknowledgement; dispatch is not stopped by it.",
      );
    }
    await tx.execute(sql`
      update control set clock_stepped_at = null, clock_step = null, clock_acknowledgements = clock_acknowledgements + 1`);
    const subject = { subjectKind: "control", subjectKey: "clock" } as const;
    const before = { byMs: step.byMs, server: step.server, seenAt: new Date(step.seenAt).toISOString() };
    await recordAudit(tx, { ...subject, actor: context.actor, action: "dispatch.acknowledge-clock", reason, before });
    await appendEvents(tx, [{ ...subject, kind: "dispatch.clock-acknowledged", payload: { ...before, reason } }]);
    return step;
  });
}
