import { type Action, can, canEverywhere, DomainError, markSample, type Principal, readSample, type Sample } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { resourcesOf } from "../access/targets.js";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { createSampleBatch, type SampleBatch } from "./sample-batch.js";
import { requireRoom, samplesKeptFrom, seriesOf, storeSamples } from "./store-samples.js";

/** The right to hand in measurements of an integration. */
const right: Action = "samples.push";
/** Samples of one transaction. */
const batchSize = 10_000;
/** Batches of one request that are written while the next is read. */
const batchesInFlight = 2;
/** So many refusals are told one by one. */
const toldRefusals = 100;

/** Why one sample was not taken. */
export interface SampleRefusal {
  /** Its place among what was sent, from 1 on. */
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** What became of samples; once it is answered they are durable. */
export interface SamplesTaken {
  readonly accepted: number;
  /** They were there already. */
  readonly duplicates: number;
  /** Accepted although they came late, or from a clock that is ahead. */
  readonly marked: number;
  readonly refused: number;
  /** The first hundred of these. */
  readonly refusals: readonly SampleRefusal[];
}

/** Takes samples one after the other; `done` waits for what is under way. */
export interface SampleIntake {
  /** What was sent at this place: a value out of JSON, or text that should be JSON. Waits while too much is under way. */
  take(line: number, given: { readonly json: string } | { readonly value: unknown }): void | Promise<void>;
  done(): Promise<SamplesTaken>;
}

/** Who hands in, and which database they see. */
export interface SampleSender {
  readonly principal: Principal;
  readonly seen: Database;
  readonly whole: Database;
}

/**
 * Takes samples for integrations that the sender may hand in for. What is wrong with one concerns that one alone. `isTrial`: nothing is written; accepted is
 * what would be, among it what is there already.
 */
export async function takeSamples(sender: SampleSender, { isTrial } = { isTrial: false }): Promise<SampleIntake> {
  const { db } = sender.whole;
  const now = await readNow(db);
  const keptFrom = await samplesKeptFrom(db, now);
  const places = createPlaces(sender, { isTrial });
  const totals = { accepted: 0, duplicates: 0, marked: 0, refused: 0 };
  const refusals: SampleRefusal[] = [];
  const inFlight = new Set<Promise<void>>();
  let batch = createSampleBatch();
  let failure: unknown = null;

  const write = async (full: SampleBatch): Promise<void> => {
    // Who sends one sample twice sends many: a request that is repeated.
    const areNew = totals.duplicates === 0;
    const written = isTrial ? full.size : await inTransaction({ database: sender.whole }, (tx) => storeSamples(tx, full, { areNew }));
    totals.accepted += written;
    totals.duplicates += full.size - written;
    totals.marked += full.marked;
  };
  const flush = async (): Promise<void> => {
    const full = batch;
    batch = createSampleBatch();
    const writing = write(full)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => inFlight.delete(writing));
    inFlight.add(writing);
    if (inFlight.size >= batchesInFlight) await Promise.race(inFlight);
    if (failure !== null) throw failure;
  };
  const refuse = (line: number, error: unknown): void => {
    if (!(error instanceof DomainError)) throw error;
    totals.refused += 1;
    if (refusals.length < toldRefusals) refusals.push({ line, code: error.code, message: error.message });
  };
  const keep = (sample: Sample, seriesId: number): void | Promise<void> => {
    batch.add(sample, { seriesId, mark: markSample(sample.at, { now, keptFrom: keptFrom(sample.metric) }) });
    return batch.size >= batchSize ? flush() : undefined;
  };

  return {
    take(line, given) {
      try {
        const sample = readSample("json" in given ? parsed(given.json) : given.value);
        const known = places.known(sample);
        if (known !== undefined) return keep(sample, known);
        return places
          .find(sample)
          .then((seriesId) => keep(sample, seriesId))
          .catch((error: unknown) => refuse(line, error));
      } catch (error) {
        return refuse(line, error);
      }
    },
    async done() {
      if (batch.size > 0) await flush();
      await Promise.all(inFlight);
      if (failure !== null) throw failure;
      return { ...totals, refusals };
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new DomainError("QSC_SAMPLE_INVALID", `This is no JSON: ${text.slice(0, 60)}`);
  }
}

/** Which series samples belong to. Every integration and series is looked up once a request, with the sender's right to it. */
function createPlaces({ principal, seen, whole }: SampleSender, { isTrial }: { readonly isTrial: boolean }) {
  const integrations = new Map<string, Promise<number>>();
  const series = new Map<string, Map<string, number>>();
  /** Metrics that a trial would make, of each integration. */
  const promised = new Map<string, Set<string>>();
  const integrationOf = async (key: string): Promise<number> => {
    const refusal = new DomainError(
      "QSC_INTEGRATION_NOT_FOUND",
      `There is no integration "${key.slice(0, 100)}" that you may send samples of.`,
      {
        field: "integration",
      },
    );
    if (!canEverywhere(principal, right)) {
      const resources = await resourcesOf({ kind: "integration", key }, { seen, whole });
      if (resources === null || !resources.every((one) => can(principal, right, one))) throw refusal;
    }
    const [row] = await selectRows<{ id: number }>(whole.db, sql`select id from integration where key = ${key}`);
    if (row === undefined) throw refusal;
    return row.id;
  };
  const find = async ({ integration, metric }: Sample): Promise<number> => {
    const id = integrations.get(integration) ?? integrationOf(integration);
    integrations.set(integration, id);
    const integrationId = await id;
    const known = series.get(integration) ?? new Map<string, number>();
    series.set(integration, known);
    const before = known.get(metric);
    if (before !== undefined) return before;
    const others = promised.get(integration) ?? new Set<string>();
    promised.set(integration, others);
    const isNew = await requireRoom(whole.db, { integrationId, metric, integration, promised: others.size });
    // In a trial none is made, and its number is not used.
    if (isTrial && isNew) others.add(metric);
    const made = isTrial ? 0 : await seriesOf(whole.db, { integrationId, metric });
    known.set(metric, made);
    return made;
  };
  return {
    known: ({ integration, metric }: Sample): number | undefined => series.get(integration)?.get(metric),
    find,
  };
}
