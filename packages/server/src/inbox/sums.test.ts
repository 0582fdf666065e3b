import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { memoryTarget, type MemoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PushBench, pushBench } from "../../../../test/pipeline/push-bench.js";

let target: MemoryTarget;
let on: PushBench;

beforeAll(async () => {
  target = memoryTarget({ maxBatch: 3 });
  on = await pushBench({ target, pageSize: 5 });
});
afterAll(async () => {
  await on?.close();
});

type Step =
  | { readonly do: "push"; readonly records: readonly { readonly key: string; readonly fate: string; readonly id: number | null }[] }
  | { readonly do: "attempt" }
  | { readonly do: "die" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("push" as const),
    records: fc.array(
      fc.record({
        key: fc.constantFrom("a", "b", "c", "d"),
        fate: fc.constantFrom("ok", "ok", "ok", "refused", "fails-once", "fails-always"),
        id: fc.option(fc.integer({ min: 1, max: 4 })),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
  fc.constant({ do: "attempt" as const }),
  fc.constant({ do: "die" as const }),
);

/** `fate number`, as the records of this test are called. */
const nameOf = (item: { readonly data: { readonly [name: string]: unknown } }): string => {
  const name = item.data["name"];
  return typeof name === "string" ? name : "";
};

/** Every accepted record is in exactly one state, and the sums of the inbox are those of its rows. */
async function sumsAgree(accepted: number): Promise<void> {
  const { accepted: sum, waiting, processing, done, dead } = await on.inbox();
  expect(sum).toBe(accepted);
  expect(waiting + processing + done + dead).toBe(accepted);
  const [rows] = await on.database.sql<{ open: number; bytes: number; done: number; dead: number }[]>`
    select (count(*) filter (where settled_at is null))::integer as open, coalesce(sum(bytes) filter (where settled_at is null), 0)::float8 as bytes,
      (count(*) filter (where outcome = 'done'))::integer as done, (count(*) filter (where outcome = 'dead'))::integer as dead from inbox_record`;
  const [inbox] = await on.database.sql<{ open: number; bytes: number; done: number; dead: number }[]>`
    select waiting_records as open, waiting_bytes::float8 as bytes, done::integer, dead::integer from inbox`;
  expect(inbox).toEqual(rows);
}

it("whatever is pushed, fails and dies, every accepted record is in one state, the sums agree, and no record overtakes one of its key", async () => {
  let accepted = (await on.push({ key: "first", record: { id: "first", name: "ok 0" } })).accepted;
  let serial = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const failed = new Set<string>();
      // The order in which records were accepted, by key, and in which the target saw them first.
      const order = new Map<string, number[]>();
      const before = target.applied.length;
      target.refuse = (item) => {
        const [fate = "", number = ""] = nameOf(item).split(" ");
        if (fate === "refused") return { kind: "invalid", message: "no" };
        if (fate === "fails-always") return { kind: "transient", message: "deadlock" };
        if (fate === "fails-once" && !failed.has(number)) {
          failed.add(number);
          return { kind: "transient", message: "deadlock" };
        }
        return undefined;
      };
      for (const one of steps) {
        if (one.do === "push") {
          const known = await on.database.sql<{ id: string }[]>`select delivery_id as id from inbox_record where delivery_id is not null`;
          const seen = new Set(known.map((row) => row.id));
          const records = one.records.map(({ key, fate, id }) => {
            serial += 1;
            const name = id === null ? null : `id e-${id}`;
            if (name === null || !seen.has(name)) order.set(key, [...(order.get(key) ?? []), serial]);
            if (name !== null) seen.add(name);
            return { key, ...(id === null ? {} : { id: `e-${id}` }), record: { id: key, name: `${fate} ${serial}` } };
          });
          accepted += (await on.push(records)).accepted;
        } else if (one.do === "attempt") await on.settle(60);
        else if ((await on.database.sql`select from run where state = 'queued' and ready_at <= app_now()`).length > 0) {
          const run = await on.claim();
          target.after = () => {
            target.after = () => undefined;
            return on.takeAway(run);
          };
          await on.execute(run);
          target.after = () => undefined;
          await on.takeAway(run).catch(() => undefined);
        }
        await sumsAgree(accepted);
      }
      await on.database.sql`update run set state = 'cancelled', worker_id = null where state = 'running'`;
      await on.database.sql`update job set running_run_id = null`;
      await on.settle(60);
      await sumsAgree(accepted);
      expect((await on.inbox()).waiting).toBe(0);
      for (const [key, numbers] of order) {
        const written = target.applied.slice(before).filter((item) => item.key === key);
        const first = [...new Set(written.map((item) => Number(nameOf(item).split(" ")[1])))];
        expect(first).toEqual(numbers.filter((number) => first.includes(number)));
      }
    }),
    { numRuns: 15 },
  );
});
