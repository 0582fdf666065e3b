import { describe, expect, it } from "vitest";
import { decideAcceptance } from "./decide-acceptance.js";
import { decideFailedRecord } from "./decide-failed-record.js";
import { decidePushRun, type LastPushRun } from "./decide-push-run.js";
import { pushedRecords } from "./pushed-record.js";

const policy = { maxAttempts: 3, backoffSeconds: 10, maxBackoffSeconds: 600 };

describe("a request to the inbox", () => {
  const facts = {
    waitingRecords: 90,
    waitingBytes: 900,
    newRecords: 10,
    newBytes: 100,
    heldUntil: undefined,
    now: 0,
    limits: { waitingRecords: 100, waitingBytes: 1_000 },
  };

  it("fits up to the limit, and is refused whole above it", () => {
    expect(decideAcceptance(facts)).toEqual({ kind: "accept" });
    expect(decideAcceptance({ ...facts, newRecords: 11 })).toMatchObject({
      kind: "full",
      what: "records",
      limit: 100,
      retryAfterSeconds: 30,
    });
    expect(decideAcceptance({ ...facts, newBytes: 101 })).toMatchObject({ kind: "full", what: "bytes", limit: 1_000 });
    expect(decideAcceptance({ ...facts, waitingRecords: 500, newRecords: 0, newBytes: 0 })).toEqual({ kind: "accept" });
  });

  it.each([
    { heldUntil: undefined, seconds: 30 },
    { heldUntil: 600_000, seconds: 630 },
    { heldUntil: -1, seconds: 30 },
    { heldUntil: 10 * 86_400_000, seconds: 86_400 },
    { heldUntil: null, seconds: 3_600 },
  ])("is to come again after $seconds seconds when the hold ends at $heldUntil", ({ heldUntil, seconds }) => {
    expect(decideAcceptance({ ...facts, newRecords: 1_000, heldUntil })).toMatchObject({ retryAfterSeconds: seconds });
  });

  it("is read with its defaults, one record as a list of one", () => {
    expect(pushedRecords({ key: "4711", record: { a: "ä" } })).toEqual([
      { key: "4711", id: null, op: "upsert", version: null, data: { a: "ä" }, bytes: 10 },
    ]);
    expect(pushedRecords([{ key: "4711", op: "delete", id: "x", version: "2" }])).toMatchObject([
      { op: "delete", id: "x", version: "2", data: {} },
    ]);
  });

  it.each([
    [null, "records.0"],
    ["text", "records.0"],
    [{ record: {} }, "records.0.key"],
    [{ key: "a\u0000b", record: {} }, "records.0.key"],
    [{ key: "\ud800", record: {} }, "records.0.key"],
    [{ key: "ä".repeat(501), record: {} }, "records.0.key"],
    [{ key: "a" }, "records.0.record"],
    [{ key: "a", record: null }, "records.0.record"],
    [{ key: "a", record: {}, id: "" }, "records.0.id"],
    [{ key: "a", record: {}, id: "x".repeat(201) }, "records.0.id"],
    [{ key: "a", record: {}, version: 1 }, "records.0.version"],
    [{ key: "a", record: {}, op: "insert" }, "records.0.op"],
    [{ key: "a", record: {}, stream: "x" }, "records.0.stream"],
  ])("is refused with the field at fault: %j", (input, field) => {
    expect(() => pushedRecords(input)).toThrow(expect.objectContaining({ code: "QSC_INBOX_RECORD_INVALID", field }));
  });
});

describe("a record that the target did not take", () => {
  const facts = { kind: "transient", mayPass: true, attempts: 1, alive: true, policy, retryAfterMs: null, now: 1_000 } as const;

  it("is tried again after the job's backoff, or later when the target asks for that, and is dead after its attempts", () => {
    expect(decideFailedRecord(facts)).toEqual({ next: "again", at: 11_000 });
    expect(decideFailedRecord({ ...facts, attempts: 2 })).toEqual({ next: "again", at: 21_000 });
    expect(decideFailedRecord({ ...facts, retryAfterMs: 60_000 })).toEqual({ next: "again", at: 61_000 });
    expect(decideFailedRecord({ ...facts, attempts: 3 })).toEqual({ next: "dead" });
  });

  it("stops the run when nothing shows that the system is up", () => {
    for (const kind of ["unavailable", "timeout"] as const) {
      expect(decideFailedRecord({ ...facts, kind, attempts: 3, alive: false })).toEqual({ next: "stop" });
      expect(decideFailedRecord({ ...facts, kind, attempts: 3, alive: true })).toEqual({ next: "dead" });
    }
    expect(decideFailedRecord({ ...facts, alive: false, attempts: 3 })).toEqual({ next: "dead" });
    expect(decideFailedRecord({ ...facts, kind: "bug", mayPass: false, alive: false })).toEqual({ next: "stop" });
    expect(decideFailedRecord({ ...facts, kind: "bug", mayPass: false, alive: true })).toEqual({ next: "dead" });
  });
});

describe("the run of an inbox", () => {
  const last = (more: Partial<LastPushRun>): LastPushRun => ({ state: "queued", readyAt: 0, finishedAt: null, isPutOff: false, ...more });
  const facts = { waiting: 1, enabled: true, last: null, notBefore: 1_000, policy };

  it.each([
    [facts, { kind: "queue", readyAt: 1_000 }],
    [
      { ...facts, waiting: 0 },
      { kind: "none", reason: "nothing-waits" },
    ],
    [
      { ...facts, enabled: false },
      { kind: "none", reason: "job-disabled" },
    ],
    [
      { ...facts, last: last({}) },
      { kind: "none", reason: "one-waits" },
    ],
    [
      { ...facts, last: last({ state: "held" }) },
      { kind: "none", reason: "one-waits" },
    ],
    [
      { ...facts, last: last({ state: "running" }) },
      { kind: "queue", readyAt: 1_000 },
    ],
    [
      { ...facts, last: last({ state: "succeeded", finishedAt: 900 }) },
      { kind: "queue", readyAt: 1_000 },
    ],
    [
      { ...facts, last: last({ state: "dead", finishedAt: 900 }) },
      { kind: "queue", readyAt: 600_900 },
    ],
    [
      { ...facts, last: last({ state: "cancelled", finishedAt: -700_000 }) },
      { kind: "queue", readyAt: 1_000 },
    ],
    [
      { ...facts, last: last({ readyAt: 9_000, isPutOff: true }) },
      { kind: "bring-forward", readyAt: 1_000 },
    ],
    [
      { ...facts, last: last({ readyAt: 9_000 }) },
      { kind: "none", reason: "one-waits" },
    ],
  ] as const)("of %j is %j", (given, verdict) => {
    expect(decidePushRun(given)).toEqual(verdict);
  });
});
