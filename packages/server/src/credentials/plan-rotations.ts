import { DomainError, dueWarning, rotationDue, type RotationTrigger } from "@quiesce/core";
import { isConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { clock } from "../clock.js";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import type { Log } from "../log.js";
import { credentialFacts, type CredentialFacts } from "./queries.js";
import { requestRotation, type RotationContext } from "./rotation-commands.js";

/** Endpoints of one statement. */
const BATCH = 500;
/** Ended rotations are kept so long; the audit trail keeps what was done. */
const keptDays = 400;
const complainEveryMs = 3_600_000;

/** What planning needs; `told`: endpoints that the log has complained of, with the monotonic time. */
export interface PlanContext extends RotationContext {
  readonly log: Log;
  readonly told: Map<string, number>;
}

/**
 * Begins the rotations whose time has come, each in a transaction of its own. An endpoint whose system is held begins when it is free. Two servers may do
 * it at once: an endpoint has one open rotation. Answers how many began.
 */
export async function planRotations(context: PlanContext): Promise<number> {
  let begun = 0;
  for (let after: number | null = 0; after !== null;) {
    const facts: readonly CredentialFacts[] = await credentialFacts(context.database.db, { after, limit: BATCH });
    const now = await readNow(context.database.db);
    for (const one of facts) {
      const trigger = one.isOpen || one.held ? null : rotationDue(one, now);
      if (trigger !== null && (await begin(context, one.key, trigger))) begun += 1;
    }
    after = facts.length < BATCH ? null : (facts.at(-1)?.endpointId ?? null);
  }
  return begun;
}

async function begin(context: PlanContext, endpoint: string, trigger: RotationTrigger): Promise<boolean> {
  try {
    await requestRotation(context, { endpoint, trigger });
    return true;
  } catch (error) {
    if (!(error instanceof DomainError) && !isConnectorError(error)) throw error;
    // Another server was faster.
    if (error instanceof DomainError && error.code === "QSC_CREDENTIALS_ROTATING") return false;
    // The endpoint is not as it should be: its findings say so again and again, the log once an hour is enough.
    if (!mayTell(context.told, endpoint)) return false;
    context.log.warn({ err: error, endpoint }, "A rotation whose time has come could not begin.");
    return false;
  }
}

/** Whether a complaint about an endpoint may go into the log again. */
function mayTell(told: Map<string, number>, endpoint: string): boolean {
  const now = clock.monotonicMs();
  if (now - (told.get(endpoint) ?? Number.NEGATIVE_INFINITY) < complainEveryMs) return false;
  told.set(endpoint, now);
  return true;
}

/** Tells of credentials that end in 30, 14, 7 and 1 days, each once, with the events of certificates. Answers of how many. */
export async function warnOfCredentials(context: { readonly database: Database }): Promise<number> {
  let warned = 0;
  for (let after: number | null = 0; after !== null;) {
    const page = await warnPage(context, after);
    warned += page.warned;
    after = page.last;
  }
  return warned;
}

/** The same for endpoints behind an id; `last`: where the next page begins, null: there is none. */
function warnPage(
  context: { readonly database: Database },
  after: number,
): Promise<{ readonly warned: number; readonly last: number | null }> {
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    const rows = await selectRows<{ id: number; key: string; expiresAt: number; toldDays: number | null }>(
      tx,
      sql`
      select e.id, e.key, x.ends as "expiresAt", case when e.credential_told_end = x.ends then e.credential_told_days end as "toldDays"
      from endpoint as e cross join lateral (
        select least(c.expires_at, (select min(s.expires_at) from endpoint_secret as s where s.endpoint_id = e.id and not (s.name = any (coalesce(c.names, '{}'))))) as ends
        from (select) as one left join credential as c on c.endpoint_id = e.id and c.in_force) as x
      where e.id > ${after} and x.ends < app_now() + interval '31 days' order by e.id for update of e skip locked limit ${BATCH}`,
    );
    const due = rows.flatMap((row) => {
      const days = dueWarning(row, now);
      return days === null ? [] : [{ ...row, days }];
    });
    for (const { id, days, expiresAt } of due)
      await tx.execute(
        sql`update endpoint set credential_told_days = ${days}, credential_told_end = ${expiresAt}::timestamptz where id = ${id}`,
      );
    await appendEvents(
      tx,
      due.map(({ key, expiresAt, days }) => ({
        kind: "endpoint.certificate-expiring",
        subjectKind: "endpoint",
        subjectKey: key,
        payload: { origin: "credential", expiresAt: payloadInstant(expiresAt), days },
      })),
    );
    return { warned: due.length, last: rows.length < BATCH ? null : (rows.at(-1)?.id ?? null) };
  });
}

/** Forgets values that are of no use any more, and rotations that ended long ago. */
export function forgetRotations(context: { readonly database: Database }): Promise<void> {
  return inTransaction(context, async (tx) => {
    await tx.execute(sql`
      update credential as c set secrets = '{}' where not c.in_force and c.secrets <> '{}' and c.made_at < app_now() - interval '1 day'
        and not exists (select from credential_rotation as r where r.ended_at is null and (r.old_credential_id = c.id or r.new_credential_id = c.id))`);
    await tx.execute(sql`delete from credential_rotation where ended_at < app_now() - ${keptDays}::float8 * interval '1 day'`);
  });
}
