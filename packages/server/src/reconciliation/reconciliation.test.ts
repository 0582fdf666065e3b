import type { StreamEntry } from "@quiesce/core";
import { type Connector, recordHash } from "@quiesce/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { extendedConnector } from "../../../../test/pipeline/extended-connector.js";
import { memorySource, type MemorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget, type MemoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { sweepReleased } from "../runs/sweep-released.js";
import { pause, resume } from "../windows/hold-commands.js";
import { reconcileIntegration, resyncDifferences } from "./commands.js";
import { reconciliationsByIds, streamsOfReconciliations } from "./queries.js";

let bench: PipelineBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

interface Sides {
  readonly source: MemorySource;
  readonly target: MemoryTarget;
  /** Called before every page that is read from the target. */
  onTargetPage: () => void | Promise<void>;
}

/** A target that can be read as well, in no order. */
function readable(target: MemoryTarget, onPage: () => void | Promise<void>): Connector {
  return extendedConnector(target.connector, {
    async *read(_x, request) {
      for (let at = 0; ; at += request.pageSize) {
        await onPage();
        const all = [...target.rows].toReversed();
        const records = all.slice(at, at + request.pageSize).map(([key, data]) => ({ key, data }));
        const more = at + request.pageSize < all.length;
        yield { records, cursor: { at }, more };
        if (!more) return;
      }
    },
  });
}

async function open(
  options: Partial<Parameters<typeof pipelineBench>[0]> & { readonly idempotency?: "key" | "upsert" | "none" } = {},
): Promise<Sides & { readonly on: PipelineBench }> {
  const source = memorySource();
  const target = memoryTarget(options.idempotency === undefined ? {} : { idempotency: options.idempotency });
  const sides: Sides = { source, target, onTargetPage: () => undefined };
  const connector = readable(target, () => sides.onTargetPage());
  bench = await pipelineBench({ source, target: { connector }, pageSize: 10, ...options });
  return Object.assign(sides, { on: bench });
}

function fill(source: MemorySource, count: number): void {
  for (let index = 1; index <= count; index += 1) source.put(keyOf(index), { name: `n${index}` });
}
const keyOf = (index: number) => `k${String(index).padStart(4, "0")}`;

async function ask(on: PipelineBench): Promise<number> {
  return (await reconcileIntegration(on.context, { integration: "orders", reason: "test" })).id;
}

async function resultOf(on: PipelineBench, id: number) {
  const [view] = await reconciliationsByIds(on.database, [id]);
  const [stream] = await streamsOfReconciliations(on.database, [id]);
  const rows = await on.database.sql<{ key: string; kind: string; state: string }[]>`
    select key, kind, state from reconciliation_difference where reconciliation_id = ${id} order by key`;
  return { state: view?.state, stream, kept: rows.map(({ key, kind, state }) => `${key} ${kind} ${state}`) };
}

describe("a comparison", () => {
  it("finds what differs in whatever order the sides are read, tells it once, and shows its values", async () => {
    const { on, source, target } = await open();
    fill(source, 35);
    await on.attempt();
    target.rows.delete(keyOf(3));
    target.rows.set("stray", { id: "stray", name: null });
    target.rows.set(keyOf(20), { id: keyOf(20), name: "other", extra: "of its own" });
    target.rows.set(keyOf(21), { id: keyOf(21), name: "n21", extra: "of its own" });
    const id = await ask(on);
    expect((await resultOf(on, id)).state).toBe("waiting");
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 35, written: 0 } });
    const { state, stream, kept } = await resultOf(on, id);
    expect(state).toBe("done");
    expect(stream).toMatchObject({
      method: "hashes",
      phase: "done",
      sourceRecords: 35,
      targetRecords: 35,
      equal: 33,
      onlySource: 1,
      onlyTarget: 1,
      different: 1,
      changing: 0,
    });
    expect(kept).toEqual(["k0003 only-source open", "k0020 different open", "stray only-target open"]);
    expect(stream?.samples).toContainEqual({
      key: "k0020",
      kind: "different",
      source: { id: "k0020", name: "n20" },
      target: { id: "k0020", name: "other" },
      fields: ["name"],
    });
    const events = await on.database.sql`select kind, payload from event_inbox where kind = 'reconciliation.finished'`;
    expect(events).toMatchObject([
      { payload: { reconciliation: id, equal: 33, onlySource: 1, onlyTarget: 1, different: 1, accuracy: 33 / 36 } },
    ]);
    expect(await on.database.sql`select from reconciliation_entry`).toHaveLength(0);
    expect(await on.cursor()).toEqual({ position: 35 });
  });

  it("counts nothing as a difference that changed while it was compared", async () => {
    const sides = await open();
    const { on, source, target } = sides;
    fill(source, 5);
    await on.attempt();
    target.rows.set(keyOf(5), { id: keyOf(5), name: "stays wrong" });
    // At the first look one record is on its way, and one is being changed; at the second one the first has arrived.
    target.rows.delete(keyOf(1));
    target.rows.set(keyOf(2), { id: keyOf(2), name: "a" });
    let pages = 0;
    sides.onTargetPage = () => {
      pages += 1;
      if (pages !== 2) return;
      target.rows.set(keyOf(1), { id: keyOf(1), name: "n1" });
      target.rows.set(keyOf(2), { id: keyOf(2), name: "b" });
    };
    const id = await ask(on);
    await on.attempt();
    const { stream, kept } = await resultOf(on, id);
    expect(stream).toMatchObject({ equal: 3, different: 1, changing: 1, onlySource: 0 });
    expect(kept).toEqual(["k0005 different open"]);
  });

  it("is held by a pause as every run is, and done when that ends", async () => {
    const { on, source } = await open();
    fill(source, 3);
    await on.attempt();
    const { holdId } = await pause(on.context, { scope: { integrations: ["orders"] }, until: null, reason: "stocktaking" });
    const id = await ask(on);
    await expect(on.claim()).rejects.toThrow("No run could be claimed");
    expect(await on.database.sql`select state from run where trigger = 'reconcile'`).toEqual([{ state: "held" }]);
    expect(await resultOf(on, id)).toMatchObject({ state: "waiting", stream: undefined });
    await resume(on.context, { holdId, reason: "counted" });
    await sweepReleased(on.context);
    await on.attempt();
    expect(await resultOf(on, id)).toMatchObject({ state: "done", stream: { equal: 3 } });
  });

  it("begins a stream anew after it was killed between two pages, and does not repeat one that was compared", async () => {
    const { on, source } = await open();
    fill(source, 35);
    await on.attempt();
    await on.database.sql`update integration set streams = jsonb_build_array(streams -> 0, streams -> 0 || '{"stream": "second"}')`;
    const id = await ask(on);
    const run = await on.claim();
    let pages = 0;
    source.onPage = async (_x, page) => {
      pages += 1;
      // In the second stream.
      if (pages > 6 && page === 3) await on.takeAway(run);
    };
    await on.execute(run);
    const half = await streamsOfReconciliations(on.database, [id]);
    expect(half.map(({ stream, phase, sourceRecords }) => ({ stream, phase, sourceRecords }))).toEqual([
      { stream: "items", phase: "done", sourceRecords: 35 },
      { stream: "second", phase: "source", sourceRecords: 20 },
    ]);
    expect((await on.database.sql`select from reconciliation_entry`).length).toBe(20);
    const firstEnded = half[0]?.endedAt;
    source.onPage = () => undefined;
    await on.attempt();
    const whole = await streamsOfReconciliations(on.database, [id]);
    expect(whole).toMatchObject([
      { equal: 35, endedAt: firstEnded },
      { equal: 35, sourceRecords: 35 },
    ]);
    expect(await on.database.sql`select from reconciliation_entry`).toHaveLength(0);
    expect((await resultOf(on, id)).state).toBe("done");
  });

  it("hides secrets in what it shows, and does not know a key that holds one", async () => {
    const source = memorySource();
    const target = memoryTarget();
    bench = await pipelineBench({
      source,
      target: { connector: readable(target, () => undefined), secrets: { password: "hunter2-canary" } },
    });
    source.put("a", { name: "it is hunter2-canary" });
    source.put("hunter2-canary", { name: "b" });
    const id = await ask(bench);
    await bench.attempt();
    const { stream, kept } = await resultOf(bench, id);
    expect(stream).toMatchObject({ onlySource: 2 });
    expect(JSON.stringify({ stream, kept })).not.toContain("hunter2-canary");
    expect(kept.map((one) => one.split(" ").slice(-2).join(" ")).toSorted()).toEqual(["only-source hidden", "only-source open"]);
  });

  it("is what a job with reconcile does, on its schedule and by hand", async () => {
    const { on, source } = await open();
    fill(source, 3);
    await on.attempt();
    await on.database.sql`update job set reconcile = true`;
    source.put("new");
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 4, written: 0 } });
    const [made] = await on.database.sql<{ id: number; origin: string }[]>`select id::float8 as id, origin from reconciliation`;
    expect(made?.origin).toBe("request");
    expect((await resultOf(on, made?.id ?? 0)).kept).toEqual(["new only-source open"]);
  });

  it("is kept among the newest 200 of its integration", async () => {
    const { on } = await open();
    await on.database
      .sql`insert into reconciliation (integration_id, run_id, origin, requested_by) select (select id from integration), gen_random_uuid(), 'schedule', 'quiesce' from generate_series(1, 205)`;
    await on.database
      .sql`insert into reconciliation_entry (reconciliation_id, stream, side, key, hash) values (205, 'items', 'source', 'a', '')`;
    await on.database.sql`update job set reconcile = true`;
    await on.attempt();
    const [kept] = await on.database
      .sql`select count(*)::integer as count, min(id)::integer as first, max(id)::integer as last from reconciliation`;
    expect(kept).toEqual({ count: 200, first: 7, last: 206 });
    expect(await on.database.sql`select from reconciliation_entry`).toHaveLength(0);
  });

  it("is refused while another one is not over, and where there are no two sides", async () => {
    const { on } = await open();
    await ask(on);
    await expect(ask(on)).rejects.toMatchObject({ code: "QSC_RECONCILIATION_UNDER_WAY" });
    await expect(reconcileIntegration(on.context, { integration: "nobody", reason: null })).rejects.toMatchObject({
      code: "QSC_RECONCILIATION_NOT_FOUND",
    });
    await expect(resyncDifferences(on.context, { id: 1, confirmDeletions: false, reason: "r" })).rejects.toMatchObject({
      code: "QSC_RECONCILIATION_NOT_DONE",
    });
    await on.attempt();
    await on.database.sql`update integration set source_endpoint_id = null`;
    await expect(ask(on)).rejects.toMatchObject({ code: "QSC_RECONCILIATION_ONE_SIDED" });
    await on.database.sql`update integration set source_endpoint_id = target_endpoint_id`;
    await on.database.sql`update job set push = true`;
    await expect(ask(on)).rejects.toMatchObject({ code: "QSC_RECONCILIATION_WITHOUT_JOB" });
  });
});

