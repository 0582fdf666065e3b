import { joinKey, type Connector, type Cursor, type SourceRecord } from "../../index.js";
import {
  ConformanceFailure,
  must,
  rejectedAs,
  show,
  withBench,
  type Bench,
  type ConformanceCase,
  type SuiteCases,
} from "../conformance-case.js";
import type { ReadOptions, SeedRow, Subject } from "../conformance-options.js";
import { FAR_FUTURE, inFuture } from "../future-cursor.js";
import { watchHandles } from "../live-handles.js";
import { listedKeys, readPart, readResumed, readResumedBehindAhead } from "../read-pages.js";
import { SEED_ROWS } from "../seed-rows.js";
import { TEST_NOW } from "../test-context.js";

const SKEW_MS = 300_000;
const MINUTE_MS = 60_000;
const FUTURE_ROUNDS = 3;
const PAGE_SIZES = [1, 2, 5, 100];

interface Reading<T> extends Bench<T> {
  readonly connector: Connector;
  readonly read: ReadOptions<T>;
  readonly expected: readonly string[];
  /** Makes a row newer than all others and gives its key. */
  readonly change: (id: string, at?: Date) => Promise<string>;
}

/** Nothing is lost, nothing comes twice, wherever reading ends and goes on. */
export function readCases<T>(subject: Subject<T>): SuiteCases {
  const { connector, options } = subject;
  if (connector.read === undefined) return { skipped: "the connector does not read" };
  const { read } = options;
  if (read === undefined) return [missing("the connector reads, so options.read must say which stream and how to fill it")];
  const one = (name: string, work: (reading: Reading<T>) => Promise<void>): ConformanceCase => ({
    suite: "read",
    name: `read: ${name}`,
    run: () => withBench(subject, async (bench) => work(await seeded(connector, read, bench))),
  });
  const finds = read.remove !== undefined;
  return [
    ...(connector.streams === undefined ? [] : [one("the stream is listed, with a key that its records have", describesStream)]),
    ...PAGE_SIZES.map((pageSize) => one(`pages of ${pageSize} give every record once`, (reading) => readsAll(reading, pageSize))),
    ...[1, 2, 5].map((pageSize) =>
      one(`killed after each page of ${pageSize}, nothing is lost or doubled`, (reading) => resumes(reading, pageSize)),
    ),
    one("killed when the page after one that says ahead was given, nothing is lost or doubled", resumesBehindAhead),
    one("behind the end comes what has changed since, and nothing else", followsChanges),
    one("a change is found though clocks differ by five minutes", toleratesSkew),
    one("a cursor of the future does not silence the stream for ever", survivesFuture),
    one("a range of time is kept to, or refused as config", keepsRange),
    one("a stream that there is not is config", refusesUnknown),
    closesReader(subject, read),
    ...(connector.listKeys === undefined ? [] : [one("listKeys lists the keys of read, on pages of any size", listsKeys)]),
    ...(finds ? [one("a deleted record is found as the stream declares", findsDeletions)] : []),
  ];
}

function missing(why: string): ConformanceCase {
  return {
    suite: "read",
    name: "read: options are given",
    run: async () => Promise.reject(new ConformanceFailure(`options.read is missing: ${why}.`)),
  };
}

async function seeded<T>(connector: Connector, read: ReadOptions<T>, bench: Bench<T>): Promise<Reading<T>> {
  const keyOf = (row: SeedRow): string => read.keyOf?.(row) ?? row.id;
  await read.seed(bench.system, SEED_ROWS);
  const change = async (id: string, at = new Date(TEST_NOW.getTime() - 1000)): Promise<string> => {
    const row: SeedRow = { id, at, n: 1000 + Number(id) };
    await read.seed(bench.system, [row]);
    return keyOf(row);
  };
  return { ...bench, connector, read, expected: SEED_ROWS.map(keyOf), change };
}

function sameKeys<T>({ read, expected }: Reading<T>, records: readonly SourceRecord[], what: string): void {
  const keys = records.map((record) => record.key);
  const lost = expected.filter((key) => !keys.includes(key));
  must(lost.length === 0, `${what} lost ${lost.length} of ${expected.length} records: ${show(lost)}.`);
  const strange = keys.filter((key) => !expected.includes(key));
  must(strange.length === 0, `${what} gave records that are not there: ${show(strange)}.`);
  const doubled = keys.filter((key, index) => keys.indexOf(key) !== index);
  must(read.repeats === true || doubled.length === 0, `${what} gave records twice: ${show(doubled)}.`);
}

