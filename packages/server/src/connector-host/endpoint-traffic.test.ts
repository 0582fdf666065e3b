import { ConnectorError, type Connector, type Health } from "@quiesce/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { type MemorySource, memorySource } from "../../../../test/pipeline/memory-source.js";
import { type MemoryTarget, memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { followBreakers } from "./traffic/follow-breakers.js";

let bench: PipelineBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

interface Opened {
  readonly on: PipelineBench;
  readonly target: MemoryTarget;
  readonly source: MemorySource;
}

/** `check` is that of the target, for the probe. */
async function open(check?: () => Promise<Health>): Promise<Opened> {
  const target = memoryTarget();
  const source = memorySource();
  source.put("a");
  const connector: Connector = check === undefined ? target.connector : { ...target.connector, check };
  bench = await pipelineBench({ source, target: { ...target, connector } });
  return { on: bench, target, source };
}

const away = (): never => {
  throw new ConnectorError("unavailable", "503 from the shop");
};
const breaker = async (on: PipelineBench) =>
  (
    await on.database.sql<{ failures: number; open: boolean; reason: string | null; probeInMs: number | null }[]>`
    select failures, probe_at is not null as open, reason, (extract(epoch from probe_at - app_now()) * 1000)::float8 as "probeInMs"
    from endpoint_breaker where endpoint_id = (select id from endpoint where key = 'target')`
  )[0];
const eventsOf = async (on: PipelineBench, kind: string) =>
  (await on.database.sql<{ payload: object }[]>`select payload from event_inbox where kind = ${kind} and subject_key = 'target'`).map(
    (row) => row.payload,
  );
const queued = async (on: PipelineBench) =>
  (
    await on.database.sql<{ state: string; reason: string; waitsMs: number; retries: number }[]>`
    select state, reason, (extract(epoch from ready_at - app_now()) * 1000)::float8 as "waitsMs", attempt - given_back as retries from run order by due_at desc limit 1`
  )[0];
const letGo = (on: PipelineBench) => on.database.sql`update run set ready_at = app_now() where state = 'queued'`;
const probeNow = (on: PipelineBench) => on.database.sql`update endpoint_breaker set probe_at = app_now() - interval '1 second'`;

/** Runs until the breaker opens; answers how the attempts ended. */
async function untilOpen(on: PipelineBench): Promise<readonly string[]> {
  const kinds: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    kinds.push((await on.attempt()).kind);
    await letGo(on);
  }
  return kinds;
}

