import { type Alert, type AlertPage, type Context, defineConnector, z } from "@quiesce/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { inTransaction, readNow } from "../command.js";
import { takeAlerts } from "./take-alerts.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";

const startsAt = "2026-11-01T03:00:00Z";
const alert = (name: string, more: Partial<Alert> = {}): Alert => ({
  id: `id of ${name}`,
  fingerprint: name,
  status: "firing",
  severity: "critical",
  title: `${name} is down`,
  startsAt,
  resource: { kind: "host", name },
  ...more,
});

let pages: AlertPage[];
let asked: unknown[];
let onPage: (x: Context, page: number) => Promise<void>;
const monitor = defineConnector({
  apiVersion: 1,
  id: "memory-source",
  version: "1.0.0",
  displayName: "Monitor",
  stability: "experimental",
  config: z.object({}),
  secrets: z.object({ token: z.string().optional() }),
  egress: () => [],
  alerts: {
    async *pull(x, { cursor }) {
      asked.push(cursor);
      for (const [index, page] of pages.entries()) {
        await onPage(x, index + 1);
        yield page;
      }
    },
  },
});

let bench: PipelineBench;
beforeEach(async () => {
  asked = [];
  onPage = async () => undefined;
  bench = await pipelineBench({ source: { ...memorySource(), connector: monitor }, target: memoryTarget() });
  await bench.database.sql`update integration set target_endpoint_id = null, streams = '[]'`;
});
afterEach(async () => {
  await bench?.close();
});

const known = () =>
  bench.database.sql<{ name: string; status: string; by: string | null }[]>`
  select fingerprint as name, status, ended_by as by from alert order by id`.then((rows) => [...rows]);
const events = async () =>
  (await bench.database.sql<{ kind: string }[]>`select kind from event_inbox where kind like 'alert.%' order by id`).map(
    ({ kind }) => kind,
  );

describe("a run of an integration with a monitor as its source, and nothing else", () => {
  it("takes what fires, page by page, and asks from the last committed cursor the next time", async () => {
    pages = [
      { alerts: [alert("a"), alert("b")], cursor: { at: 1 }, more: true },
      { alerts: [alert("a", { status: "resolved", endsAt: "2026-11-01T04:00:00Z" })], cursor: { at: 2 }, more: false },
    ];
    expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 3, written: 3 } });
    expect(await known()).toEqual([
      { name: "a", status: "resolved", by: "monitor" },
      { name: "b", status: "firing", by: null },
    ]);
    expect(await events()).toEqual(["alert.fired", "alert.fired", "alert.resolved"]);
    pages = [{ alerts: [], cursor: { at: 2 }, more: false }];
    await bench.attempt();
    expect(asked).toEqual([null, { at: 2 }]);
  });

  it("ends what a complete list no longer has, and only with the whole list", async () => {
    pages = [{ alerts: [alert("a"), alert("b"), alert("c")], cursor: null, snapshot: true, more: false }];
    await bench.attempt();
    pages = [
      { alerts: [alert("a")], cursor: null, snapshot: true, more: true },
      { alerts: [alert("c")], cursor: null, snapshot: true, more: false },
    ];
    expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 2, written: 1, unchanged: 2 } });
    expect(await known()).toEqual([
      { name: "a", status: "firing", by: null },
      { name: "b", status: "resolved", by: "snapshot" },
      { name: "c", status: "firing", by: null },
    ]);
  });

  it("does not end what a webhook told of after the look had begun", async () => {
    pages = [{ alerts: [alert("a")], cursor: null, snapshot: true, more: false }];
    onPage = async () => {
      await inTransaction({ database: bench.database }, async (tx) => {
        const [source] = await bench.database.sql<{ id: number }[]>`select source_endpoint_id as id from integration`;
        const endpoint = { id: source?.id ?? 0, key: "source" };
        await takeAlerts(tx, { endpoint, alerts: [alert("b")], completeAsOf: null, now: await readNow(tx) });
      });
    };
    await bench.attempt();
    expect(await known()).toMatchObject([
      { name: "b", status: "firing" },
      { name: "a", status: "firing" },
    ]);
    onPage = async () => undefined;
    await bench.attempt();
    expect(await known()).toMatchObject([
      { name: "b", status: "resolved", by: "snapshot" },
      { name: "a", status: "firing" },
    ]);
  });

  it("ends nothing when the list breaks off in the middle", async () => {
    pages = [{ alerts: [alert("a"), alert("b")], cursor: null, snapshot: true, more: false }];
    await bench.attempt();
    pages = [
      { alerts: [alert("a")], cursor: null, snapshot: true, more: true },
      { alerts: [], cursor: null, snapshot: true, more: false },
    ];
    onPage = async (_x, page) => {
      if (page === 2) throw new Error("the monitor is gone");
    };
    expect(await bench.attempt()).toMatchObject({ kind: "failed" });
    expect(await known()).toMatchObject([{ status: "firing" }, { status: "firing" }]);
  });

  it("writes nothing more once the run was taken away", async () => {
    pages = [
      { alerts: [alert("a")], cursor: { at: 1 }, more: true },
      { alerts: [alert("b")], cursor: { at: 2 }, more: false },
    ];
    const run = await bench.claim();
    onPage = async (_x, page) => {
      if (page === 2) await bench.takeAway(run);
    };
    await bench.execute(run);
    expect(await known()).toEqual([{ name: "a", status: "firing", by: null }]);
  });

  it("refuses what is no alert as a broken contract, and believes nothing of its page", async () => {
    pages = [{ alerts: [alert("a"), alert("b", { startsAt: "yesterday" })], cursor: null, more: false }];
    expect(await bench.attempt()).toMatchObject({
      kind: "failed",
      failure: { kind: "contract" },
      error: { message: expect.stringMatching(/Alert 2 of 2: startsAt: found "yesterday"/) as unknown },
    });
    expect(await known()).toEqual([]);
  });

  it("folds one thing that is said several times in a page into one episode after the other", async () => {
    const later = "2026-11-01T05:00:00Z";
    pages = [
      {
        alerts: [
          alert("a"),
          alert("a", { severity: "major" }),
          alert("a", { status: "resolved", endsAt: "2026-11-01T04:00:00Z" }),
          alert("a", { startsAt: later }),
        ],
        cursor: null,
        more: false,
      },
    ];
    await bench.attempt();
    expect([
      ...(await bench.database.sql`select status, severity, started_at as "startedAt", ended_at as "endedAt" from alert order by id`),
    ]).toEqual([
      { status: "resolved", severity: "major", startedAt: Date.parse(startsAt), endedAt: Date.parse("2026-11-01T04:00:00Z") },
      { status: "firing", severity: "critical", startedAt: Date.parse(later), endedAt: null },
    ]);
  });
});

it("a source that gives no alerts, without target and streams, is told what lacks", async () => {
  await bench.close();
  bench = await pipelineBench({ source: memorySource(), target: memoryTarget() });
  await bench.database.sql`update integration set target_endpoint_id = null, streams = '[]'`;
  expect(await bench.attempt()).toMatchObject({
    kind: "failed",
    failure: { kind: "config" },
    error: { message: expect.stringMatching(/lacks a target and streams that are read/) as unknown },
  });
});
