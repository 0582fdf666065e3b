import { ConnectorError } from "@quiesce/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { memorySource, type MemorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";

let bench: PipelineBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

type BenchOptions = Parameters<typeof pipelineBench>[0];

async function open(options: BenchOptions): Promise<PipelineBench> {
  bench = await pipelineBench(options);
  return bench;
}

function fill(source: MemorySource, count: number): void {
  for (let index = 1; index <= count; index += 1) source.put(`k${String(index).padStart(4, "0")}`, { name: `n${index}` });
}

describe("copying a stream", () => {
  it("copies every record page by page and counts each one once", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 25);
    const on = await open({ source, target });
    expect(await on.attempt()).toEqual({ kind: "succeeded", figures: { read: 25, written: 25, unchanged: 0, deleted: 0, dead: 0 } });
    expect(target.rows.size).toBe(25);
    expect(await on.cursor()).toEqual({ position: 25 });
    source.put("k0001", { name: "changed" });
    expect(await on.attempt()).toMatchObject({ figures: { read: 1, written: 1 } });
    expect(target.rows.get("k0001")).toEqual({ id: "k0001", name: "changed" });
  });

  it("writes nothing twice when the process dies between the write and the commit", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 25);
    const on = await open({ source, target });
    const run = await on.claim();
    // The second page is written, then the connection to our own database is gone before the commit.
    target.after = async (_x, items) => {
      if (items.some((item) => item.key === "k0011")) await on.database.sql`alter table stream_state rename to stream_state_gone`;
    };
    expect(await on.execute(run)).toMatchObject({ kind: "failed", failure: { kind: "transient", rule: { retry: true } } });
    await on.database.sql`alter table stream_state_gone rename to stream_state`;
    expect(await on.cursor()).toEqual({ position: 10 });
    expect(target.rows.size).toBe(20);
    target.after = () => undefined;
    await on.takeAway(run);
    expect(await on.attempt()).toEqual({ kind: "succeeded", figures: { read: 25, written: 15, unchanged: 10, deleted: 0, dead: 0 } });
    expect(target.rows.size).toBe(25);
    const keys = target.applied.filter((item) => item.key === "k0011").map((item) => item.idempotencyKey);
    expect(new Set(keys)).toEqual(new Set(["orders:items:k0011:11"]));
    expect(keys).toHaveLength(2);
  });

  it("never commits a cursor beyond what was written", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 35);
    const on = await open({ source, target });
    source.onPage = async (_x, page) => {
      if (page <= 1) return;
      const cursor = (await on.cursor()) as { position: number };
      expect(cursor.position).toBe((page - 1) * 10);
      expect(target.rows.size).toBeGreaterThanOrEqual(cursor.position);
    };
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
  });

  it("commits nothing and sends nothing more once the run was taken away", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 25);
    const on = await open({ source, target });
    const run = await on.claim();
    source.onPage = async (_x, page) => {
      if (page === 2) await on.takeAway(run);
    };
    await on.execute(run);
    expect(await on.cursor()).toEqual({ position: 10 });
    expect(target.rows.size).toBe(10);
    const before = await on.database.sql`select state, attempt, figures from run`;
    expect(before).toMatchObject([{ state: "queued", figures: { written: 10 } }]);
  });

  it("rolls a page back whose run is taken away while the target writes", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 5);
    const on = await open({ source, target });
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    expect(await on.cursor()).toBeNull();
    expect(await on.figures(run)).toBeNull();
  });

  it("does not even call the connectors for a run that is not running", async () => {
    const source = memorySource();
    const on = await open({ source, target: memoryTarget() });
    const run = await on.claim();
    await on.takeAway(run);
    await on.execute(run);
    expect(source.released).toBe(0);
  });

  it("does not move a cursor that another job's run on the same stream has moved meanwhile", async () => {
    const source = memorySource();
    fill(source, 25);
    const on = await open({ source, target: memoryTarget() });
    source.onPage = async (_x, page) => {
      if (page === 2) await on.database.sql`update stream_state set cursor = '{"position": 24}'`;
    };
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "transient" }, figures: { written: 10 } });
    expect(await on.cursor()).toEqual({ position: 24 });
  });

  it("copies the other streams when one of them breaks its contract", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 5);
    const on = await open({ source, target });
    await on.database.sql`update integration set streams = jsonb_build_array(streams -> 0 || '{"stream": "broken"}', streams -> 0)`;
    source.onPage = () => {
      if (target.rows.size === 0 && source.released === 0) throw new ConnectorError("contract", "HTML instead of JSON");
    };
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "contract" }, figures: { written: 5 } });
    expect(target.rows.size).toBe(5);
  });

  it("keeps the order of two changes of one record within a page", async () => {
    const source = memorySource();
    const target = memoryTarget();
    source.put("a", { name: "old" });
    source.put("b", { name: "b" });
    source.put("a", { name: "new" });
    const on = await open({ source, target });
    await on.attempt();
    expect(target.rows.get("a")).toEqual({ id: "a", name: "new" });
    expect(target.applied).toHaveLength(3);
  });

  it("stops between pages when it is told to, and goes on from there", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 40);
    const on = await open({ source, target });
    const stop = new AbortController();
    target.after = (_x, items) => {
      if (items.some((item) => item.key === "k0020")) stop.abort({ why: "timeout" });
    };
    expect(await on.attempt(stop.signal)).toMatchObject({ kind: "failed", failure: { rule: { retry: true } } });
    expect(source.released).toBe(1);
    const cursor = (await on.cursor()) as { position: number };
    expect(cursor.position).toBeLessThanOrEqual(20);
    target.after = () => undefined;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 40, dead: 0 } });
    expect(target.rows.size).toBe(40);
  });

  it("gives the run back at a shutdown, without costing it an attempt", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 40);
    const on = await open({ source, target });
    const stop = new AbortController();
    source.onPage = (_x, page) => void (page === 3 && stop.abort({ why: "shutdown" }));
    expect(await on.attempt(stop.signal)).toEqual({ kind: "given-back", reason: "shutdown" });
    expect(await on.cursor()).toEqual({ position: 20 });
    source.onPage = () => undefined;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 40, written: 40 } });
  });

  it("tells a connector by its signal why it is stopped, and leaves one behind that does not listen", async () => {
    const source = memorySource();
    fill(source, 5);
    const on = await open({ source, target: memoryTarget() });
    const stop = new AbortController();
    let heard: unknown;
    source.onPage = (x) =>
      new Promise(() => {
        x.signal.addEventListener("abort", () => (heard = x.signal.reason));
        setTimeout(() => stop.abort({ why: "lease-lost" }), 20);
      });
    expect(await on.attempt(stop.signal)).toMatchObject({ kind: "failed", failure: { kind: "cancelled" } });
    expect(heard).toEqual({ why: "cancel" });
  }, 300_000);
});

