import type { JsonObject } from "@quiesce/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { type MemorySide, memorySide } from "../../../../test/pipeline/memory-side.js";
import { decideSyncConflict } from "./sync-conflict-commands.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";

let bench: PipelineBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

interface Sides {
  readonly source: MemorySide;
  readonly target: MemorySide;
  readonly on: PipelineBench;
}

const mapping = {
  fields: {
    id: { from: "id" },
    name: { from: "name" },
    phone: { from: "tel" },
    state: { from: "status", table: { "1": "new", "2": "done" } },
    note: { from: "note", default: null },
  },
};
const twoWay = {
  fields: {
    name: { conflict: "source" as const },
    phone: { conflict: "newest" as const },
    state: { conflict: "review" as const, cast: "integer" as const },
  },
  times: { source: "at", target: "changed" },
};

async function open(options: { readonly versions?: boolean; readonly tombstones?: boolean } = {}): Promise<Sides> {
  const source = memorySide("memory-a", options);
  const target = memorySide("memory-b", options);
  bench = await pipelineBench({ source, target, stream: { mapping, twoWay, deletes: "apply" } });
  return { source, target, on: bench };
}

const day = (hour: number): string => `2026-01-05T${String(hour).padStart(2, "0")}:00:00Z`;
const person = (more: JsonObject = {}): JsonObject => ({ name: "Ada", tel: "1", status: 1, note: "n", at: day(1), ...more });
const conflicts = (on: PipelineBench) => on.database.sql`
  select record_key as key, field, kind, source, target, state, winner, message from sync_conflict order by id`;

describe("fields that flow both ways", () => {
  it("carries a change of either side to the other, and leaves the one-way fields and the rest of a record alone", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 1, written: 1 } });
    target.edit("k1", { name: "Ada L.", note: "the target's own", state: "done", changed: day(2) });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 0, written: 1 } });
    expect(source.rows.get("k1")).toEqual({ id: "k1", ...person({ name: "Ada L.", status: 2 }) });
    expect(source.applied).toMatchObject([{ key: "k1", data: { name: "Ada L.", status: 2 } }]);
    expect(Object.keys(source.applied[0]?.data ?? {})).toHaveLength(2);
    source.edit("k1", { tel: "2" });
    target.edit("k1", { name: "Ada Lovelace" });
    await on.attempt();
    expect(source.rows.get("k1")).toMatchObject({ name: "Ada Lovelace", tel: "2", status: 2 });
    expect(target.rows.get("k1")).toMatchObject({ name: "Ada Lovelace", phone: "2", state: "done" });
    expect(await conflicts(on)).toEqual([]);
  });

  it("takes its own writes that come back for no change", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    target.edit("k1", { name: "changed" });
    await on.attempt();
    const written = [source.applied.length, target.applied.length];
    for (let round = 0; round < 3; round += 1) await on.attempt();
    expect([source.applied.length, target.applied.length]).toEqual(written);
    const due = await on.database.sql`select from sync_record where is_due`;
    expect(due).toHaveLength(0);
  });

  it("lets the rule of each field decide when both sides have changed it, and keeps what gave way", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    source.edit("k2", person());
    await on.attempt();
    source.edit("k1", { name: "s", tel: "s", at: day(3) });
    target.edit("k1", { name: "t", phone: "t", changed: day(4) });
    source.edit("k2", { tel: "s", at: day(6) });
    target.edit("k2", { phone: "t", changed: day(5) });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([
      { name: "s", tel: "t" },
      { name: "s", phone: "t" },
    ]);
    expect([source.rows.get("k2"), target.rows.get("k2")]).toMatchObject([{ tel: "s" }, { phone: "s" }]);
    expect(await conflicts(on)).toMatchObject([
      { key: "k1", field: "name", kind: "changed", source: "s", target: "t", state: "settled", winner: "source" },
      { key: "k1", field: "phone", source: "s", target: "t", state: "settled", winner: "target" },
      { key: "k2", field: "phone", source: "s", target: "t", state: "settled", winner: "source" },
    ]);
  });

  it("asks a person about a field under review while the other fields of the record go on", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    source.edit("k1", { status: 2, tel: "5" });
    target.edit("k1", { state: null });
    await on.attempt();
    expect(await conflicts(on)).toMatchObject([{ key: "k1", field: "state", source: "done", target: null, state: "open", winner: null }]);
    expect(source.rows.get("k1")).toMatchObject({ status: 2, tel: "5" });
    expect(target.rows.get("k1")).toMatchObject({ state: null, phone: "5" });
    await on.attempt();
    expect(await conflicts(on)).toHaveLength(1);
    const events = await on.database.sql`select from event_inbox where kind = 'integration.conflicts-found'`;
    expect(events).toHaveLength(1);
    // Both sides come to one value by themselves: nothing is left to decide.
    target.edit("k1", { state: "done" });
    await on.attempt();
    expect(await conflicts(on)).toMatchObject([{ state: "settled", winner: null }]);
  });

  it("goes by the rule when records differ before they ever agreed, and reads both sides anew when a field joins", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person({ name: "s" }));
    target.edit("k1", { name: "t", phone: "1", state: "new" });
    target.edit("only", { name: "t" });
    await on.attempt();
    expect(target.rows.get("k1")).toMatchObject({ name: "s" });
    expect(source.rows.has("only")).toBe(false);
    expect(await conflicts(on)).toMatchObject([{ field: "name", winner: "source" }]);
    const [before] = await on.database.sql<
      { streams: readonly { readonly twoWay: { readonly fields: object } }[] }[]
    >`select streams from integration`;
    const wider = (before?.streams ?? []).map((stream) => ({
      ...stream,
      mapping: { fields: { ...mapping.fields, extra: { from: "extra" } } },
      twoWay: { fields: { ...stream.twoWay.fields, extra: { conflict: "target" } } },
    }));
    await on.database.sql`update integration set streams = ${JSON.stringify(wider)}::text::jsonb`;
    source.edit("k1", { extra: "s" });
    await on.attempt();
    target.edit("k1", { extra: "t" });
    await on.attempt();
    expect(source.rows.get("k1")).toMatchObject({ extra: "t" });
  });
});

