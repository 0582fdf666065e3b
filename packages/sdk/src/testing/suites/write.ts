import { isConnectorError, writeIdempotency, type Context, type WriteItem, type WriteResult } from "../../index.js";
import {
  ConformanceFailure,
  must,
  neededSecrets,
  show,
  withBench,
  type Bench,
  type ConformanceCase,
  type SuiteCases,
} from "../conformance-case.js";
import type { Subject, WriteOptions } from "../conformance-options.js";

/** At most so many requests of one batch are cut, each in turn. */
const MAX_CUT = 12;
const CUT_AT = [0, 0.2, 0.4, 0.6, 0.8, 0.95];

type Record_ = ReturnType<WriteOptions<unknown>["item"]>;
interface Writing<T> extends Bench<T> {
  readonly subject: Subject<T>;
  readonly write: WriteOptions<T>;
  readonly stored: () => Promise<readonly string[]>;
}

/** Applies records as the engine does, with the same idempotency key for the same record. Fails for answers that the engine cannot use. */
export async function writeAll<T>(
  { connector, options }: Subject<T>,
  x: Context,
  records: readonly (Record_ & Partial<WriteItem>)[],
): Promise<readonly WriteResult[]> {
  const stream = options.write?.stream ?? "";
  const items = records.map((record): WriteItem => ({ idempotencyKey: `test:${stream}:${record.key}:1`, ...record }));
  const results = (await connector.write?.apply(x, stream, items)) ?? [];
  for (const { key } of items) {
    const own = results.filter((result) => result.key === key);
    must(own.length === 1, `write.apply gave ${own.length} results for the record ${key}, expected one for each: ${show(results)}.`);
  }
  must(results.length === items.length, `write.apply gave ${results.length} results for ${items.length} records.`);
  return results;
}

/** Each record has its answer, nothing doubles, and what is not in doubt is true. */
export function writeCases<T>(subject: Subject<T>): SuiteCases {
  const { connector, options } = subject;
  if (connector.write === undefined) return { skipped: "the connector does not write" };
  const { write } = options;
  if (write === undefined) {
    const run = async (): Promise<never> =>
      Promise.reject(
        new ConformanceFailure("options.write is missing: the connector writes, so it must say what, and how to see what is there."),
      );
    return [{ suite: "write", name: "write: options are given", run }];
  }
  const one = (name: string, work: (writing: Writing<T>) => Promise<void>): ConformanceCase => ({
    suite: "write",
    name: `write: ${name}`,
    run: () => withBench(subject, async (bench) => work({ ...bench, subject, write, stored: async () => write.stored(bench.system) })),
  });
  return [
    one("every record has one answer, and is there", writesBatch),
    one("the same batch again doubles nothing", repeats),
    ...(options.server.faults === "http" ? [one("what is not in doubt when a request is lost was not applied", losesRequests)] : []),
    ...(options.server.faults === "tcp" ? [one("what is not in doubt when the connection is lost was not applied", losesConnection)] : []),
    ...(write.bad === undefined ? [] : [one("a record that is refused fails alone", refusesOne)]),
    ...(write.staleVersion === undefined ? [] : [one("a version that is no more is conflict", conflicts)]),
    ...(write.deletes === true ? [one("a deletion is done, and done again succeeds", deletes)] : []),
    ...(options.secrets.readOnly === undefined ? [] : [one("secrets that may only read are permission", lacksRight)]),
    one("a stream that there is not is config", refusesUnknown),
    one("no records are no work", writesNothing),
  ];
}

async function idempotencyOf<T>({ subject, context, write }: Writing<T>): Promise<string> {
  const capability = subject.connector.write;
  return capability === undefined ? "none" : writeIdempotency(capability, (await context()).config, write.stream);
}

async function writesBatch<T>({ subject, write, context, stored }: Writing<T>): Promise<void> {
  const records = [1, 2, 3].map((n) => write.item(n));
  const results = await writeAll(subject, await context(), records);
  const bad = results.find((result) => !result.ok);
  must(bad === undefined, `Good records were not written: ${show(bad)}.`);
  mustHold(await stored(), records, "After writing three records");
}

function mustHold(found: readonly string[], records: readonly Record_[], what: string): void {
  for (const { key } of records) {
    const times = found.filter((one) => one === key).length;
    must(times === 1, `${what} the record ${key} is there ${times} times, expected once. There are ${show(found)}.`);
  }
}

async function repeats<T>(writing: Writing<T>): Promise<void> {
  const { subject, write, context, stored } = writing;
  if ((await idempotencyOf(writing)) === "none") return;
  const records = [1, 2].map((n) => write.item(n));
  await writeAll(subject, await context(), records);
  const results = await writeAll(subject, await context({ meta: { attempt: 2 } }), records);
  const bad = results.find((result) => !result.ok);
  must(bad === undefined, `The same records with the same idempotency keys were refused the second time: ${show(bad)}.`);
  mustHold(await stored(), records, "After writing the same twice");
}

/** What a batch answered, a rejection taken as the answer for all. */
async function outcomeOf<T>(subject: Subject<T>, x: Context, records: readonly Record_[]): Promise<readonly WriteResult[]> {
  try {
    return await writeAll(subject, x, records);
  } catch (thrown) {
    if (thrown instanceof ConformanceFailure) throw thrown;
    must(isConnectorError(thrown), `write.apply threw ${String(thrown)}, which is no ConnectorError and counts as a bug.`);
    const { kind, message } = thrown;
    // A rejection says that nothing was applied, whatever else it says: only answers can be ambiguous.
    return records.map(({ key }) => ({ key, ok: false, error: { kind, message } }));
  }
}