describe("records that cannot be delivered", () => {
  it("sets aside what does not fit the mapping, and goes on", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 3);
    source.putRaw({ key: "no-id", version: "9", data: { name: "x" } });
    source.putRaw({ key: "", data: {} });
    source.putRaw({ key: "zero\0key", data: {} });
    source.putRaw(null);
    fill(source, 1);
    const on = await open({ source, target });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 8, written: 3, unchanged: 1, dead: 4 } });
    const letters = await on.letters();
    expect(letters.map((letter) => [letter.status, letter.key])).toEqual([
      ["open", "no-id"],
      ["open", "(no key)"],
      ["open", "zero\ufffdkey"],
    ]);
    expect(letters[0]?.error).toMatchObject({
      kind: "invalid",
      message: "id: found nothing, expected a value at id; a default would allow it to be absent.",
    });
  });

  it("keeps a record with characters that the database cannot store", async () => {
    const source = memorySource();
    const target = memoryTarget();
    source.put("odd", { name: "zero\0half\ud800", "na\0me": 1 });
    target.refuse = () => ({ kind: "invalid", message: "zero\0 refused" });
    const on = await open({ source, target });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { dead: 1 } });
    expect((await on.letters())[0]?.text).toContain("zero\ufffdhalf\ufffd");
  });

  it("keeps one open letter a record, and closes it when a later version is delivered", async () => {
    const source = memorySource();
    const target = memoryTarget();
    source.put("a", { name: "bad" });
    target.refuse = (item) => (item.data["name"] === "bad" ? { kind: "invalid", message: "no" } : undefined);
    const on = await open({ source, target });
    await on.attempt();
    source.put("a", { name: "bad" });
    await on.attempt();
    expect((await on.letters()).map((letter) => letter.status)).toEqual(["open"]);
    source.put("a", { name: "good" });
    await on.attempt();
    expect((await on.letters()).map((letter) => letter.status)).toEqual(["discarded"]);
  });

  it("keeps the letter of a record whose older version in the same page was delivered", async () => {
    const source = memorySource();
    const target = memoryTarget();
    target.refuse = (item) => (item.data["name"] === "bad" ? { kind: "invalid", message: "no" } : undefined);
    for (const name of ["good", "bad"]) source.put("a", { name });
    const on = await open({ source, target });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 1, dead: 1 } });
    expect((await on.letters()).map((letter) => letter.status)).toEqual(["open"]);
  });

  it("stops and repeats the page when the target is down, instead of filing dead letters", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 15);
    target.refuse = (item) => (item.key > "k0005" ? { kind: "unavailable", message: "503", retryAfterMs: 5 } : undefined);
    const on = await open({ source, target });
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "unavailable", retryAfterMs: 5 } });
    expect(await on.letters()).toHaveLength(0);
    expect(await on.cursor()).toBeNull();
  });

  it("sets one record aside at the last attempt when it alone keeps failing", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 15);
    target.refuse = (item) => (item.key === "k0005" ? { kind: "timeout", message: "slow" } : undefined);
    const on = await open({ source, target });
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "timeout" } });
    expect(await on.attempt()).toMatchObject({ kind: "failed" });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 15, dead: 1 } });
    expect((await on.letters()).map((letter) => letter.key)).toEqual(["k0005"]);
  });

  it.each([1, 5, 100])(
    "sets nothing aside when the target goes away in the middle of the last attempt (batches of %d)",
    async (maxBatch) => {
      const source = memorySource();
      const target = memoryTarget({ maxBatch });
      fill(source, 15);
      target.refuse = (item) => (item.key > "k0004" ? { kind: "unavailable", message: "503" } : undefined);
      const on = await open({ source, target });
      for (const attempt of [1, 2, 3]) expect([attempt, await on.attempt()]).toMatchObject([attempt, { kind: "failed" }]);
      expect(await on.letters()).toHaveLength(0);
      target.refuse = () => undefined;
      expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 15, dead: 0 } });
    },
  );

  it("holds the integration when credentials are refused, and leaves the records for later", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 3);
    target.before = () => {
      throw new ConnectorError("auth", "The password was refused.");
    };
    const on = await open({ source, target });
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "auth", rule: { holdsIntegration: true } } });
    expect(await on.letters()).toHaveLength(0);
    const holds = await on.database.sql`select kind, reason from hold where released_at is null`;
    expect(holds).toEqual([{ kind: "credentials", reason: "auth: The password was refused." }]);
  });
});

