import type { RotationPolicy, RotationState, RotationTrigger } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { holdsNow } from "../runs/active-holds.js";
import { basisOfEndpoint } from "./credential-store.js";

/** A step that was taken is nobody else's for so long: far more than a call into a system may last (connector-host/rotation-calls.ts). */
const leaseMs = 120_000;

/** A rotation under way, with what its next step needs. */
export interface OpenRotation {
  readonly id: string;
  readonly endpointId: number;
  readonly endpoint: string;
  readonly policy: Partial<RotationPolicy>;
  readonly trigger: RotationTrigger;
  readonly state: RotationState;
  readonly step: number;
  readonly failures: number;
  readonly oldCredentialId: number | null;
  readonly newCredentialId: number | null;
  /** Whether a person handed the new secrets in; those are never ended by us. */
  readonly handedIn: boolean;
  readonly switchedAt: number | null;
  readonly drainFrom: number | null;
  readonly problem: string | null;
  /** The workspace has given the endpoint other secrets meanwhile: before the switch any, after it those that the rotation has put in place. */
  readonly superseded: boolean;
  /** Something holds an integration of the endpoint: its system may be down. */
  readonly held: boolean;
}

const columns = sql`r.id, r.endpoint_id as "endpointId", e.key as endpoint, e.rotation as policy, r.trigger, r.state, r.step, r.failures,
  r.old_credential_id as "oldCredentialId", r.new_credential_id as "newCredentialId", coalesce(n.source = 'handed-in', false) as "handedIn",
  r.switched_at as "switchedAt", r.drain_from as "drainFrom", r.problem, case when r.switched_at is null then r.basis <> ${basisOfEndpoint} else not coalesce(n.in_force, false) end as superseded,
  exists (select from integration as i join hold_member as m on m.integration_id = i.id cross join control as c
    where (i.source_endpoint_id = e.id or i.target_endpoint_id = e.id) and ${holdsNow}) as held`;
const tables = sql`credential_rotation as r join endpoint as e on e.id = r.endpoint_id left join credential as n on n.id = r.new_credential_id`;

/** Takes one rotation whose next step is due, for the time of the lease; the fence is raised before anything is done. null: there is none. */
export async function takeDueStep(tx: Tx): Promise<OpenRotation | null> {
  const [taken] = await selectRows<{ id: string }>(
    tx,
    sql`
    update credential_rotation as t set step = nextval('credential_step'), next_at = app_now() + ${leaseMs}::float8 * interval '1 millisecond'
    from (
      select d.id from credential_rotation as d where d.ended_at is null and d.next_at <= app_now()
      order by d.next_at limit 1 for update skip locked
    ) as due
    where t.id = due.id returning t.id`,
  );
  if (taken === undefined) return null;
  const [row] = await selectRows<OpenRotation>(tx, sql`select ${columns} from ${tables} where r.id = ${taken.id}::uuid`);
  return row ?? null;
}

/** The rotation as it stands, under its endpoint's lock; null when it ended, or when another server has taken a later step. */
export async function lockStep(
  tx: Tx,
  input: { readonly id: string; readonly endpointId: number; readonly step: number },
): Promise<OpenRotation | null> {
  // First the endpoint, as whoever applies a workspace does.
  await tx.execute(sql`select from endpoint where id = ${input.endpointId} for update`);
  const locked = await tx.execute(sql`
    select from credential_rotation where id = ${input.id}::uuid and step = ${input.step} and ended_at is null for update`);
  if (locked.length === 0) return null;
  const [row] = await selectRows<OpenRotation>(tx, sql`select ${columns} from ${tables} where r.id = ${input.id}::uuid`);
  return row ?? null;
}