describe("what sides offer", () => {
  const hashes = (rows: MemoryTarget["rows"]) =>
    [...rows].map(([key, data]) => ({ key, hash: recordHash(data, ["id", "name"]) })).toSorted((a, b) => (a.key < b.key ? -1 : 1));

  async function offering(facets: (target: MemoryTarget) => Partial<Connector>, stream: Partial<StreamEntry> = {}) {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 5);
    bench = await pipelineBench({ source, target: { connector: extendedConnector(target.connector, facets(target)) }, stream });
    await bench.attempt();
    target.rows.delete(keyOf(2));
    target.rows.set(keyOf(3), { id: keyOf(3), name: "other" });
    const id = await ask(bench);
    return { outcome: await bench.attempt(), ...(await resultOf(bench, id)) };
  }

  it("is compared by the target's own hashes, in pages behind a key", async () => {
    const asked: (string | undefined)[] = [];
    const { kept } = await offering(({ rows }) => ({
      reconcile: {
        keys: async (_x, { after, limit }) => {
          asked.push(after);
          return hashes(rows)
            .filter(({ key }) => after === undefined || key > after)
            .slice(0, limit);
        },
      },
    }));
    expect(kept).toEqual(["k0002 only-source open", "k0003 different open"]);
    expect(asked).toEqual([undefined, undefined]);
  });

  it("is compared by keys alone where the target's own hashes are over other fields", async () => {
    const fields = { "inner.name": { from: "name" } };
    const { stream, kept } = await offering(
      ({ rows }) => ({
        reconcile: { keys: async (_x, { after }) => hashes(rows).filter(({ key }) => after === undefined || key > after) },
      }),
      { mapping: { fields } },
    );
    expect(stream).toMatchObject({ method: "keys", equal: 4, onlySource: 1, different: 0 });
    expect(kept).toEqual(["k0002 only-source open"]);
  });

  it("is compared by numbers alone where the target only counts, which says nothing about records", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 5);
    const count = async () => 4;
    bench = await pipelineBench({
      source: { connector: extendedConnector(source.connector, { reconcile: { count: async () => 5 } }) },
      target: { connector: extendedConnector(target.connector, { reconcile: { count } }) },
    });
    const id = await ask(bench);
    await bench.attempt();
    expect((await resultOf(bench, id)).stream).toMatchObject({
      method: "counts",
      sourceRecords: 5,
      targetRecords: 4,
      equal: 0,
      different: 0,
    });
    const [event] = await bench.database.sql`select payload from event_inbox where kind = 'reconciliation.finished'`;
    expect(event?.["payload"]).toMatchObject({ accuracy: null });
  });

  it("fails without holding the integration where the target offers nothing", async () => {
    const { outcome, state } = await offering(() => ({}));
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "invalid", rule: { holdsIntegration: false } } });
    expect(JSON.stringify(outcome)).toContain('of endpoint \\"target\\": its connector can neither be read nor list keys');
    expect(state).toBe("failed");
  });

  it.each([
    ["keys out of order", (keys: ReturnType<typeof hashes>) => keys.toReversed(), "expected each key once, in ascending order"],
    ["a key twice", (keys: ReturnType<typeof hashes>) => [...keys, ...keys], "expected each key once"],
    ["no keys at all", () => "nonsense" as never, "keys with hashes are a list, found string"],
  ])("refuses a target that gives %s", async (_what, spoil, message) => {
    const { outcome } = await offering(({ rows }) => ({ reconcile: { keys: async () => spoil(hashes(rows)) } }));
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "contract" } });
    expect(JSON.stringify(outcome)).toContain(message);
  });

  it("calls nothing absent that a side did not show because it ended too early", async () => {
    const { outcome, kept } = await offering(({ rows }) => ({
      async *read() {
        yield { records: [...rows].slice(0, 2).map(([key, data]) => ({ key, data })), cursor: {}, more: true };
      },
    }));
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "contract" } });
    expect(kept).toEqual([]);
  });
});

