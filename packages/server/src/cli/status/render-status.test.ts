import { describe, expect, it } from "vitest";
import type { LiveEventAnswer, Status, StatusHold } from "../operations/status-operations.js";
import { displayWidth } from "../output/plain-text.js";
import { stylesOf } from "../output/styles.js";
import { type Link, renderStatus, type StatusFrame } from "./render-status.js";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const at = (seconds: number): string => new Date(NOW + seconds * 1_000).toISOString();
const scope = { all: false, integrations: [], systems: ["erp"], tags: [] };

const occurrence = {
  key: "erp@2026-11-20T12:00",
  state: "QUIESCED",
  localStart: "2026-11-20T12:00",
  localEnd: "2026-11-20T13:00",
  timeZone: "UTC",
  startsAt: at(-60),
  endsAt: at(1_800),
  notes: [],
  releasedAt: null,
  inFlight: 1,
  heldRuns: 7,
  hold: { expiresAt: at(1_800) },
};
const windowHold: StatusHold = {
  id: "1",
  key: "1",
  kind: "WINDOW",
  mode: "ENFORCE",
  state: "ACTIVE",
  title: "ERP upgrade",
  owner: "erp-team",
  reason: "version 7",
  beginsAt: at(-60),
  expiresAt: at(1_800),
  scope,
  occurrence,
  members: [{ integration: { key: "erp-orders" } }, { integration: { key: "erp-products" } }],
};
const pauseHold = (key: number): StatusHold => ({
  ...windowHold,
  key: String(key),
  kind: "MANUAL",
  title: "Paused by hand",
  reason: `reason ${key}`,
  expiresAt: null,
  occurrence: null,
});

const status = (holds: readonly StatusHold[], runs = 20): Status => ({
  cursor: "c",
  at: at(0),
  mode: "ENFORCE",
  integrations: 12,
  heldIntegrations: 2,
  activeHolds: [...holds],
  nextOccurrence: {
    ...occurrence,
    startsAt: at(7_200),
    window: { key: "crm", title: "CRM release with quite a long title, longer than a line" },
  },
  runsByState: ["SUCCEEDED", "HELD", "RUNNING", "FAILED", "COALESCED"].map((state, index) => ({ state, count: index * 1_000 })),
  recentRuns: Array.from({ length: runs }, (_, index) => ({
    key: String(index),
    state: "SUCCEEDED",
    dueAt: at(-index),
    startedAt: at(-index),
    finishedAt: at(-index),
    durationMs: 1_234,
    reason: null,
    job: { key: `orders-sync-${index}` },
    integration: { key: "erp-orders" },
    heldBy: [],
  })),
});
const events: readonly LiveEventAnswer[] = Array.from({ length: 30 }, (_, index) => ({
  cursor: String(index),
  at: at(index),
  kind: "run.started",
  subjectKind: "run",
  subjectKey: "0000",
  integrationKey: `integration-${index}`,
}));
const live: Link = { kind: "live" };
const frame = (change: Partial<StatusFrame>): StatusFrame => ({
  status: status([windowHold]),
  events,
  link: live,
  now: NOW,
  url: "http://127.0.0.1:4000",
  columns: 80,
  rows: 24,
  styles: stylesOf(false),
  ...change,
});

const sizes = [1, 5, 8, 12, 18, 24, 50, 120].flatMap((rows) => [10, 20, 44, 59, 60, 80, 200].map((columns) => [columns, rows] as const));

describe("the status view", () => {
  it.each(sizes)("fills a terminal of %i x %i and never more", (columns, rows) => {
    for (const holds of [[], [windowHold], Array.from({ length: 40 }, (_, index) => pauseHold(index))]) {
      for (const freezeConflicts of [[], Array.from({ length: 9 }, () => ({ sentence: "The change lies in a freeze. ".repeat(9) }))]) {
        const lines = renderStatus(frame({ columns, rows, status: { ...status(holds), freezeConflicts } }));
        expect(lines).toHaveLength(rows);
        for (const line of lines) expect(displayWidth(line), line).toBeLessThanOrEqual(columns);
      }
    }
  });

  it("says first what waits for somebody's decision, and of a window that waits for its systems since when it has ended", () => {
    const overrun = { ...windowHold, expiresAt: at(-90), occurrence: { ...occurrence, state: "OVERRUN" } };
    const freezeConflicts = [{ sentence: 'The change "upgrade" lies in the freeze "close".' }];
    const lines = renderStatus(frame({ columns: 120, status: { ...status([overrun]), freezeConflicts } }));
    expect(lines.indexOf('! The change "upgrade" lies in the freeze "close".')).toBeLessThan(lines.indexOf("HELD NOW"));
    expect(lines.join("\n")).toMatch(/OVERRUN {2}ended .* \(1m 30s ago\)/);
  });

  it("says in 80 x 24 what is held, why, by whom, until when, what runs and what comes next", () => {
    const text = renderStatus(frame({})).join("\n");
    expect(text).toMatch(
      /ERP upgrade {2}QUIESCED {2}until .* \(in 30m 00s\)\n {4}2 integrations · 1 in flight · 7 waiting · erp-team · version 7/,
    );
    expect(text).toContain("12 integrations: 10 open, 2 held");
    expect(text).toContain("2000 running");
    expect(text).toMatch(/NEXT {2}CRM release .*/);
    expect(text).toMatch(/orders-sync-0 +erp-orders +SUCCEEDED +1\.2s/);
    expect(text).toContain("run.started  integration-29");
    expect(text).toContain("live · q quits");
  });

  it("says loudly that the next window is not approved", () => {
    const next = status([]).nextOccurrence;
    if (next === null) throw new Error("There is a next one.");
    const text = renderStatus(frame({ status: { ...status([]), nextOccurrence: { ...next, state: "UNAPPROVED" } } })).join("\n");
    expect(text).toMatch(/NEXT {2}UNAPPROVED, holds nothing: CRM release/);
  });

  it("keeps every hold's first line before it drops one, and says how many it dropped", () => {
    const holds = Array.from({ length: 10 }, (_, index) => pauseHold(index));
    const text = renderStatus(frame({ status: status(holds) })).join("\n");
    for (const hold of holds) expect(text).toContain(hold.reason);
    const many = renderStatus(frame({ status: status(Array.from({ length: 40 }, (_, index) => pauseHold(index))) })).join("\n");
    expect(many).toMatch(/and \d+ more/);
    expect(many).toContain("orders-sync-0");
  });

  it("shows everything when it is printed once", () => {
    const holds = Array.from({ length: 40 }, (_, index) => pauseHold(index));
    const text = renderStatus(frame({ status: status(holds), rows: undefined, columns: undefined, link: undefined, events: [] })).join(
      "\n",
    );
    for (const hold of holds) expect(text).toContain(`${hold.reason}  PAUSED  until somebody resumes it`);
    expect(text).toContain("orders-sync-19");
    expect(text).not.toContain("q quits");
  });

  it("says since when there is no contact", () => {
    const lines = renderStatus(frame({ link: { kind: "reconnecting", since: NOW - 65_000, reason: "the connection failed" } }));
    expect(lines.at(-1)).toBe("no contact for 1m 05s, trying again: the connection failed · q quits");
  });
});
