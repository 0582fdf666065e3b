import { expect, it } from "vitest";
import type { Output } from "../cli.js";
import type { WindowPreviewAnswer } from "../operations/preview-operations.js";
import { renderPreview } from "./render-preview.js";
import { renderResumePreview } from "./render-resume-preview.js";
import { renderSlots } from "./render-slots.js";
import { renderTuning } from "./render-tuning.js";
import { stylesOf } from "./styles.js";

const output: Output = { isTerminal: false, styles: stylesOf(false), columns: () => 120, rows: () => undefined, write: () => undefined };
const drain = { dueTimes: 41, runs: 2, atLeastMs: 90_000, expectedMs: 90_000, atWorstMs: 600_000 };
const preview: WindowPreviewAnswer = {
  availability: [],
  warnings: [],
  refusals: [],
  occurrences: [
    {
      startsAt: "2026-03-29T00:00:00.000Z",
      endsAt: "2026-03-29T04:00:00.000Z",
      localStart: "2026-03-29T01:00",
      localEnd: "2026-03-29T06:00",
      notes: ["lasts 4 h on this night: clocks go forward at 02:00"],
    },
  ],
  members: [{ path: "system: erp", integration: { key: "orders", name: "Orders" } }],
  heldJobs: [{ job: "orders-sync", integration: "orders", dueTimes: 37, runsAfter: 1, skipped: 0, sentence: "37 missed -> 1 run" }],
  keptBackJobs: [],
  inFlight: [{ job: "orders-sync", integration: "orders", dueAt: "2026-03-28T23:55:00.000Z", expectedEndAt: "2026-03-29T00:05:00.400Z" }],
  load: [
    {
      localStart: "2026-03-29T01:00",
      startsAt: "2026-03-29T00:00:00.000Z",
      runs: 37,
      typicalRuns: 12.2,
      records: null,
      typicalRecords: null,
    },
  ],
  forecast: {
    drain,
    skipped: 3,
    records: 120,
    unknownJobs: [],
    truncated: false,
    delayMs: 7_200_000,
    longestDelayMs: 3_600_000,
    systems: [{ system: "erp", drain: { ...drain, expectedMs: null, atWorstMs: null } }],
  },
  conflicts: {
    overlaps: 1,
    touches: 1,
    listed: [
      {
        relation: "OVERLAPS",
        kind: "FREEZE",
        with: "close",
        title: "Close",
        localStart: "2026-03-29T01:00",
        from: "2026-03-29T01:00:00.000Z",
        until: "2026-03-29T04:00:00.000Z",
        heldFrom: "2026-03-29T00:00:00.000Z",
        heldUntil: "2026-03-30T04:00:00.000Z",
        systems: ["erp"],
        integrations: 2,
        paths: [{ integration: "orders", ownPath: "system: erp", otherPath: "dependency: shop > erp" }],
        blocks: true,
      },
      {
        relation: "TOUCHES",
        kind: "MANUAL",
        with: "7",
        title: "wrong data",
        localStart: "2026-03-29T01:00",
        from: "2026-03-29T04:00:00.000Z",
        until: "2026-03-29T04:00:00.000Z",
        heldFrom: "2026-03-29T00:00:00.000Z",
        heldUntil: null,
        systems: ["erp"],
        integrations: 0,
        paths: [],
        blocks: false,
      },
    ],
  },
};

it("the preview tells of clock changes, what is missed, how long the backlog takes and what it meets", () => {
  expect(renderPreview(preview, { timeZone: "Europe/Madrid", output }).join("\n")).toMatchInlineSnapshot(`
    "Happens, in Europe/Madrid
    LOCAL START       LOCAL END         UTC                                      LASTS  CLOCK CHANGE
    2026-03-29 01:00  2026-03-29 06:00  2026-03-29 00:00Z to 2026-03-29 04:00Z  4h 00m  lasts 4 h on this night: clocks go …

    Covers 1 integration
    INTEGRATION  NAME    BECAUSE OF
    orders       Orders  system: erp

    The first time would hold
    JOB          INTEGRATION  DUE TIMES  RUNS AFTER  SKIPPED
    orders-sync  orders              37           1        0

    After its release
    41 due times missed -> 2 runs, about 120 records; 3 due times skipped
    busy for about 1m 30s, at worst 10m 00s
    due times start late by 1h 00m at most, 2h 00m all together (gross)
    SYSTEM  RUNS  BUSY FOR
    erp        2  at least 1m 30s, how long in all is unknown

    May still be in flight at its start
    JOB          DUE                ENDS BY
    orders-sync  2026-03-28 23:55Z  2026-03-29 00:05:01Z

    Busier than a typical week
    LOCAL START       RUNS  TYPICAL  RECORDS  TYPICAL
    2026-03-29 01:00    37       12  unknown  unknown

    Meets others in the next 100 days: 1 overlap, touches 1
    AT                          WITH          UTC                                                     BOTH REACH
    2026-03-29 01:00  overlaps  freeze close  2026-03-29 01:00Z to 2026-03-29 04:00Z                  orders (dependency: s…
    2026-03-29 01:00  touches   pause 7       at 2026-03-29 04:00Z, held 2026-03-29 00:00Z to no end  erp"
  `);
});

