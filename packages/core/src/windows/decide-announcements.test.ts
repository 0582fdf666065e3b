import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AnnouncementStep, decideAnnouncements, type ListedDowntime, type WantedDowntime } from "./decide-announcements.js";

const now = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const isOurs = (name: string): boolean => name.startsWith("us.");

function wantedOf(name: string, more: Partial<WantedDowntime> = {}): WantedDowntime {
  return {
    name,
    startsAt: now + 5 * minute,
    endsAt: now + 65 * minute,
    resources: ["erp", "erp!orders"],
    title: "patch",
    suppress: "notifications",
    ...more,
  };
}

/** As a monitor with one entry a resource lists it. */
const listedOf = ({ name, startsAt, endsAt, resources }: WantedDowntime, more: Partial<ListedDowntime> = {}): readonly ListedDowntime[] =>
  resources.map((one) => ({ name, startsAt, endsAt, resources: [one], ...more }));

function decide(facts: Partial<Parameters<typeof decideAnnouncements>[0]>): readonly AnnouncementStep[] {
  return decideAnnouncements({ wanted: [], begun: [], listed: [], isOurs, ...facts }, now);
}

const shown = (steps: readonly AnnouncementStep[]) =>
  steps.map((step) => `${step.kind} ${step.name} ${"why" in step ? step.why : ""}`.trim());

describe("decideAnnouncements", () => {
  const a = wantedOf("us.1@a");

  it("tells what is due, and only confirms what is there, in one entry or several", () => {
    expect(shown(decide({ wanted: [a] }))).toEqual(["announce us.1@a due"]);
    expect(shown(decide({ wanted: [a], begun: [{ name: a.name, isConfirmed: false }], listed: listedOf(a) }))).toEqual(["confirm us.1@a"]);
    expect(shown(decide({ wanted: [a], listed: [{ ...a }] }))).toEqual(["confirm us.1@a"]);
  });

  it.each([
    ["it is gone", [], "lost"],
    ["one entry is missing", listedOf(a).slice(1), "changed"],
    ["one resource too many", [...listedOf(a), { ...a, resources: ["shop"] }], "changed"],
    ["another end", listedOf(a, { endsAt: a.endsAt + 1_000 }), "changed"],
    ["another start to come", listedOf(a, { startsAt: a.startsAt - 1_000 }), "changed"],
    ["it is there twice", [...listedOf(a), ...listedOf(a)], "doubled"],
  ] as const)("repairs when %s: %s", (_when, listed, why) => {
    expect(shown(decide({ wanted: [a], begun: [{ name: a.name, isConfirmed: true }], listed }))).toEqual([`announce us.1@a ${why}`]);
    expect(shown(decide({ wanted: [a], begun: [{ name: a.name, isConfirmed: false }], listed }))).toEqual(["announce us.1@a due"]);
  });

  it("takes times to the second, and a start that has passed as passed", () => {
    const begun = wantedOf("us.1@a", { startsAt: now - minute });
    expect(shown(decide({ wanted: [a], listed: listedOf(a, { startsAt: Math.floor(a.startsAt / 1_000) * 1_000 }) }))).toEqual([
      "confirm us.1@a",
    ]);
    expect(shown(decide({ wanted: [begun], listed: listedOf(begun, { startsAt: now + 2_000 }) }))).toEqual(["confirm us.1@a"]);
    expect(shown(decide({ wanted: [begun], listed: listedOf(begun, { startsAt: now + 10 * minute }) }))).toEqual(["announce us.1@a due"]);
  });

  it("withdraws what is over and what nobody here knows, closes what is gone, and leaves those of others alone", () => {
    const listed: readonly ListedDowntime[] = [
      ...listedOf(wantedOf("us.over")),
      ...listedOf(wantedOf("us.unknown")),
      ...listedOf(wantedOf("them.1@a")),
      { startsAt: now, endsAt: now + minute, resources: ["shop"] },
      ...listedOf(wantedOf("us.ended", { startsAt: now - minute, endsAt: now })),
    ];
    const begun = ["us.over", "us.gone", "us.ended"].map((name) => ({ name, isConfirmed: true }));
    expect(shown(decide({ begun, listed }))).toEqual([
      "close us.ended",
      "close us.gone",
      "withdraw us.over over",
      "withdraw us.unknown unknown",
    ]);
  });

  it("brings any state at the monitor to what is wanted in one round, and then has nothing left to do", () => {
    const names = fc.constantFrom("us.1", "us.2", "us.3", "them.1");
    const entry = fc.record({
      name: fc.option(names, { nil: undefined }),
      startsAt: fc.integer({ min: -2, max: 3 }).map((n) => now + n * minute),
      endsAt: fc.integer({ min: -1, max: 4 }).map((n) => now + n * minute),
      resources: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
    });
    const wanted = fc.uniqueArray(
      fc.record({
        name: fc.constantFrom("us.1", "us.2", "us.3"),
        startsAt: fc.integer({ min: -3, max: 2 }).map((n) => now + n * minute),
        endsAt: fc.integer({ min: 3, max: 6 }).map((n) => now + n * minute),
        resources: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
        title: fc.constant("t"),
        suppress: fc.constant("notifications" as const),
      }),
      { selector: (one) => one.name },
    );
    const begun = fc.uniqueArray(fc.record({ name: fc.constantFrom("us.1", "us.2", "us.3"), isConfirmed: fc.boolean() }), {
      selector: (one) => one.name,
    });
    fc.assert(
      fc.property(fc.record({ wanted, begun, listed: fc.array(entry, { maxLength: 6 }) }), (facts) => {
        const steps = decide(facts);
        const { listed, open } = carriedOut(facts, steps);
        const again = decide({ wanted: facts.wanted, begun: open, listed });
        expect(again.every((step) => step.kind === "confirm")).toBe(true);
        // Theirs are as they were.
        expect(listed.filter((one) => !isOurs(one.name ?? ""))).toEqual(facts.listed.filter((one) => !isOurs(one.name ?? "")));
      }),
    );
  });
});

/** What an obedient monitor and an obedient database hold after the steps. */
function carriedOut(
  facts: {
    readonly listed: readonly ListedDowntime[];
    readonly begun: readonly { readonly name: string; readonly isConfirmed: boolean }[];
  },
  steps: readonly AnnouncementStep[],
) {
  let listed = [...facts.listed];
  const open = new Map(facts.begun.map((one) => [one.name, one]));
  for (const step of steps) {
    if (step.kind === "announce") listed = [...listed.filter((one) => one.name !== step.name), ...listedOf(step.downtime)];
    if (step.kind === "withdraw") listed = listed.filter((one) => one.name !== step.name);
    if (step.kind === "withdraw" || step.kind === "close") open.delete(step.name);
    else open.set(step.name, { name: step.name, isConfirmed: true });
  }
  return { listed, open: [...open.values()] };
}