describe("a target that cannot recognise repetitions", () => {
  const setup = async (count: number, maxBatch = 100) => {
    const source = memorySource();
    const target = memoryTarget({ idempotency: "none", maxBatch });
    fill(source, count);
    return { source, target, on: await open({ source, target, stream: { deletes: "ignore" } }) };
  };

  it("puts an ambiguous write into review and never sends it again", async () => {
    const { target, on } = await setup(3);
    target.refuse = (item) => (item.key === "k0002" ? { kind: "timeout", message: "no answer", ambiguous: true } : undefined);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 3, written: 2, dead: 1 } });
    expect((await on.letters()).map((letter) => [letter.status, letter.key, letter.error.kind])).toEqual([["review", "k0002", "timeout"]]);
    target.refuse = () => undefined;
    await on.attempt();
    expect(target.applied.map((item) => item.key)).toEqual(["k0001", "k0003"]);
  });

  it("asks a person, instead of writing twice, when the process dies between the write and the commit", async () => {
    const { target, on } = await setup(3);
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    target.after = () => undefined;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 3, written: 0, dead: 3 } });
    expect(target.applied).toHaveLength(3);
    expect((await on.letters()).map((letter) => letter.status)).toEqual(["review", "review", "review"]);
  });

  it("does not repeat what was confirmed when the page is interrupted", async () => {
    const { target, on } = await setup(6);
    target.refuse = (item) => {
      if (item.key === "k0003") return { kind: "invalid", message: "no" };
      if (item.key === "k0004") return { kind: "unavailable", message: "reset", ambiguous: true };
      return item.key > "k0004" ? { kind: "unavailable", message: "not sent" } : undefined;
    };
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "unavailable" } });
    expect(await on.cursor()).toBeNull();
    target.refuse = () => undefined;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 6, written: 4, dead: 2 } });
    expect(target.applied.map((item) => item.key)).toEqual(["k0001", "k0002", "k0005", "k0006"]);
    expect((await on.letters()).map((letter) => [letter.key, letter.status])).toEqual([
      ["k0003", "open"],
      ["k0004", "review"],
    ]);
  });

  it("leaves no trace of writes that were confirmed", async () => {
    const { target, on } = await setup(25, 4);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 25, written: 25 } });
    expect(await on.letters()).toHaveLength(0);
    expect(target.applied).toHaveLength(25);
  });
});

