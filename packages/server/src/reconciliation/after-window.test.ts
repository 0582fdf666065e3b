import { packagedZoneData } from "@quiesce/core";
import type { Connector } from "@quiesce/sdk";
import { afterEach, expect, it } from "vitest";
import { extendedConnector } from "../../../../test/pipeline/extended-connector.js";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { sweepReleased } from "../runs/sweep-released.js";
import { advanceWindows } from "../windows/advance.js";
import { createWindow } from "../windows/commands.js";
import { endWindowEarly } from "../windows/occurrence-commands.js";
import { windowReport } from "../windows/report.js";

let bench: PipelineBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
  reading.isBroken = false;
});

/** A target that can be read; a broken one ends without saying that it is complete. */
const reading = { isBroken: false };
function readable(target: ReturnType<typeof memoryTarget>): Connector {
  return extendedConnector(target.connector, {
    async *read() {
      yield { records: [...target.rows].map(([key, data]) => ({ key, data })), cursor: {}, more: reading.isBroken };
    },
  });
}

/** A window over the integration that began a minute ago, ended at once, with what a server does then. */
async function overWindow(resume: object): Promise<{ readonly on: PipelineBench; readonly target: ReturnType<typeof memoryTarget> }> {
  const source = memorySource();
  const target = memoryTarget();
  const on = await pipelineBench({ source, target: { connector: readable(target) } });
  bench = on;
  for (const key of ["a", "b", "c"]) source.put(key, { name: key });
  await on.attempt();
  target.rows.delete("c");
  const local = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString().slice(0, 19);
  await createWindow(on.context, {
    title: "Patches",
    key: "patches",
    series: { start: local(-60_000), end: local(3_600_000), timeZone: "UTC" },
    scope: { integrations: ["orders"] },
    owner: "ops",
    reason: "patches",
    resume: { readiness: { check: false }, canaries: 0, ...resume },
  });
  await turn(on);
  await endWindowEarly(on.context, { key: "patches", reason: "done" });
  for (let n = 0; n < 3; n += 1) await turn(on);
  return { on, target };
}

async function turn(on: PipelineBench): Promise<void> {
  await advanceWindows(on.context);
  await sweepReleased(on.context);
}

const report = (on: PipelineBench) => windowReport(on.database.db, packagedZoneData(), { key: "patches" });
const verified = async (on: PipelineBench) =>
  (await on.database.sql<{ verified: boolean | null }[]>`select verified from occurrence`)[0]?.verified;

it("both sides are compared when a window is over that asks for it, and its report shows the accuracy", async () => {
  const { on, target } = await overWindow({ reconcile: true });
  expect(await on.database.sql`select origin, requested_by as by, reason from reconciliation`).toEqual([
    { origin: "window", by: "quiesce", reason: "After the window patches." },
  ]);
  expect(await report(on)).toMatchObject({ state: "closed", reconciled: { integrations: 1, done: 0, failed: 0, accuracy: null } });
  expect(await verified(on)).toBeNull();
  expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
  expect((await report(on)).reconciled).toMatchObject({ integrations: 1, done: 1, failed: 0, accuracy: 2 / 3, onlySource: 1, equal: 2 });
  expect(await verified(on)).toBe(false);
  // Closing it once more queues nothing.
  await turn(on);
  expect(await on.database.sql`select from reconciliation`).toHaveLength(1);
  expect(target.rows.size).toBe(2);
});

it("a window whose sides are equal afterwards is verified", async () => {
  const { on, target } = await overWindow({ reconcile: true });
  target.rows.set("c", { id: "c", name: "c" });
  await on.attempt();
  expect((await report(on)).reconciled).toMatchObject({ accuracy: 1, equal: 3 });
  expect(await verified(on)).toBe(true);
});

it("a window that does not ask compares nothing", async () => {
  const { on } = await overWindow({});
  expect(await report(on)).toMatchObject({ state: "closed", reconciled: null });
  expect(await on.database.sql`select from reconciliation`).toHaveLength(0);
  expect(await verified(on)).toBeNull();
});

it("a comparison after a window that cannot be done is told as failed, and the window is not verified", async () => {
  const { on } = await overWindow({ reconcile: true });
  reading.isBroken = true;
  expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "contract" } });
  expect((await report(on)).reconciled).toMatchObject({ integrations: 1, done: 0, failed: 1, accuracy: null });
  expect(await verified(on)).toBeNull();
});
