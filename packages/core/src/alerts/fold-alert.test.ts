import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Episode, foldAlert, type IncomingAlert } from "./fold-alert.js";

const now = Date.UTC(2027, 2, 28, 1, 0, 0);
const minute = 60_000;
const firing = (more: Partial<IncomingAlert> = {}): IncomingAlert => ({
  status: "firing",
  severity: "critical",
  title: "ERP is down",
  startsAt: now - 10 * minute,
  endsAt: null,
  remoteId: "1",
  suppressedBy: [],
  acknowledgedBy: null,
  ...more,
});
const resolved = (more: Partial<IncomingAlert> = {}): IncomingAlert => firing({ status: "resolved", endsAt: now - minute, ...more });
const episode = (more: Partial<Episode> = {}): Episode => ({
  status: "firing",
  severity: "critical",
  title: "ERP is down",
  startedAt: now - 10 * minute,
  saidStartedAt: more.startedAt ?? now - 10 * minute,
  endedAt: null,
  remoteId: "1",
  suppressedBy: [],
  acknowledgedBy: null,
  ...more,
});
const ended = (more: Partial<Episode> = {}): Episode => episode({ status: "resolved", endedAt: now - 5 * minute, ...more });

describe("an alert that fires", () => {
  it("begins an episode where none was", () => {
    expect(foldAlert(null, firing(), now)).toEqual({ kind: "begin", startedAt: now - 10 * minute });
  });

  it("changes nothing when it is said again", () => {
    expect(foldAlert(episode(), firing(), now)).toEqual({ kind: "ignore", why: "unchanged" });
  });

  it("changes what differs, and names it", () => {
    expect(foldAlert(episode(), firing({ severity: "major", suppressedBy: ["downtime 4"] }), now)).toEqual({
      kind: "change",
      changed: ["severity", "suppressedBy"],
    });
    expect(foldAlert(episode({ suppressedBy: ["b", "a"] }), firing({ suppressedBy: ["a", "b"] }), now).kind).toBe("ignore");
  });

  it("begins anew after the end of the last one", () => {
    expect(foldAlert(ended(), firing({ startsAt: now - 2 * minute }), now)).toEqual({ kind: "begin", startedAt: now - 2 * minute });
  });

  it("never overlaps the one before: a beginning that lies within it is moved to its end", () => {
    expect(foldAlert(ended(), firing({ startsAt: now - 7 * minute }), now)).toEqual({ kind: "begin", startedAt: now - 5 * minute });
  });

  it("does not raise again what has ended: a repetition was overtaken by the end", () => {
    expect(foldAlert(ended(), firing(), now)).toEqual({ kind: "ignore", why: "late" });
  });

  it("is not believed when its clock is an hour ahead", () => {
    expect(foldAlert(null, firing({ startsAt: now + 60 * minute }), now)).toEqual({ kind: "begin", startedAt: now });
  });
});

describe("an alert that is resolved", () => {
  it("ends the open episode", () => {
    expect(foldAlert(episode(), resolved(), now)).toEqual({ kind: "end", endedAt: now - minute });
    expect(foldAlert(episode(), resolved({ endsAt: null }), now)).toEqual({ kind: "end", endedAt: now });
  });

  it("does not end an episode that began after that end", () => {
    expect(foldAlert(episode({ startedAt: now - minute }), resolved({ endsAt: now - 2 * minute }), now)).toEqual({
      kind: "ignore",
      why: "late",
    });
  });

  it("ends an episode whose beginning was moved to the end of the one before, at that beginning", () => {
    // A list that came late ended the one before after this one had begun.
    const moved = episode({ startedAt: now - 5 * minute, saidStartedAt: now - 8 * minute });
    expect(foldAlert(moved, resolved({ startsAt: now - 8 * minute, endsAt: now - 6 * minute }), now)).toEqual({
      kind: "end",
      endedAt: now - 5 * minute,
    });
    expect(foldAlert(moved, resolved({ endsAt: now - 9 * minute }), now)).toEqual({ kind: "ignore", why: "late" });
  });

  it("is kept as an episode of its own when nobody heard of its beginning", () => {
    expect(foldAlert(null, resolved(), now)).toEqual({ kind: "begin-ended", startedAt: now - 10 * minute, endedAt: now - minute });
  });

  it("changes nothing when it is said again", () => {
    expect(foldAlert(ended({ endedAt: now - minute }), resolved(), now)).toEqual({ kind: "ignore", why: "late" });
  });
});

describe("any words of a monitor in any order", () => {
  const word = fc.record({
    status: fc.constantFrom("firing" as const, "resolved" as const),
    startMinute: fc.integer({ min: 0, max: 60 }),
    lastsMinutes: fc.integer({ min: 0, max: 30 }),
  });

  it("leave at most one open episode, none that overlaps another, and none that ends before it begins", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const episodes: { startedAt: number; endedAt: number | null }[] = [];
        let at = now;
        for (const { status, startMinute, lastsMinutes } of words) {
          at += minute;
          const startsAt = now + startMinute * minute - 30 * minute;
          const said = status === "firing" ? firing({ startsAt }) : resolved({ startsAt, endsAt: startsAt + lastsMinutes * minute });
          const last = episodes.at(-1);
          const newest = last === undefined ? null : episode({ ...last, status: last.endedAt === null ? "firing" : "resolved" });
          const verdict = foldAlert(newest, said, at);
          if (verdict.kind === "begin") episodes.push({ startedAt: verdict.startedAt, endedAt: null });
          if (verdict.kind === "begin-ended") episodes.push({ startedAt: verdict.startedAt, endedAt: verdict.endedAt });
          if (verdict.kind === "end" && last !== undefined) last.endedAt = verdict.endedAt;
        }
        for (const [index, one] of episodes.entries()) {
          const before = episodes[index - 1];
          if (before !== undefined) expect(before.endedAt ?? Infinity).toBeLessThanOrEqual(one.startedAt);
          expect(one.endedAt ?? Infinity).toBeGreaterThanOrEqual(one.startedAt);
        }
      }),
    );
  });

  it("mean the same when every word is said twice", () => {
    fc.assert(
      fc.property(fc.constantFrom("firing" as const, "resolved" as const), fc.boolean(), (status, known) => {
        const said = status === "firing" ? firing() : resolved();
        const first = foldAlert(known ? episode() : null, said, now);
        const after: Episode =
          first.kind === "begin"
            ? episode({ startedAt: first.startedAt })
            : first.kind === "end" || first.kind === "begin-ended"
              ? ended({ endedAt: first.endedAt })
              : episode();
        expect(foldAlert(after, said, now).kind).toBe("ignore");
      }),
    );
  });
});