/** Writes where a rotation stands. `afterMs`: when its next step is due. */
export async function saveState(
  tx: Tx,
  input: {
    readonly id: string;
    readonly state: RotationState;
    readonly ended: boolean;
    readonly failures: number;
    readonly problem: string | null;
    readonly afterMs: number;
    readonly newCredentialId?: number;
    readonly switched?: boolean;
  },
): Promise<void> {
  const { id, state, ended, failures, problem, afterMs, newCredentialId, switched } = input;
  await tx.execute(sql`
    update credential_rotation set state_since = case when state = ${state} then state_since else app_now() end, state = ${state}, failures = ${failures},
      problem = ${problem}, next_at = app_now() + ${afterMs}::float8 * interval '1 millisecond', ended_at = case when ${ended} then app_now() end,
      new_credential_id = coalesce(${newCredentialId ?? null}::bigint, new_credential_id),
      switched_at = case when ${switched === true} then app_now() else switched_at end,
      -- Every state that waits for runs reads the time anew, after the commit of what it waits for.
      drain_from = case when state = ${state} then drain_from end
    where id = ${id}::uuid`);
}

/** Looks at the same rotation again after a while; nothing has happened. */
export async function postponeStep(tx: Tx, input: { readonly id: string; readonly step: number; readonly afterMs: number }): Promise<void> {
  await tx.execute(sql`
    update credential_rotation set next_at = app_now() + ${input.afterMs}::float8 * interval '1 millisecond'
    where id = ${input.id}::uuid and step = ${input.step} and ended_at is null`);
}

/** Notes from when on runs are waited for. In a transaction of its own after that of the switch: a run that is claimed later reads what was switched. */
export async function beginDrain(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`update credential_rotation set drain_from = app_now() where id = ${id}::uuid and drain_from is null`);
}

/** Runs in flight that may work with the secrets of before. Work behind a gate has secrets of its own. */
export async function runsOfBefore(
  tx: Tx,
  input: { readonly endpointId: number; readonly drainFrom: number; readonly openSince: number },
): Promise<number> {
  const [row] = await selectRows<{ runs: number }>(
    tx,
    sql`select count(*)::integer as runs from run as r join integration as i on i.id = r.integration_id
      where r.state = 'running' and r.due_at >= ${input.openSince}::timestamptz and r.trigger <> 'gate' and r.started_at <= ${input.drainFrom}::timestamptz
        and (i.source_endpoint_id = ${input.endpointId} or i.target_endpoint_id = ${input.endpointId})`,
  );
  return row?.runs ?? 0;
}

/** Begins a rotation. Ask under the endpoint's lock. Answers its id. */
export async function insertRotation(
  tx: Tx,
  input: {
    readonly endpointId: number;
    readonly trigger: RotationTrigger;
    readonly state: "awaiting" | "issuing" | "testing";
    readonly requestedBy: string;
    readonly reason: string | null;
    readonly newCredentialId: number | null;
  },
): Promise<string> {
  const { endpointId, trigger, state, requestedBy, reason, newCredentialId } = input;
  const [row] = await selectRows<{ id: string }>(
    tx,
    sql`
    insert into credential_rotation (endpoint_id, trigger, state, requested_by, reason, old_credential_id, new_credential_id, basis)
    select e.id, ${trigger}, ${state}, ${requestedBy}, ${reason}, (select c.id from credential as c where c.endpoint_id = e.id and c.in_force),
      ${newCredentialId}::bigint, ${basisOfEndpoint}
    from endpoint as e where e.id = ${endpointId} returning id`,
  );
  if (row === undefined) throw new Error("The rotation was not written.");
  return row.id;
}

/** The open rotation of an endpoint. */
export async function openRotationOf(
  tx: Tx,
  endpointId: number,
): Promise<{
  readonly id: string;
  readonly state: RotationState;
  readonly nextAt: number;
  readonly step: number;
  readonly newCredentialId: number | null;
} | null> {
  const [row] = await selectRows<{ id: string; state: RotationState; nextAt: number; step: number; newCredentialId: number | null }>(
    tx,
    sql`select id, state, next_at as "nextAt", step, new_credential_id as "newCredentialId" from credential_rotation
      where endpoint_id = ${endpointId} and ended_at is null for update`,
  );
  return row ?? null;
}
