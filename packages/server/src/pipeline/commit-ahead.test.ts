import { ConnectorError } from "@quiesce/sdk";
import { afterEach, expect, it, vi } from "vitest";
import { memorySource, type MemorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";

let bench: PipelineBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

async function open(options: Parameters<typeof pipelineBench>[0]): Promise<PipelineBench> {
  bench = await pipelineBench(options);
  return bench;
}

function filled(count: number, ahead: boolean): MemorySource {
  const source = memorySource({ ahead });
  for (let index = 1; index <= count; index += 1) source.put(`k${String(index).padStart(4, "0")}`, { name: `n${index}` });
  return source;
}

/** Keeps every commit of the stream back until `work` has ended. */
async function withCommitsKeptBack(on: PipelineBench, work: () => Promise<void>): Promise<void> {
  await on.database.sql.begin(async (tx) => {
    await tx`lock table stream_state in share mode`;
    await work();
  });
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 10 });

it("writes the next page of a source that allows it while a page is committed, reads the one after that, and none beyond", async () => {
  const source = filled(40, true);
  const target = memoryTarget();
  const asked: number[] = [];
  source.onPage = (_x, page) => void asked.push(page);
  const on = await open({ source, target });
  const run = await on.claim();
  let ended: Promise<unknown> = Promise.resolve();
  await withCommitsKeptBack(on, async () => {
    ended = on.execute(run);
    await eventually(() => expect(target.rows.size).toBe(20));
    await eventually(() => expect(asked).toEqual([1, 2, 3]));
    expect(await on.cursor()).toBeNull();
    expect(target.rows.size).toBe(20);
  });
  expect(await ended).toMatchObject({ kind: "succeeded", figures: { read: 40, written: 40 } });
  expect(await on.cursor()).toEqual({ position: 40 });
});

it.each([
  ["whose source did not say that it allows it", { ahead: false, idempotency: "upsert" }],
  ["of a target that would double what comes again", { ahead: true, idempotency: "none" }],
] as const)("asks for no further page before a page is committed %s", async (_name, { ahead, idempotency }) => {
  const source = filled(30, ahead);
  const target = memoryTarget({ idempotency });
  const on = await open({ source, target });
  source.onPage = async (_x, page) => {
    if (page > 1) expect(await on.cursor()).toEqual({ position: (page - 1) * 10 });
  };
  expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 30 } });
});

it("keeps the cursor behind a page whose commit failed, and loses nothing, although the page after it was written already", async () => {
  const source = filled(40, true);
  const target = memoryTarget();
  const on = await open({ source, target });
  const run = await on.claim();
  await on.database.sql.unsafe(`
    create function refuse_second() returns trigger language plpgsql as $$
    begin if (new.cursor ->> 'position')::integer > 10 then raise exception 'no'; end if; return new; end $$;
    create trigger refuse_second before update on stream_state for each row execute function refuse_second()`);
  expect(await on.execute(run)).toMatchObject({ kind: "failed", failure: { kind: "transient" }, figures: { read: 10, written: 10 } });
  expect(await on.cursor()).toEqual({ position: 10 });
  expect(await on.figures(run)).toMatchObject({ written: 10 });
  expect(target.rows.size).toBeLessThanOrEqual(30);
  await on.database.sql.unsafe("drop trigger refuse_second on stream_state");
  await on.takeAway(run);
  expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 40 } });
  expect(await on.cursor()).toEqual({ position: 40 });
  expect(target.rows.size).toBe(40);
});

it("waits for the commit of the page before when the next one stops the run, and says why it stopped", async () => {
  const source = filled(30, true);
  const target = memoryTarget();
  let hasRefused = false;
  target.refuse = (item) => {
    if (item.key !== "k0015") return undefined;
    hasRefused = true;
    return { kind: "unavailable", message: "away" };
  };
  const on = await open({ source, target });
  const run = await on.claim();
  let ended: Promise<unknown> = Promise.resolve();
  await withCommitsKeptBack(on, async () => {
    ended = on.execute(run);
    await eventually(() => expect(hasRefused).toBe(true));
  });
  expect(await ended).toMatchObject({ kind: "failed", failure: { kind: "unavailable" }, figures: { written: 10 } });
  expect(await on.cursor()).toEqual({ position: 10 });
});

it("writes nothing more for a run that was taken away while a page of it was written", async () => {
  const source = filled(40, true);
  const target = memoryTarget();
  const on = await open({ source, target });
  const run = await on.claim();
  let batches = 0;
  target.before = async () => {
    batches += 1;
    if (batches === 2) await on.takeAway(run);
  };
  await on.execute(run);
  expect(target.rows.size).toBe(20);
  // The first page's commit may have come before.
  expect([null, 10]).toContain(((await on.cursor()) as { readonly position: number } | null)?.position ?? null);
});

it("delivers and commits what was read before the source failed, and says why it stopped", async () => {
  const source = filled(40, true);
  const target = memoryTarget();
  source.onPage = (_x, page) => {
    if (page === 3) throw new ConnectorError("unavailable", "The source is away.");
  };
  const on = await open({ source, target });
  expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "unavailable" }, figures: { read: 20, written: 20 } });
  expect(await on.cursor()).toEqual({ position: 20 });
});