async function undoubted<T>(writing: Writing<T>, records: readonly Record_[], where: string): Promise<void> {
  const { subject, context, stored, running } = writing;
  const results = await outcomeOf(subject, await context(), records);
  running.faults?.clear();
  running.proxy?.clear();
  const found = await stored();
  for (const result of results) {
    const there = found.includes(result.key);
    if (result.ok) must(there, `${where}, the record ${result.key} is said to be written, and is not there.`);
    else {
      must(result.error.kind !== "bug", `${where}, the record ${result.key} failed as a bug: ${result.error.message}`);
      must(
        !there || result.error.ambiguous === true,
        `${where}, the record ${result.key} was written, and the answer is ${show(result.error)} without ambiguous: true.`,
      );
    }
  }
  if ((await idempotencyOf(writing)) === "none") return;
  await writeAll(subject, await context({ meta: { attempt: 2 } }), records);
  mustHold(await stored(), records, `${where}, and written again afterwards,`);
}

async function losesRequests<T>({ subject, write }: Writing<T>): Promise<void> {
  const records = [1, 2, 3].map((n) => write.item(n));
  let count = 0;
  await withBench(subject, async ({ running, context }) => {
    await writeAll(subject, await context(), records);
    count = running.faults?.seen.length ?? 0;
  });
  for (const kind of ["lost-answer", "reset", "truncated"] as const)
    for (let index = 0; index < Math.min(count, MAX_CUT); index += 1)
      await withBench(subject, async (bench) => {
        bench.running.faults?.inject({ kind }, (_request, at) => at === index);
        const writing = { ...bench, subject, write, stored: async () => write.stored(bench.system) };
        await undoubted(writing, records, `When request ${index + 1} of ${count} met ${kind}`);
      });
}

async function losesConnection<T>({ subject, write }: Writing<T>): Promise<void> {
  const records = [1, 2, 3].map((n) => write.item(n));
  let bytes = 0;
  await withBench(subject, async ({ running, context }) => {
    await writeAll(subject, await context(), records);
    bytes = running.proxy?.answerBytes ?? 0;
  });
  for (const part of CUT_AT)
    await withBench(subject, async (bench) => {
      const afterBytes = Math.floor(bytes * part);
      bench.running.proxy?.inject({ kind: "cut", afterBytes, how: "reset" });
      const writing = { ...bench, subject, write, stored: async () => write.stored(bench.system) };
      await undoubted(writing, records, `When the connection was cut after ${afterBytes} of ${bytes} bytes`);
    });
}

async function refusesOne<T>({ subject, write, context, stored }: Writing<T>): Promise<void> {
  const bad = write.bad?.(2);
  must(bad !== undefined, "options.write.bad gave nothing.");
  const good = [write.item(1), write.item(3)];
  const results = await writeAll(subject, await context(), [good[0] ?? bad, bad, good[1] ?? bad]);
  const refused = results.find((result) => result.key === bad.key);
  must(refused?.ok === false, `The system refuses the record ${bad.key}, and write.apply answered ${show(refused)}.`);
  must(
    ["invalid", "conflict", "not_found"].includes(refused.error.kind),
    `The refused record ${bad.key} is ${refused.error.kind} ("${refused.error.message}"), expected invalid, conflict or not_found.`,
  );
  const others = results.filter((result) => result.key !== bad.key && !result.ok);
  must(others.length === 0, `One bad record failed others: ${show(others)}.`);
  mustHold(await stored(), good, "Beside a record that was refused,");
}

async function conflicts<T>({ subject, write, context }: Writing<T>): Promise<void> {
  const x = await context();
  await writeAll(subject, x, [write.item(1)]);
  const ifVersion = write.staleVersion ?? "";
  const [result] = await writeAll(subject, x, [{ ...write.item(1), idempotencyKey: "test:stale", ifVersion }]);
  must(
    result?.ok === false && result.error.kind === "conflict",
    `Writing over the version "${ifVersion}", which the record has not, was answered with ${show(result)}, expected conflict.`,
  );
}

async function deletes<T>({ subject, write, context, stored }: Writing<T>): Promise<void> {
  const x = await context();
  const record = write.item(1);
  await writeAll(subject, x, [record]);
  for (const round of [1, 2]) {
    const [result] = await writeAll(subject, x, [{ ...record, op: "delete", data: {}, idempotencyKey: `test:delete:${round}` }]);
    must(result?.ok === true, `Deletion ${round} of one record was answered with ${show(result)}, expected success.`);
    if (round === 2) must(result.unchanged === true, `Deleting what is gone is answered with ${show(result)}, expected unchanged: true.`);
    must(!(await stored()).includes(record.key), `After deletion ${round} the record ${record.key} is there.`);
  }
}

async function lacksRight<T>({ subject, write, context, stored }: Writing<T>): Promise<void> {
  const secrets = neededSecrets(subject, "readOnly", "secrets that may not write show how that is told");
  const [result] = await outcomeOf(subject, await context({ secrets }), [write.item(1)]);
  must(
    result?.ok === false && result.error.kind === "permission",
    `Writing with secrets that may only read was answered with ${show(result)}, expected permission.`,
  );
  must((await stored()).length === 0, "A record was written with secrets that may only read.");
}

async function refusesUnknown<T>({ subject, write, context }: Writing<T>): Promise<void> {
  const options = { ...subject.options, write: { ...write, stream: "no-such-stream" } };
  const [result] = await outcomeOf({ ...subject, options }, await context(), [write.item(1)]);
  must(
    result?.ok === false && result.error.kind === "config",
    `Writing to a stream that there is not was answered with ${show(result)}, expected config.`,
  );
}

async function writesNothing<T>({ subject, context }: Writing<T>): Promise<void> {
  const results = await writeAll(subject, await context(), []);
  must(results.length === 0, `Writing no records gave ${show(results)}.`);
}