async function describesStream<T>({ connector, read, context }: Reading<T>): Promise<void> {
  const x = await context();
  const streams = (await connector.streams?.(x)) ?? [];
  const stream = streams.find(({ name }) => name === read.stream);
  must(stream !== undefined, `streams lists ${show(streams.map(({ name }) => name))}, expected "${read.stream}" among them.`);
  must(JSON.stringify(JSON.parse(JSON.stringify(streams))) === JSON.stringify(streams), "streams gives something that JSON does not keep.");
  const { records } = await readPart(connector, x, { stream: read.stream, pageSize: 100 });
  for (const record of records.filter(({ op }) => op !== "delete")) {
    const key = joinKey(stream.key.map((name) => memberAt(record.data, name)));
    must(key === record.key, `The record ${record.key} has ${show(key)} in its key fields (${stream.key.join(", ")}).`);
  }
}

function memberAt(data: SourceRecord["data"], path: string): SourceRecord["data"][string] | undefined {
  if (Object.hasOwn(data, path)) return data[path];
  let found: unknown = data;
  for (const name of path.split(".")) found = typeof found === "object" && found !== null ? Reflect.get(found, name) : undefined;
  return found as SourceRecord["data"][string] | undefined;
}

async function readsAll<T>(reading: Reading<T>, pageSize: number): Promise<void> {
  const { records } = await readPart(reading.connector, await reading.context(), { stream: reading.read.stream, pageSize });
  sameKeys(reading, records, `Reading in pages of ${pageSize}`);
}

async function resumes<T>(reading: Reading<T>, pageSize: number): Promise<void> {
  const records = await readResumed(reading.connector, await reading.context(), { stream: reading.read.stream, pageSize });
  sameKeys(reading, records, `Reading with a new reader after each page of ${pageSize}`);
}

async function resumesBehindAhead<T>(reading: Reading<T>): Promise<void> {
  const request = { stream: reading.read.stream, pageSize: 2 };
  const records = await readResumedBehindAhead(reading.connector, await reading.context(), request);
  sameKeys(reading, records, "Reading again from before a page that said ahead, and that the next one was asked for after,");
}

async function isIncremental<T>({ connector, read, context }: Reading<T>): Promise<boolean> {
  const streams = (await connector.streams?.(await context())) ?? [];
  return streams.find(({ name }) => name === read.stream)?.cursor !== "none";
}

async function followsChanges<T>(reading: Reading<T>): Promise<void> {
  const { connector, read, context, change, expected } = reading;
  const x = await context();
  const request = { stream: read.stream, pageSize: 5 };
  const { cursor } = await readPart(connector, x, request);
  const incremental = await isIncremental(reading);
  const again = await readPart(connector, x, { ...request, cursor });
  if (incremental && read.repeats !== true)
    must(
      again.records.length === 0,
      `Nothing has changed behind the end, and read gave ${again.records.length} records: ${keysIn(again.records)}.`,
    );
  const key = await change("4");
  const next = await readPart(connector, x, { ...request, cursor: again.cursor });
  must(
    next.records.some((record) => record.key === key),
    `The record ${key} was changed behind the end, and read gave ${keysIn(next.records)}.`,
  );
  // A file that was replaced is read anew as a whole: that is all or the one.
  const surplus = incremental && read.repeats !== true && next.records.length !== 1 && next.records.length < expected.length;
  must(!surplus, `One record was changed behind the end, and read gave ${keysIn(next.records)}.`);
}

function keysIn(records: readonly SourceRecord[]): string {
  return show(records.map((record) => record.key));
}

async function toleratesSkew<T>({ connector, read, context, change }: Reading<T>): Promise<void> {
  for (const [index, skewMs] of [SKEW_MS, -SKEW_MS].entries()) {
    const x = await context({ now: new Date(TEST_NOW.getTime() + skewMs) });
    const { cursor } = await readPart(connector, x, { stream: read.stream, pageSize: 100 });
    const key = await change(String(index + 1), new Date(TEST_NOW.getTime() + index));
    const { records } = await readPart(connector, x, { stream: read.stream, pageSize: 100, cursor });
    must(
      records.some((record) => record.key === key),
      `The clock here is ${skewMs / 1000} s off, and the record ${key} that changed since was not read.`,
    );
  }
}

