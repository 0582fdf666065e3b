import { setImmediate } from "node:timers/promises";
import { hasExpressions, type Mapping, type MappingError, type MappingResult, mapperOf } from "@quiesce/core";
import type { JsonObject, SourceRecord, WriteItem } from "@quiesce/sdk";
import { idempotencyKeysOf, type ReadPlace } from "./idempotency-key.js";
import type { StreamRun } from "./pipeline-run.js";
import { collectTrial, outcomeOf, type PageTrial, shadowOf, treatmentOf } from "./running-trial.js";

/** A record on its way: as it was read, and as it will be written. */
export interface PreparedRecord {
  readonly source: SourceRecord;
  readonly item: WriteItem;
}

/** A record that could not be delivered, for the dead letters. */
export interface DeadRecord {
  readonly source: SourceRecord;
  readonly idempotencyKey: string;
  readonly error: DeadError;
}

export interface DeadError {
  readonly stage: "read" | "map" | "write";
  readonly kind: string;
  readonly message: string;
  readonly fields?: readonly MappingError[];
  readonly field?: string | undefined;
  readonly status?: number | string | undefined;
  readonly ambiguous?: boolean | undefined;
}

export interface PreparedPage {
  readonly ready: readonly PreparedRecord[];
  readonly dead: readonly DeadRecord[];
  /** What the mapping's condition passes over. */
  readonly skipped: readonly SourceRecord[];
  /** What another definition that is being tried made of it. */
  readonly trial: PageTrial;
}

/** Expressions are evaluated without a turn of the event loop: after so many records everything else of the server has its turn. */
const COMPUTED_RECORDS_A_TURN = 20;

/** A longer key could not stand in an index. */
const MAX_KEY_LENGTH = 1_000;

/** Maps the records of a page. What does not fit is set aside with everything that is wrong with it; tombstones are dropped where deletions are ignored. */
export async function prepareRecords(records: readonly SourceRecord[], run: StreamRun, place: ReadPlace): Promise<PreparedPage> {
  const ready: PreparedRecord[] = [];
  const dead: DeadRecord[] = [];
  const skipped: SourceRecord[] = [];
  const { stream, trial } = run;
  const tried = collectTrial(stream.stream);
  const { integrationKey: integration, runId } = run.run;
  const keyOf = idempotencyKeysOf({ integration, stream: stream.stream, ...place, runId }, records);
  const map = mapperOnce();
  const mappings = [stream.mapping, trial?.streams[stream.stream]?.mapping];
  for (const [index, source] of records.entries()) {
    if (index % COMPUTED_RECORDS_A_TURN === COMPUTED_RECORDS_A_TURN - 1) await letOthersTurn(mappings, index);
    const problem = recordProblem(source);
    if (problem !== undefined) {
      const shown = { key: shownKey(source), data: {} };
      dead.push({
        source: shown,
        idempotencyKey: "",
        error: { stage: "read", kind: "contract", message: `The source gave a record that cannot be used: ${problem}.` },
      });
      continue;
    }
    const { stream: treated, isCanary } = treatmentOf(stream, source, trial);
    const shadow = shadowOf(stream, source, trial);
    if (source.op === "delete" && treated.deletes === "ignore") {
      if (shadow !== undefined && source.problem === undefined)
        tried.compare(source, { kind: "skipped" }, await outcomeOf(shadow, source, map));
      continue;
    }
    if (source.problem !== undefined) {
      dead.push({ source, idempotencyKey: keyOf(source), error: readFailure(source.problem) });
      continue;
    }
    const answer = map(treated.mapping, source);
    const mapped = answer instanceof Promise ? await answer : answer;
    if (isCanary) tried.canary(source);
    if (shadow !== undefined) tried.compare(source, mapped, await outcomeOf(shadow, source, map));
    if (mapped.kind === "mapped") ready.push({ source, item: itemOf(source, mapped.record, keyOf) });
    else if (mapped.kind === "skipped") skipped.push(source);
    else dead.push({ source, idempotencyKey: keyOf(source), error: mappingFailure(mapped.errors) });
  }
  return { ready, dead, skipped, trial: tried.page };
}

