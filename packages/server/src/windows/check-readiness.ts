import { readinessRetryMs } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { announce } from "./readiness.js";

/** Asks the system behind an endpoint whether it is ready; says why not in a sentence without secrets. Ends within seconds, and never throws. */
export interface ReadinessProbe {
  isReady(asked: {
    readonly endpoint: string;
    readonly connector: string;
  }): Promise<{ readonly ready: boolean; readonly why: string | null }>;
}

/** Checks that one pass makes at once. */
const maxChecks = 10;
/** A check whose server died is made by another after this. A check takes ten seconds at most. */
const leaseMs = 30_000;
const maxErrorCharacters = 500;

/** Nobody has let it go meanwhile. `o` is the alias of occurrence. */
const stillWaits = sql`o.closed_at is null and (o.released_at is null or o.reheld_at is not null)`;

interface DueCheck {
  readonly [column: string]: unknown;
  readonly occurrenceId: number;
  readonly endpointId: number;
  readonly endpoint: string;
  readonly connector: string;
  readonly attempts: number;
  readonly error: string | null;
}

/**
 * Makes the checks that are due for occurrences that wait for their systems: each by one server, outside of any transaction, its answer stored.
 * Answers how many it made.
 */
export async function checkReadiness(context: { readonly database: Database; readonly probe: ReadinessProbe }): Promise<number> {
  const due = await context.database.db.execute<DueCheck>(sql`
    update readiness_check as k
    set attempts = k.attempts + 1, last_at = app_now(), next_at = app_now() + ${`${leaseMs} milliseconds`}::interval
    from (
      select c.occurrence_id, c.endpoint_id from readiness_check as c join occurrence as o on o.id = c.occurrence_id
      where not c.ok and c.next_at <= app_now() and ${stillWaits}
      order by c.next_at, c.occurrence_id, c.endpoint_id limit ${maxChecks}
      for update of c skip locked) as mine
    join endpoint as e on e.id = mine.endpoint_id
    where k.occurrence_id = mine.occurrence_id and k.endpoint_id = mine.endpoint_id
    returning k.occurrence_id as "occurrenceId", k.endpoint_id as "endpointId", e.key as endpoint, e.connector, k.attempts, k.error`);
  await Promise.all(
    due.map(async (check) => {
      const answer = await context.probe.isReady(check);
      await store(context, check, answer);
    }),
  );
  return due.length;
}

function store(
  context: { readonly database: Database },
  check: DueCheck,
  answer: { readonly ready: boolean; readonly why: string | null },
): Promise<void> {
  const { occurrenceId, endpointId, endpoint, attempts } = check;
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    const error = answer.ready ? null : (answer.why ?? "It is not ready.").slice(0, maxErrorCharacters);
    // Fenced by the attempt: an answer that comes after the lease has ended is somebody else's by now.
    const stored = await tx.execute(sql`
      update readiness_check set ok = ${answer.ready}, error = ${error}, next_at = ${now + readinessRetryMs(attempts)}::timestamptz
      where occurrence_id = ${occurrenceId} and endpoint_id = ${endpointId} and attempts = ${attempts} and not ok
        and exists (select from occurrence as o where o.id = ${occurrenceId} and ${stillWaits})
      returning endpoint_id`);
    if (stored.length === 0 || (!answer.ready && error === check.error)) return;
    await announce(tx, { occurrenceId, kind: "window.readiness-checked", payload: { endpoint, ok: answer.ready, error, attempts } });
  });
}
