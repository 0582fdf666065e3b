import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MemorySide, memorySide } from "../../../../test/pipeline/memory-side.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";

const source: MemorySide = memorySide("memory-a");
const target: MemorySide = memorySide("memory-b");
let bench: PipelineBench;

beforeAll(async () => {
  bench = await pipelineBench({
    source,
    target,
    pageSize: 2,
    stream: {
      deletes: "apply",
      mapping: { fields: { id: { from: "id" }, x: { from: "x" }, y: { from: "y" }, one: { from: "one" } } },
      twoWay: { fields: { x: { conflict: "source" }, y: { conflict: "target" } }, times: {} },
    },
  });
});

afterAll(async () => bench?.close());

type Field = "x" | "y";
type Side = "source" | "target";
const side = fc.constantFrom<Side>("source", "target");
const edit = fc.record({
  kind: fc.constant("edit" as const),
  side,
  record: fc.integer({ min: 0, max: 2 }),
  field: fc.constantFrom<Field>("x", "y"),
});
const step = fc.oneof(
  { weight: 5, arbitrary: edit },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("run" as const) }) },
  // The process dies behind a write to that side; meanwhile somebody may edit.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("crash" as const), side, meanwhile: fc.option(edit, { nil: undefined }) }) },
  // Somebody edits between what a run has read and what it writes.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("race" as const), side, meanwhile: edit }) },
);

let stories = 0;
let values = 0;

test("whatever people and crashes do, both sides come to one value, nothing is lost, and then there is rest", async () => {
  const at = (name: Side): MemorySide => (name === "source" ? source : target);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      stories += 1;
      const keys = [0, 1, 2].map((number) => `story-${stories}-${number}`);
      const made = new Map<string, { readonly key: string; readonly field: Field }>();
      const replaced = new Set<unknown>();
      const change = (one: { readonly side: Side; readonly record: number; readonly field: Field }): void => {
        const key = keys[one.record] ?? "";
        if (!at(one.side).rows.has(key)) return;
        // Whoever edits sees what is there.
        replaced.add(at(one.side).rows.get(key)?.[one.field]);
        const value = `v${(values += 1)}`;
        made.set(value, { key, field: one.field });
        at(one.side).edit(key, { [one.field]: value });
      };
      const calm = (): void => {
        for (const one of [source, target]) one.before = one.after = () => undefined;
      };
      for (const key of keys) source.edit(key, { x: "x0", y: "y0", one: "1" });
      await bench.attempt();
      for (const one of steps) {
        if (one.kind === "edit") change(one);
        else if (one.kind === "run") await bench.attempt();
        else if (one.kind === "race") {
          let raced = false;
          at(one.side).before = () => {
            if (!raced) change(one.meanwhile);
            raced = true;
          };
          await bench.attempt();
        } else {
          const run = await bench.claim();
          at(one.side).after = async () => {
            if (one.meanwhile !== undefined) change(one.meanwhile);
            await bench.takeAway(run);
          };
          await bench.execute(run);
          await bench.takeAway(run);
        }
        calm();
      }
      // A run that met a race is tried again; nobody edits any more.
      for (let round = 0; round < 4; round += 1) await bench.attempt();
      for (const key of keys) for (const field of ["x", "y"]) expect(source.rows.get(key)?.[field]).toBe(target.rows.get(key)?.[field]);
      const given = await bench.database.sql<{ value: unknown }[]>`
        select case winner when 'source' then target else source end as value from sync_conflict where state = 'settled' and record_key = any (${keys})`;
      const kept = new Set(given.map(({ value }) => value));
      for (const [value, { key, field }] of made) {
        const isThere = source.rows.get(key)?.[field] === value;
        expect(isThere || replaced.has(value) || kept.has(value), `${value} of ${key}.${field} is lost`).toBe(true);
      }
      const written = source.applied.length + target.applied.length;
      await bench.attempt();
      await bench.attempt();
      expect(source.applied.length + target.applied.length).toBe(written);
      const open = await bench.database.sql`select from sync_record where is_due or sent_to_source <> '{}' or sent_to_target <> '{}'`;
      expect(open).toHaveLength(0);
    }),
    { numRuns: 12 },
  );
}, 600_000);