describe("deletions", () => {
  it("are found by a complete list of keys", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 25);
    const on = await open({ source, target });
    await on.attempt();
    source.remove("k0003");
    source.remove("k0024");
    source.put("new", { name: "new" });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 1, written: 1, deleted: 2 } });
    expect(target.rows.has("k0003")).toBe(false);
    expect(target.rows.size).toBe(24);
    expect(await on.attempt()).toMatchObject({ figures: { read: 0, deleted: 0 } });
  });

  it("are never taken from a list that ended too early", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 25);
    const on = await open({ source, target });
    await on.attempt();
    source.remove("k0003");
    source.breakListing = true;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 0 } });
    expect(target.rows.size).toBe(25);
    source.breakListing = false;
    expect(await on.attempt()).toMatchObject({ figures: { deleted: 1 } });
  });

  it("do not hit a record that appears while the keys are listed", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 5);
    const on = await open({ source, target });
    await on.attempt();
    // Another run of the same integration copies a new record after the listing has passed its place.
    source.onPage = async (_x, page) => {
      if (page !== 0) return;
      target.rows.set("late", {});
      await on.database
        .sql`insert into stream_key (integration_id, stream, key, seen_run_id) select id, 'items', 'late', gen_random_uuid() from integration`;
    };
    expect(await on.attempt()).toMatchObject({ figures: { deleted: 0 } });
    expect(target.rows.has("late")).toBe(true);
  });

  it("are found by what a complete read shows where keys cannot be listed, and not by half a read", async () => {
    const source = memorySource({ cursor: "none", listKeys: false });
    const target = memoryTarget();
    fill(source, 25);
    const on = await open({ source, target });
    await on.attempt();
    source.remove("k0002");
    const stop = new AbortController();
    source.onPage = (_x, page) => void (page === 3 && stop.abort({ why: "shutdown" }));
    await on.attempt(stop.signal);
    expect(target.rows.size).toBe(25);
    source.onPage = () => undefined;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 1 } });
    expect(target.rows.size).toBe(24);
  });

  it("come as tombstones where the source has them", async () => {
    const source = memorySource({ deletes: "tombstone" });
    const target = memoryTarget();
    fill(source, 3);
    source.remove("k0002");
    const on = await open({ source, target });
    expect(await on.attempt()).toMatchObject({ figures: { read: 4, written: 3, deleted: 1 } });
    expect([...target.rows.keys()]).toEqual(["k0001", "k0003"]);
  });

  it("are left alone where the stream ignores them", async () => {
    const source = memorySource({ deletes: "tombstone" });
    const target = memoryTarget();
    fill(source, 3);
    source.remove("k0002");
    const on = await open({ source, target, stream: { deletes: "ignore" } });
    await on.attempt();
    expect(target.rows.size).toBe(3);
  });

  it("are not retried for ever when the target refuses one", async () => {
    const source = memorySource();
    const target = memoryTarget();
    fill(source, 3);
    const on = await open({ source, target });
    await on.attempt();
    source.remove("k0002");
    target.refuse = (item) => (item.op === "delete" ? { kind: "conflict", message: "still referenced" } : undefined);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { dead: 1 } });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { dead: 0 } });
    expect((await on.letters()).map((letter) => letter.key)).toEqual(["k0002"]);
  });
});

describe("secrets", () => {
  it("appear neither in dead letters nor in errors, events or the log, in any form", async () => {
    const canary = "CANARY-f00d-5ecret";
    const encoded = Buffer.from(`user:${canary}`).toString("base64");
    const source = memorySource();
    const target = memoryTarget();
    source.put("a", { name: `leaks ${canary}` });
    source.put("b", { name: "fine" });
    source.onPage = (x) => {
      x.log.info(`connecting with ${canary}`, { header: `Basic ${encoded}` });
      x.metric(`figure-${canary}`, 1, { label: canary });
    };
    target.refuse = (item) =>
      item.key === "a" ? { kind: "invalid", message: `refused with ${canary} (${encoded})`, field: canary } : undefined;
    const on = await open({
      source: { ...source, secrets: { token: canary } },
      target: { ...target, secrets: { password: "another-secret" } },
    });
    await on.attempt();
    target.refuse = () => undefined;
    source.put("c", { name: "c" });
    target.before = () => {
      throw new Error(`socket to user:${canary}@host broke, another-secret`);
    };
    const outcome = await on.attempt();
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "bug" } });
    const stored = await on.database.sql<{ text: string }[]>`
      select (select coalesce(string_agg(d::text, ' '), '') from dead_letter as d) || (select coalesce(string_agg(r::text, ' '), '') from run as r)
        || (select coalesce(string_agg(e::text, ' '), '') from event_inbox as e) || (select coalesce(string_agg(a::text, ' '), '') from audit_entry as a) as text`;
    const everything = `${stored[0]?.text}${JSON.stringify(outcome)}${on.logged()}`;
    expect(everything).toContain("[redacted]");
    expect(everything).toContain("connecting with");
    for (const secret of [canary, encoded, encodeURIComponent(canary), "another-secret"]) expect(everything).not.toContain(secret);
    const [letter] = await on.letters();
    expect(letter?.text).toContain('"incomplete": true');
  });
});
