import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createIntl } from "react-intl";
import { describe, expect, it } from "vitest";
import { timesOf } from "../app/times.js";
import { exactText, holdsOf, integrationSentence, jobSentence, type ShownIntegration, waitingOf } from "./explain-sentence.js";
import { fieldLines, parseJson, streamsOf } from "./mapping-lines.js";

const texts = (language: string) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../messages/${language}/integrations.json`, import.meta.url)), "utf8")) as {
    readonly [id: string]: string;
  };
const speaking = (language: "en" | "es", zone = "Europe/Madrid") => {
  const locale = language === "en" ? "en-GB" : "es-ES";
  return { intl: createIntl({ locale, messages: texts(language) as never }), times: timesOf(locale, zone) };
};
// Always another day than today: the sentence names it.
const until = "2020-03-10T05:00:00.000Z";
/** How a day is written differs between versions of ICU. */
const [start, end] = ["2020-03-10T01:00:00.000Z", until].map((at) => timesOf("en-GB", "Europe/Madrid").instant(at));
type By = ShownIntegration["gate"]["by"][number];
const by = (change: Partial<By> = {}): By => ({
  holdId: "7",
  kind: "WINDOW",
  title: "ERP patch",
  windowKey: "erp-patch",
  owner: "Erika Ruiz",
  reason: "release",
  path: "system: erp",
  since: "2020-03-10T01:00:00.000Z",
  until,
  ...change,
});
const integration = (change: Partial<ShownIntegration> = {}): ShownIntegration => ({
  id: "i1",
  key: "orders",
  name: "Orders",
  description: null,
  ownerTeam: null,
  vendor: null,
  criticality: "HIGH",
  environment: null,
  tags: [],
  playbookUrl: null,
  version: 1,
  streams: [],
  systems: [],
  sourceEndpoint: null,
  targetEndpoint: null,
  gate: { by: [] },
  holds: [],
  lastRun: null,
  jobs: [job()],
  ...change,
});
function job(change: Partial<ShownIntegration["jobs"][number]> = {}): ShownIntegration["jobs"][number] {
  return {
    id: "j1",
    key: "orders-hourly",
    name: "Hourly",
    enabled: true,
    catchUp: "COALESCE",
    schedule: null,
    nextDueAt: null,
    p95Ms: null,
    push: false,
    reconcile: false,
    ...change,
  };
}
const occurrence = (state: "QUIESCED" | "OVERRUN") => [
  { id: "h7", key: "7", occurrence: { id: "o1", key: "o1", state, endsAt: until, timeZone: "Europe/Madrid" } },
];
const say = (of: ShownIntegration, language: "en" | "es" = "en", zone?: string) => integrationSentence(of, speaking(language, zone));

describe("the sentence of an integration", () => {
  it("says who holds it and until when, in the window's zone, which is named where it is not the reader's", () => {
    const held = integration({ gate: { by: [by()] }, holds: occurrence("QUIESCED") });
    expect(say(held)).toBe(`Orders is held by ERP patch (Erika Ruiz) until ${end}.`);
    expect(say(held, "en", "America/New_York")).toBe(`Orders is held by ERP patch (Erika Ruiz) until ${end} Europe/Madrid.`);
    expect(say(held, "es")).toMatch(/^Orders está retenida por ERP patch \(Erika Ruiz\) hasta .*06:00\.$/);
  });

  it("says of a pause who lifts it, and counts what else holds it", () => {
    const pause = by({ holdId: "8", kind: "MANUAL", title: "Paused by hand", owner: "jon", until: null });
    const held = integration({ gate: { by: [by(), pause] }, holds: occurrence("QUIESCED") });
    expect(say(held)).toBe("Orders is paused by jon until somebody lifts the pause. One more hold covers it.");
    expect(holdsOf(held).map(({ holdId }) => holdId)).toEqual(["8", "7"]);
  });

  it("never says that a window holds until an end that has passed", () => {
    const overrun = integration({ gate: { by: [by()] }, holds: occurrence("OVERRUN") });
    expect(say(overrun)).toBe("ERP patch is over, but Orders is still held: its systems are not ready yet (Erika Ruiz).");
  });

  const lastRun = (state: "FAILED" | "SUCCEEDED" | "RUNNING", error: unknown = null) => ({
    id: "r1",
    key: "r1",
    state,
    startedAt: until,
    finishedAt: state === "RUNNING" ? null : until,
    error,
  });
  it.each([
    [
      { lastRun: lastRun("FAILED", { kind: "auth", message: "401 from the shop." }) },
      `Orders fails: 401 from the shop. Last tried ${end}.`,
    ],
    [{ lastRun: lastRun("RUNNING") }, "Orders is running since 06:00:00."],
    [
      { lastRun: lastRun("SUCCEEDED"), jobs: [job({ nextDueAt: until })] },
      `Orders may run. Next: ${end}. Its last run succeeded at ${end}.`,
    ],
    [{ jobs: [] }, "Orders runs whenever a scheduler elsewhere asks its gate."],
    [{ jobs: [job({ enabled: false })] }, "Orders does not run: its jobs are disabled."],
    [{ jobs: [job({ push: true })] }, "Orders runs when records are pushed to it."],
    [{}, "Orders runs only when somebody asks for it."],
  ] as const)("with %j", (change, sentence) => {
    expect(say(integration(change as Partial<ShownIntegration>))).toBe(sentence);
  });
});

describe("the sentence of a job", () => {
  const waiting = { state: "held", dueAt: Date.parse("2020-03-10T01:00:00Z"), readyAt: 0, dueCount: 3, ahead: 13, attempt: 0 };
  const explained = (state: "HELD" | "WAITING" | "IDLE" | "BLOCKED", facts: unknown, nextDueAt: string | null = null) => ({
    asOf: until,
    state,
    summary: "",
    nextDueAt,
    facts,
    job: { id: "j1", key: "orders-hourly" },
  });
  const [hold] = holdsOf(integration({ gate: { by: [by()] }, holds: occurrence("QUIESCED") }));
  const told = (of: Parameters<typeof job>[0], explanation: ReturnType<typeof explained>, language: "en" | "es" = "en") =>
    jobSentence(job(of), explanation, { hold, ...speaking(language) });

  it("says what becomes of the runs it missed, by its policy", () => {
    const held = explained("HELD", { waiting });
    expect(told({}, held)).toBe(`3 runs missed since ${start} become 1, after ${end}; place 14 in the queue.`);
    expect(told({ catchUp: "SKIP" }, held)).toContain("are skipped, after");
    expect(told({ catchUp: "ALL" }, held)).toContain("run one by one, after");
    expect(told({}, held, "es")).toContain("3 ejecuciones perdidas desde");
    expect(told({}, explained("HELD", { waiting: null }))).toBe("has missed no run yet.");
  });

  it("says why it waits, and when it is next due", () => {
    expect(told({}, explained("WAITING", { waiting: { ...waiting, attempt: 2, readyAt: Date.parse(until) } }))).toBe(
      `waits after attempt 2 failed; it is tried again at ${end}.`,
    );
    expect(told({}, explained("IDLE", {}, until))).toBe(`is next due at ${end}.`);
  });

  it("says what stops every job: windows that are not computed, or a clock that jumped", () => {
    expect(told({}, explained("BLOCKED", { clockStep: null, expansionStale: true }))).toMatch(
      /^waits, and so does everything else: the maintenance windows are not computed past now/,
    );
    expect(told({}, explained("BLOCKED", { clockStep: { byMs: -7_200_000, seenAt: Date.now() }, expansionStale: true }))).toMatch(
      /^waits, and so does everything else: the database's clock jumped back by 2 h, seen at \d\d:\d\d\. /,
    );
  });

  it("takes instants as numbers and as text, and nothing from what is no fact", () => {
    expect(waitingOf({ waiting: { ...waiting, dueAt: "2020-03-10T01:00:00Z" } })?.dueAt).toBe(waiting.dueAt);
    for (const facts of [null, 1, {}, { waiting: null }]) expect(waitingOf(facts)).toBeNull();
  });
});

it("an exact time has its seconds, and its day when that is not today", () => {
  expect(exactText(until, speaking("en").times)).toBe(`${end}:00`);
});

it("the lines of a mapping say where each field comes from", () => {
  const mapping = {
    key: "id",
    when: "ok",
    fields: { id: { from: "nr", cast: "integer" }, sum: { expression: "a + b" }, origin: { const: "erp" } },
  };
  const [stream] = streamsOf([{ stream: "orders", mapping }, { stream: "raw" }, 7]);
  expect(stream?.when).toBe("ok");
  expect(stream === undefined ? [] : fieldLines(stream)).toEqual([
    { target: "id", from: "nr", how: "cast: integer", isKey: true },
    { target: "sum", from: "a + b", how: "", isKey: false },
    { target: "origin", from: '"erp"', how: "", isKey: false },
  ]);
  expect(streamsOf("nonsense")).toEqual([]);
  expect(parseJson("[1]")).toEqual({ value: [1] });
  expect(parseJson("[1")).toHaveProperty("problem");
});