describe("a system that gives no answer", () => {
  it("opens the breaker of its endpoint after five runs, and the run that found it is put off, not failed", async () => {
    const { on, target } = await open();
    target.before = away;
    expect(await untilOpen(on)).toEqual(["failed", "failed", "failed", "failed", "given-back"]);
    expect(await breaker(on)).toMatchObject({ failures: 5, open: true, reason: "unavailable: 503 from the shop" });
    expect(await eventsOf(on, "endpoint.breaker-opened")).toEqual([
      { failures: 5, probeAt: expect.any(String), reason: "unavailable: 503 from the shop" },
    ]);
  });

  it("is not called while the breaker is open: runs wait until after the probe and use up no retry", async () => {
    const { on, target } = await open();
    target.before = away;
    await untilOpen(on);
    const before = await queued(on);
    let calls = 0;
    target.before = () => void (calls += 1);
    expect(await on.attempt()).toMatchObject({ kind: "given-back", reason: "endpoint-away" });
    expect(calls).toBe(0);
    const after = await queued(on);
    expect(after).toMatchObject({ state: "queued", reason: "endpoint-away", retries: before?.retries });
    // 35 seconds from the opening, of which a busy machine may have used some.
    expect(after?.waitsMs).toBeGreaterThan(10_000);
    expect(after?.waitsMs).toBeLessThan(36_000);
  });

  it("is asked again by one probe, and then everything that waited is delivered", async () => {
    let isUp = false;
    let checks = 0;
    const { on, target } = await open(async () => {
      checks += 1;
      if (!isUp) throw new ConnectorError("timeout", "no answer in time");
      return { status: "up" };
    });
    target.before = away;
    await untilOpen(on);
    const log = { warn: () => undefined } as never;
    await probeNow(on);
    // Two servers look at the same time.
    const stops = [
      followBreakers({ database: on.database, host: on.host, log }),
      followBreakers({ database: on.database, host: on.host, log }),
    ];
    await expect.poll(() => checks).toBe(1);
    await expect.poll(async () => (await breaker(on))?.probeInMs ?? 0).toBeGreaterThan(40_000);
    expect(checks).toBe(1);
    isUp = true;
    target.before = () => undefined;
    await probeNow(on);
    await expect.poll(async () => (await breaker(on))?.open, { timeout: 60_000 }).toBe(false);
    for (const stop of stops) await stop();
    expect(await eventsOf(on, "endpoint.breaker-closed")).toEqual([{ openedAt: expect.any(String), probed: true }]);
    await letGo(on);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    expect([...target.rows.keys()]).toEqual(["a"]);
  });

  it("without a check lets runs try again, and one failure opens it for longer", async () => {
    const { on, target } = await open();
    target.before = away;
    await untilOpen(on);
    await probeNow(on);
    const stop = followBreakers({ database: on.database, host: on.host, log: { warn: () => undefined } as never });
    await expect.poll(async () => (await breaker(on))?.open).toBe(false);
    await stop();
    await letGo(on);
    expect(await on.attempt()).toMatchObject({ kind: "given-back" });
    expect((await breaker(on))?.probeInMs).toBeGreaterThan(40_000);
  });

  it("closes its breaker when somebody's check finds it there", async () => {
    const { on, target } = await open(async () => ({ status: "up" }));
    target.before = away;
    await untilOpen(on);
    await on.host.checkEndpoint("target", new AbortController().signal);
    expect(await breaker(on)).toMatchObject({ open: false, failures: 0, reason: null });
  });

  it("is forgotten when an answer comes before the fifth failure, and records that are at fault count for nothing", async () => {
    const { on, target, source } = await open();
    target.before = away;
    await on.attempt();
    expect(await breaker(on)).toMatchObject({ failures: 1, open: false });
    target.before = () => undefined;
    await letGo(on);
    await on.attempt();
    expect(await breaker(on)).toMatchObject({ failures: 0, reason: null });
    target.refuse = () => ({ kind: "invalid", message: "no such customer" });
    source.put("b");
    await on.attempt();
    expect(await breaker(on)).toMatchObject({ failures: 0 });
  });

  it("may say so for single records", async () => {
    const { on, target } = await open();
    target.refuse = () => ({ kind: "timeout", message: "no answer" });
    await on.attempt();
    expect(await breaker(on)).toMatchObject({ failures: 1, reason: "timeout: no answer" });
  });
});

describe("a system that asks for fewer requests", () => {
  it("delays every run of its endpoint until then, and none of them fails", async () => {
    const { on, target } = await open();
    target.before = () => {
      throw new ConnectorError("rate_limited", "429", { retryAfterMs: 90_000 });
    };
    expect(await on.attempt()).toMatchObject({ kind: "given-back", reason: "endpoint-rate-limited" });
    const first = await queued(on);
    expect(first?.waitsMs).toBeGreaterThan(60_000);
    expect(first?.retries).toBe(0);
    target.before = () => undefined;
    await letGo(on);
    expect(await on.attempt()).toMatchObject({ kind: "given-back", reason: "endpoint-rate-limited" });
    expect(await eventsOf(on, "endpoint.rate-limited")).toHaveLength(1);
    await on.database.sql`update endpoint_breaker set delayed_until = app_now()`;
    await letGo(on);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
  });
});