describe("deletions of records that flow both ways", () => {
  it("deletes at the target what the source has deleted, unless the target has changed it meanwhile", async () => {
    for (const tombstones of [false, true]) {
      const { source, target, on } = await open({ tombstones });
      for (const key of ["k1", "k2", "k3"]) source.edit(key, person());
      await on.attempt();
      source.remove("k1");
      source.remove("k2");
      target.edit("k2", { name: "edited" });
      expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 1 } });
      expect([...target.rows.keys()]).toEqual(["k2", "k3"]);
      expect(await conflicts(on)).toMatchObject([{ key: "k2", field: "", kind: "deleted", state: "open" }]);
      await on.attempt();
      expect([...target.rows.keys()]).toEqual(["k2", "k3"]);
      expect(source.rows.has("k2")).toBe(false);
      // The record comes back at the source: the deletion is past.
      source.edit("k2", person({ name: "again" }));
      await on.attempt();
      expect(await conflicts(on)).toMatchObject([{ state: "settled" }, { field: "name", winner: "source" }]);
      await bench?.close();
    }
    bench = undefined;
  });

  it("makes a record again that the target has deleted with the next change at the source, and not before", async () => {
    const { source, target, on } = await open({ tombstones: true });
    source.edit("k1", person());
    await on.attempt();
    target.remove("k1");
    await on.attempt();
    expect([source.rows.has("k1"), target.rows.has("k1")]).toEqual([true, false]);
    source.edit("k1", { tel: "9" });
    await on.attempt();
    expect(target.rows.get("k1")).toMatchObject({ name: "Ada", phone: "9" });
  });
});

describe("conflicts that a person decides", () => {
  const openIds = async (on: PipelineBench) =>
    (await on.database.sql<{ id: number }[]>`select id from sync_conflict where state = 'open' order by id`).map(({ id }) => id);
  const decide = (on: PipelineBench, id: number, winner: "source" | "target") =>
    decideSyncConflict(on.context, { id, winner, reason: "asked the customer" });

  it.each(["source", "target"] as const)(
    "writes the value of the %s to the other side with the next run, as an audited decision",
    async (winner) => {
      const { source, target, on } = await open();
      source.edit("k1", person());
      await on.attempt();
      source.edit("k1", { status: 2 });
      target.edit("k1", { state: null });
      await on.attempt();
      const [id = 0] = await openIds(on);
      await decide(on, id, winner);
      expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 1 } });
      const [status, state] = winner === "source" ? [2, "done"] : [null, null];
      expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([
        { status, name: "Ada", note: "n" },
        { state, name: "Ada", note: "n" },
      ]);
      expect(await conflicts(on)).toMatchObject([{ state: "settled", winner }]);
      await expect(decide(on, id, winner)).rejects.toMatchObject({ code: "QSC_SYNC_CONFLICT_DECIDED" });
      const entries = await on.database.sql`select action, reason, after from audit_entry where action = 'sync-conflict.decide'`;
      expect(entries).toMatchObject([{ reason: "asked the customer", after: { conflict: id, winner, field: "state" } }]);
      // It is written as one flow: the trace shows it.
      const pages = await on.database.sql`select keys, outcomes from record_page where origin = 'back'`;
      expect(pages).toEqual([{ keys: ["k1"], outcomes: "w" }]);
    },
  );

  it.each(["source", "target"] as const)("lets the %s win about a record that the source has deleted", async (winner) => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    source.remove("k1");
    target.edit("k1", { name: "edited" });
    await on.attempt();
    const [id = 0] = await openIds(on);
    await decide(on, id, winner);
    for (let round = 0; round < 2; round += 1) expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    expect(target.rows.has("k1")).toBe(winner === "target");
    expect(source.rows.has("k1")).toBe(false);
  });

  it("tries a refused value again when the target wins, and writes over it when the source does", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    source.refuse = () => ({ kind: "invalid", message: "no such name" });
    target.edit("k1", { name: "bad" });
    await on.attempt();
    const [first = 0] = await openIds(on);
    await decide(on, first, "target");
    await on.attempt();
    const [second = 0, ...more] = await openIds(on);
    expect([second > first, more]).toEqual([true, []]);
    await decide(on, second, "source");
    await on.attempt();
    expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([{ name: "Ada" }, { name: "Ada" }]);
    expect(await openIds(on)).toEqual([]);
  });

  it("refuses a decision without a reason, and about what there is not", async () => {
    const { on } = await open();
    await expect(decideSyncConflict(on.context, { id: 1, winner: "source", reason: " " })).rejects.toMatchObject({
      code: "QSC_SYNC_CONFLICT_REASON",
    });
    await expect(decide(on, 7, "source")).rejects.toMatchObject({ code: "QSC_SYNC_CONFLICT_NOT_FOUND" });
  });

  it.each(["source", "target"] as const)(
    "takes a decision for the %s as soon as the conflict can be seen, while the run that found it still writes",
    async (winner) => {
      const { source, target, on } = await open();
      source.edit("k1", person({ status: 2 }));
      target.edit("k1", { state: "new" });
      target.before = async () => {
        const [id] = await openIds(on);
        if (id !== undefined) await decide(on, id, winner);
      };
      // The decision has settled the record meanwhile, so the page begins again.
      expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "transient" } });
      expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
      const [status, state] = winner === "source" ? [2, "done"] : [1, "new"];
      expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([{ status }, { state, note: "n" }]);
      expect(await conflicts(on)).toMatchObject([{ state: "settled", winner }]);
    },
  );

  it("does not write over a decision that was made while a run was on its way", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    source.edit("k1", { status: 2 });
    target.edit("k1", { state: null });
    await on.attempt();
    const [id = 0] = await openIds(on);
    source.edit("k1", { tel: "7" });
    let decided = false;
    target.after = async () => {
      if (!decided) await decide(on, id, "source");
      decided = true;
    };
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "transient" } });
    await on.attempt();
    expect(target.rows.get("k1")).toMatchObject({ state: "done", phone: "7" });
  });
});