describe("a resync", () => {
  async function different(options: Parameters<typeof open>[0] = {}) {
    const sides = await open(options);
    const { on, source, target } = sides;
    fill(source, 35);
    await on.attempt();
    target.applied.splice(0);
    for (const index of [1, 12, 30]) target.rows.delete(keyOf(index));
    target.rows.set(keyOf(20), { id: keyOf(20), name: "other" });
    target.rows.set("stray", { id: "stray", name: null });
    const id = await ask(on);
    await on.attempt();
    return {
      ...sides,
      id,
      order: (confirmDeletions = false) => resyncDifferences(on.context, { id, confirmDeletions, reason: "as the source has them" }),
    };
  }
  const mended = ["k0001", "k0012", "k0020", "k0030"];

  it.each(["key", "upsert", "none"] as const)(
    "writes exactly what differs, under keys of its own, to a target with idempotency %s",
    async (idempotency) => {
      const { on, target, id, order } = await different({ idempotency });
      await order();
      await expect(order()).rejects.toMatchObject({ code: "QSC_RECONCILIATION_UNDER_WAY" });
      expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 4, written: 4, deleted: 1, dead: 0 } });
      expect(target.applied.map((item) => item.key).toSorted()).toEqual([...mended, "stray"]);
      expect(target.applied.every((item) => item.idempotencyKey.endsWith(":resync-1"))).toBe(true);
      expect((await resultOf(on, id)).kept.every((one) => one.endsWith(" repaired"))).toBe(true);
      expect(await on.letters()).toEqual([]);
      expect(await on.cursor()).toEqual({ position: 35 });
    },
  );

  it.each(["upsert", "none"] as const)(
    "goes on behind the last page that was settled when it is killed between two (%s)",
    async (idempotency) => {
      const { on, target, id, order } = await different({ idempotency, pageSize: 2 });
      await order();
      const run = await on.claim();
      target.before = async (_x, items) => {
        if (items.some((item) => item.key === "k0020")) await on.takeAway(run);
      };
      target.after = () => undefined;
      await on.execute(run);
      target.before = () => undefined;
      const sent = target.applied.map((item) => item.key);
      expect(sent.slice(0, 2)).toEqual(["k0001", "k0012"]);
      expect((await resultOf(on, id)).kept.filter((one) => one.endsWith(" repaired"))).toHaveLength(2);
      await on.attempt();
      const times = (key: string) => target.applied.filter((item) => item.key === key).length;
      expect(times("k0001")).toBe(1);
      // The page at which it died: a target that knows repetitions gets it again, any other one never, and a person is asked.
      expect(times("k0020")).toBe(idempotency === "upsert" ? 2 : 1);
      const states = (await resultOf(on, id)).kept.map((one) => one.split(" ").at(-1));
      expect(states.filter((state) => state === "refused")).toHaveLength(idempotency === "upsert" ? 0 : 2);
      expect(states).not.toContain("open");
      expect((await on.letters()).map((letter) => letter.status)).toEqual(idempotency === "upsert" ? [] : ["review", "review"]);
    },
  );

  it("takes the source as it is now: what it has no more is not written, and what came back is not deleted", async () => {
    const { on, source, target, order } = await different({ stream: { deletes: "ignore" } });
    source.put("stray", { name: "came back" });
    source.put(keyOf(1), { name: "newer" });
    await order();
    await on.attempt();
    expect(target.rows.get("stray")).toEqual({ id: "stray", name: "came back" });
    expect(target.rows.get(keyOf(1))).toEqual({ id: keyOf(1), name: "newer" });
  });

  it("takes turns with the job that copies, so that it writes nothing older over what that has written meanwhile", async () => {
    const { on, order } = await different();
    await on.database
      .sql`insert into job (key, name, integration_id, reconcile) select 'orders-compare', 'orders-compare', id, true from integration`;
    const jobOf = async ({ runId }: { readonly runId: string }) =>
      (await on.database.sql<{ key: string }[]>`select j.key from run as r join job as j on j.id = r.job_id where r.id = ${runId}::uuid`)[0]
        ?.key;
    expect(await jobOf(await order())).toBe("orders-sync");
    await on.claim();
    await expect(on.claim()).rejects.toThrow("No run could be claimed");
    // A comparison writes nothing, so it keeps nobody from copying.
    expect(await jobOf(await reconcileIntegration(on.context, { integration: "orders", reason: "test" }))).toBe("orders-compare");
  });

  it("calls nothing gone that the source did not show because it ended too early", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 15);
    let isBroken = false;
    const read: Connector["read"] = async function* (x, request) {
      for await (const page of source.connector.read?.(x, request) ?? []) {
        yield isBroken ? { ...page, more: true } : page;
        if (isBroken) return;
      }
    };
    bench = await pipelineBench({
      source: { connector: extendedConnector(source.connector, { read }) },
      target: { connector: readable(target, () => undefined) },
      pageSize: 10,
    });
    await bench.attempt();
    target.rows.set(keyOf(15), { id: keyOf(15), name: "other" });
    const id = await ask(bench);
    await bench.attempt();
    isBroken = true;
    await resyncDifferences(bench.context, { id, confirmDeletions: true, reason: "test" });
    expect(await bench.attempt()).toMatchObject({ kind: "failed", failure: { kind: "contract" }, figures: { deleted: 0 } });
    expect(target.rows.has(keyOf(15))).toBe(true);
    expect((await resultOf(bench, id)).kept).toEqual(["k0015 different open"]);
  });

  it("deletes nothing where the stream ignores deletions", async () => {
    const { on, target, id, order } = await different({ stream: { deletes: "ignore" } });
    await order();
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 0 } });
    expect(target.rows.has("stray")).toBe(true);
    expect((await resultOf(on, id)).kept).toContain("stray only-target kept");
  });

  it("makes dead letters of what the target refuses, which a replay delivers", async () => {
    const { on, target, id, order } = await different();
    target.refuse = (item) => (item.key === "k0012" ? { kind: "invalid", message: "no such customer" } : undefined);
    await order();
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 3, dead: 1 } });
    expect(await on.letters()).toMatchObject([{ status: "open", key: "k0012" }]);
    expect((await resultOf(on, id)).kept).toContain("k0012 only-source refused");
  });
});