/**
 * An item whose idempotency key is made when it is asked for: most targets know a record by its own key, and to make one takes longer than to map the
 * record. A copy of the item, into another thread too, has it as a plain value.
 */
class UnkeyedItem implements WriteItem {
  declare readonly key: string;
  declare readonly data: JsonObject;
  declare readonly idempotencyKey: string;
  readonly #source: SourceRecord;
  readonly #keyOf: (source: SourceRecord) => string;

  constructor(source: SourceRecord, mapped: SourceRecord, keyOf: (source: SourceRecord) => string) {
    Object.assign(this, mapped);
    this.#source = source;
    this.#keyOf = keyOf;
    Object.defineProperty(this, "idempotencyKey", UnkeyedItem.#own);
  }

  // One for all items: with a getter each, every item would be a dictionary, which takes three to four times as long to make and to read.
  static readonly #own: PropertyDescriptor & ThisType<UnkeyedItem> = {
    enumerable: true,
    get() {
      return this.#keyOf(this.#source);
    },
  };
}

function itemOf(source: SourceRecord, mapped: SourceRecord, keyOf: (record: SourceRecord) => string): WriteItem {
  return new UnkeyedItem(source, mapped, keyOf);
}

/** Maps records by this mapping or that, each made ready once. */
function mapperOnce(): (mapping: Mapping, record: SourceRecord) => MappingResult | Promise<MappingResult> {
  const ready = new Map<Mapping, ReturnType<typeof mapperOf>>();
  return (mapping, record) => {
    let mapper = ready.get(mapping);
    if (mapper === undefined) ready.set(mapping, (mapper = mapperOf(mapping)));
    return mapper(record);
  };
}

/** Between records that are computed: see {@link COMPUTED_RECORDS_A_TURN}. */
export async function letOthersTurn(mappings: readonly (Mapping | undefined)[], index: number): Promise<void> {
  const isTurn = index % COMPUTED_RECORDS_A_TURN === COMPUTED_RECORDS_A_TURN - 1;
  if (isTurn && mappings.some((mapping) => mapping !== undefined && hasExpressions(mapping))) await setImmediate();
}

function recordProblem(record: SourceRecord): string | undefined {
  if (typeof record !== "object" || record === null) return `found ${String(record)}, expected an object`;
  const { key, op, version, data } = record;
  if (typeof key !== "string" || key === "") return "its key is not a text, or empty";
  if (key.length > MAX_KEY_LENGTH || key.includes("\0"))
    return `its key has ${key.length} characters or a zero character; allowed are ${MAX_KEY_LENGTH}, none of them zero`;
  if (op !== undefined && op !== "upsert" && op !== "delete") return `its op is ${String(op).slice(0, 40)}, expected upsert or delete`;
  if (version !== undefined && typeof version !== "string") return `its version is a ${typeof version}, expected a text`;
  if (typeof data !== "object" || data === null || Array.isArray(data)) return "its data is not an object";
  if (record.problem !== undefined && typeof record.problem !== "string")
    return `its problem is a ${typeof record.problem}, expected a text`;
  return undefined;
}

/** What the source itself says is wrong with a record; no mapping mends that. */
export function readFailure(problem: string): DeadError {
  return { stage: "read", kind: "contract", message: problem };
}

function shownKey(record: SourceRecord | null | undefined): string {
  const key: unknown = record?.key;
  return typeof key === "string" && key !== "" ? key.slice(0, MAX_KEY_LENGTH) : "(no key)";
}

/** What is wrong with a record that does not fit the mapping. */
export function mappingFailure(errors: readonly MappingError[]): DeadError {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more fields)` : "";
  const message =
    first === undefined
      ? "The record does not fit the mapping."
      : `${first.field}: found ${first.found}, expected ${first.expected}${more}.`;
  return { stage: "map", kind: "invalid", message, fields: errors, field: first?.field };
}