/** Time goes on, the record changes each time: what comes from a cursor of the future must come some day. */
async function survivesFuture<T>({ connector, read, context, change }: Reading<T>): Promise<void> {
  const real = read.clock === "real";
  const x = await context(real ? { now: new Date() } : {});
  const request = { stream: read.stream, pageSize: 5 };
  const cursor = inFuture((await readPart(connector, x, request)).cursor);
  if (cursor === null) return;
  const seen: SourceRecord[] = [];
  let key = "";
  let next: Cursor | null = cursor;
  try {
    for (let round = 0; round < FUTURE_ROUNDS; round += 1) {
      const part: Awaited<ReturnType<typeof readPart>> = await readPart(connector, x, { ...request, cursor: next });
      seen.push(...part.records);
      next = part.cursor;
      x.advance(MINUTE_MS);
      key = await change("2", real ? new Date() : x.clock.now());
    }
  } catch (thrown) {
    if (thrown instanceof ConformanceFailure) throw thrown;
    await rejectedAs("read from a cursor of the future", ["config"], Promise.reject(thrown));
    return;
  }
  must(
    seen.some((record) => record.key === key),
    `From a cursor of the year 2999 ${FUTURE_ROUNDS} rounds gave ${keysIn(seen)}, though the record ${key} changed each time. Begin again, or throw config.`,
  );
}

async function keepsRange<T>({ connector, read, context }: Reading<T>): Promise<void> {
  const request = { stream: read.stream, pageSize: 100, from: FAR_FUTURE };
  const outcome = readPart(connector, await context(), request);
  const records = await outcome.then((part) => part.records).catch(() => undefined);
  if (records === undefined) await rejectedAs("read of a range", ["config"], outcome);
  else
    must(records.length === 0, `read from ${FAR_FUTURE} on gave ${keysIn(records)}, expected nothing, or config if ranges cannot be read.`);
}

async function refusesUnknown<T>({ connector, context }: Reading<T>): Promise<void> {
  const unknown = readPart(connector, await context(), { stream: "no-such-stream", pageSize: 10 });
  await rejectedAs("read of a stream that there is not", ["config"], unknown);
}

/** Around the whole of its system, for a connection that is kept for the next request ends with that. */
function closesReader<T>(subject: Subject<T>, read: ReadOptions<T>): ConformanceCase {
  const run = async (): Promise<void> => {
    const watch = watchHandles();
    await withBench(subject, async (bench) => {
      const { context, connector } = await seeded(subject.connector, read, bench);
      await readPart(connector, await context(), { stream: read.stream, pageSize: 2, stopAfter: 1 });
    });
    await watch.settle("A reader that was ended after its first page");
  };
  return { suite: "read", name: "read: a reader that is ended after its first page leaves nothing open", run };
}

async function listsKeys<T>({ connector, read, context, expected }: Reading<T>): Promise<void> {
  const x = await context();
  for (const pageSize of [1, 5, 100]) {
    const keys = await listedKeys(connector, x, read.stream, pageSize);
    const wanted = expected.toSorted();
    must(show(keys.toSorted()) === show(wanted), `listKeys on pages of ${pageSize} gave ${show(keys)}, expected ${show(wanted)}.`);
  }
}

async function findsDeletions<T>({ connector, read, context, system, expected }: Reading<T>): Promise<void> {
  const x = await context();
  const streams = (await connector.streams?.(x)) ?? [];
  const stream = streams.find(({ name }) => name === read.stream);
  const { cursor } = await readPart(connector, x, { stream: read.stream, pageSize: 100 });
  await read.remove?.(system, SEED_ROWS[4]?.id ?? "");
  const gone = expected[4] ?? "";
  if (stream?.deletes === "tombstone") {
    const { records } = await readPart(connector, x, { stream: read.stream, pageSize: 100, cursor });
    const found = records.find((record) => record.key === gone);
    must(found?.op === "delete", `The stream declares tombstones; after ${gone} was deleted read gave ${show(records)}.`);
    return;
  }
  must(stream?.deletes === "snapshot", `options.read.remove is given, and the stream declares deletes: ${show(stream?.deletes)}.`);
  const keys =
    connector.listKeys === undefined
      ? (await readPart(connector, x, { stream: read.stream, pageSize: 100 })).records.map(({ key }) => key)
      : await listedKeys(connector, x, read.stream, 5);
  must(!keys.includes(gone) && keys.length === SEED_ROWS.length - 1, `After ${gone} was deleted the keys are ${show(keys)}.`);
}