describe("writes that end badly", () => {
  it("does not take its own write for a change when the process died between the write and the commit", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    source.edit("k1", { name: "s1" });
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    target.after = () => undefined;
    expect(target.rows.get("k1")).toMatchObject({ name: "s1" });
    // Meanwhile the source goes back to what was agreed: the target's value is ours, and flows nowhere.
    source.edit("k1", { name: "Ada" });
    await on.attempt();
    expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([{ name: "Ada" }, { name: "Ada" }]);
    expect(await conflicts(on)).toEqual([]);
  });

  it("the same on the way back", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    target.edit("k1", { name: "t1" });
    const run = await on.claim();
    source.after = () => on.takeAway(run);
    await on.execute(run);
    source.after = () => undefined;
    expect(source.rows.get("k1")).toMatchObject({ name: "t1" });
    target.edit("k1", { name: "t2" });
    await on.attempt();
    expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([{ name: "t2" }, { name: "t2" }]);
    expect(await conflicts(on)).toEqual([]);
  });

  it("keeps what gave way even if the process dies right after it was written over", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    source.edit("k1", { name: "s" });
    target.edit("k1", { name: "t" });
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    target.after = () => undefined;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    expect(await conflicts(on)).toMatchObject([{ field: "name", source: "s", target: "t", winner: "source" }]);
  });

  it("reads again instead of writing over a change that was made while it wrote", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    await on.attempt();
    source.edit("k1", { tel: "s" });
    let raced = false;
    target.before = () => {
      if (!raced) target.edit("k1", { name: "t" });
      raced = true;
    };
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "transient" } });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([
      { name: "t", tel: "s" },
      { name: "t", phone: "s" },
    ]);
    expect(await on.letters()).toEqual([]);
  });

  it("asks a person about what the source refuses or cannot hold, once", async () => {
    const { source, target, on } = await open();
    source.edit("k1", person());
    source.edit("k2", person());
    await on.attempt();
    source.refuse = (item) => (item.data["name"] === "bad" ? { kind: "invalid", message: "no such name" } : undefined);
    target.edit("k1", { name: "bad" });
    target.edit("k2", { state: "lost", name: "good" });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    expect(await conflicts(on)).toMatchObject([
      {
        key: "k2",
        field: "state",
        kind: "refused",
        state: "open",
        message: expect.stringContaining('found "lost", expected one of "new", "done"'),
      },
      { key: "k1", field: "name", kind: "refused", state: "open", message: "The source refused it: no such name" },
    ]);
    expect(source.rows.get("k2")).toMatchObject({ name: "good", status: 1 });
    await on.attempt();
    expect(await conflicts(on)).toHaveLength(2);
  });

  it("writes back to a source only where writes may be repeated, and to one that can be written", async () => {
    const { on } = await open();
    await on.database.sql`update endpoint set connector = 'memory-source' where key = 'source'`;
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "config" } });
  });
});