it("the preview says that a backlog is unknown, and of which jobs", () => {
  const unknown = { ...drain, expectedMs: null, atWorstMs: null };
  const forecast = {
    ...preview.forecast,
    drain: unknown,
    records: null,
    unknownJobs: ["a", "b", "c", "d", "e", "f"],
  } as WindowPreviewAnswer["forecast"];
  const text = renderPreview({ ...preview, forecast }, { timeZone: "Europe/Madrid", output }).join("\n");
  expect(text).toContain("busy for at least 1m 30s, how long in all is unknown");
  expect(text).toContain("unknown, as no run was measured yet: a, b, c, d, e and 1 more");
});

it("found slots come with the reasons of the first, and none with what was in the way", () => {
  const slot = {
    startsAt: "2026-12-05T01:00:00.000Z",
    endsAt: "2026-12-05T05:00:00.000Z",
    localStart: "2026-12-05T02:00",
    localEnd: "2026-12-05T06:00",
    runs: 4,
    records: 120.4,
    score: 9.6,
    reasons: ["4 planned runs and about 120 records", "no freeze and no other window on what it reaches"],
  };
  const found = { slots: [slot], candidates: 200, taken: 8, jobs: 3, moreJobs: false };
  expect(renderSlots(found, { timeZone: "Europe/Madrid", output }).join("\n")).toMatchInlineSnapshot(`
    "The quietest slots, in Europe/Madrid
    LOCAL START       LOCAL END         UTC                                     RUNS  RECORDS  WEIGHS
    2026-12-05 02:00  2026-12-05 06:00  2026-12-05 01:00Z to 2026-12-05 05:00Z     4      120      10

    The first: 4 planned runs and about 120 records; no freeze and no other window on what it reaches.
    200 possible starts, 8 more taken by freezes and other windows; 3 jobs counted."
  `);
  expect(renderSlots({ ...found, slots: [], candidates: 0 }, { timeZone: "UTC", output })).toEqual([
    "No slot fits: 0 possible starts, 8 more taken by freezes and other windows; 3 jobs counted.",
  ]);
});

it("tuning tells booked and used, or that there is too little to say", () => {
  const minute = 60_000;
  const figures = {
    bookedMs: 240 * minute,
    drainMs: 5 * minute,
    workMs: 65 * minute,
    usedMs: 70 * minute,
    usedP95Ms: 100 * minute,
    unusedMs: 170 * minute,
    overruns: 0,
    longestOverrunMs: 0,
  };
  const advice = ["Book 1 h 45 min instead of 4 h: 95 of 100 took at most 1 h 40 min."];
  const tuning = { occurrences: 8, figures, change: "SHORTEN", suggestedMs: 105 * minute, advice };
  expect(renderTuning(tuning)).toEqual([
    "booked 4h 00m, used 1h 10m (median of 8), 95 of 100 within 1h 40m",
    "until nothing was in flight 5m 00s, from then to the release 1h 05m, unused 2h 50m",
    "released later than booked: 0",
    ...advice,
  ]);
  expect(renderTuning({ ...tuning, figures: { ...figures, drainMs: null, overruns: 2, longestOverrunMs: 7 * minute } }).join("\n")).toMatch(
    /in flight unknown[\s\S]*than booked: 2, by 7m 00s at most/,
  );
  expect(renderTuning({ ...tuning, figures: null, advice: ["Only 2"] })).toEqual(["Only 2"]);
});

it("the preview of a resume says what is missed and made of it", () => {
  const job = { job: "orders-sync", integration: "orders", catchUp: "COALESCE", dueTimes: 37, runsAfter: 1, skipped: 0, keptByOthers: 2 };
  expect(renderResumePreview([job], output)).toEqual([
    "JOB          CATCH-UP  RELEASED NOW        SKIPPED  KEPT BY OTHERS",
    "orders-sync  coalesce  37 missed -> 1 run        0               2",
  ]);
  expect(renderResumePreview([], output)).toEqual(["Nothing waits for it."]);
});
