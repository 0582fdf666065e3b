import { markSample, type Sample } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { createSampleBatch } from "./sample-batch.js";
import { samplesKeptFrom, seriesOf, storeSamples } from "./store-samples.js";

/** Events of one transaction. */
const mostEvents = 2_000;

/** An attempt of a run that ended, as its event tells. */
interface EndedAttempt {
  readonly integrationId: number;
  readonly runId: string;
  readonly at: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly dueAt: number;
  /** The run has ended with it, well or not; otherwise it will be tried again. */
  readonly isLast: boolean;
  readonly ok: boolean;
  readonly written: number | null;
  /** How long a hold kept the run that was due. */
  readonly heldMs: number;
}

/**
 * Makes samples of the runs that have ended, from the live events: once each, whatever stops in between, for the place in the log is written with the samples.
 * `more`: there is more to read at once.
 */
export function sampleEndedRuns(context: { readonly database: Database }): Promise<{ readonly samples: number; readonly more: boolean }> {
  return inTransaction(context, async (tx) => {
    const [progress] = await selectRows<{ position: number }>(
      tx,
      sql`select followed_position as position from kpi_progress for update skip locked`,
    );
    if (progress === undefined) return { samples: 0, more: false };
    const [page] = await selectRows<{ last: number | null; events: number }>(
      tx,
      sql`select max(position) as last, count(*)::integer as events
        from (select position from event_log where position > ${progress.position} order by position limit ${mostEvents}) as page`,
    );
    if (page === undefined || page.last === null) return { samples: 0, more: false };
    const attempts = await endedAttempts(tx, { after: progress.position, through: page.last });
    const samples = await writeSamples(tx, attempts);
    await tx.execute(sql`update kpi_progress set followed_position = ${page.last}`);
    return { samples, more: page.events === mostEvents };
  });
}

function endedAttempts(tx: Tx, range: { readonly after: number; readonly through: number }): Promise<readonly EndedAttempt[]> {
  // An attempt that was handed back is nobody's failure: it has no error. Days of runs may be gone, so the run itself is only looked at for its hold.
  return selectRows<EndedAttempt>(
    tx,
    sql`
    select i.id as "integrationId", e.subject_key as "runId", e.at, (e.payload ->> 'attempt')::integer as attempt,
      (e.payload ->> 'startedAt')::timestamptz as "startedAt", (e.payload ->> 'dueAt')::timestamptz as "dueAt", e.kind = 'run.finished' as "isLast",
      e.payload ->> 'state' = 'succeeded' as ok, (e.payload -> 'figures' ->> 'written')::float8 as written,
      coalesce((select greatest(0, extract(epoch from r.released_at - greatest(r.held_since, r.due_at)) * 1000) from run as r
        where r.id = e.subject_key::uuid and r.due_at = (e.payload ->> 'dueAt')::timestamptz and r.released_at is not null), 0)::float8 as "heldMs"
    from event_log as e join integration as i on i.key = e.integration_key
    where e.position > ${range.after} and e.position <= ${range.through} and e.subject_kind = 'run'
      and (e.kind = 'run.finished' or e.kind = 'run.requeued' and e.payload -> 'error' <> 'null'::jsonb)
      and e.payload ->> 'startedAt' is not null and e.payload ->> 'attempt' is not null
    order by e.position`,
  );
}

async function writeSamples(tx: Tx, attempts: readonly EndedAttempt[]): Promise<number> {
  const now = await readNow(tx);
  const keptFrom = await samplesKeptFrom(tx, now);
  const batch = createSampleBatch();
  const known = new Map<string, number>();
  for (const attempt of attempts) {
    // The event's own time is the database's: never ahead of now but by what a clock was set back.
    const at = Math.min(attempt.at, now);
    for (const sample of samplesOf(attempt)) {
      const from = keptFrom(sample.metric);
      if (at < from) continue;
      const place = { integrationId: attempt.integrationId, metric: sample.metric };
      const name = `${place.integrationId} ${place.metric}`;
      const seriesId = known.get(name) ?? (await seriesOf(tx, place));
      known.set(name, seriesId);
      const full: Sample = { ...sample, integration: "", at, key: `${attempt.runId}/${attempt.attempt}` };
      // What was followed late was no late sample.
      batch.add(full, { seriesId, mark: markSample(at, { now: at, keptFrom: from }) });
    }
  }
  return storeSamples(tx, batch);
}

function samplesOf(attempt: EndedAttempt): readonly Pick<Sample, "metric" | "value" | "ok">[] {
  const { at, startedAt, dueAt, ok, written } = attempt;
  const totalMs = Math.max(0, at - dueAt);
  return [
    { metric: "run.attempt", value: Math.max(0, at - startedAt), ok },
    ...(attempt.attempt > 1 ? [{ metric: "run.retry", value: 1, ok }] : []),
    ...(attempt.isLast
      ? [
          { metric: "run.latency", value: totalMs, ok },
          { metric: "run.latency-without-hold", value: Math.max(0, totalMs - attempt.heldMs), ok },
        ]
      : []),
    ...(written === null ? [] : [{ metric: "run.records", value: written, ok }]),
  ];
}
