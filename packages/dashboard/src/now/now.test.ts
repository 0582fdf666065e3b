import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createIntl } from "react-intl";
import { describe, expect, it } from "vitest";
import { timesOf } from "../app/times.js";
import { causeSentence } from "./cause-sentence.js";
import { barsOf, HOUR_MS, lanesOf, type LaneOccurrence } from "./lane-bars.js";
import { nowSentence } from "./sentence.js";
import { type ActiveHold, cardFits, causesOf, numbersOf, type OpenOccurrence, type Summary } from "./summary.js";

const texts = (language: string) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../messages/${language}/now.json`, import.meta.url)), "utf8")) as {
    readonly [id: string]: string;
  };
const speaking = (language: "en" | "es") => {
  const locale = language === "en" ? "en-GB" : "es-ES";
  return { intl: createIntl({ locale, messages: texts(language) as never }), times: timesOf(locale, "UTC"), now };
};

const now = Date.parse("2027-03-10T03:00:00Z");
const at = (hours: number) => new Date(now + hours * HOUR_MS).toISOString();

const window = { id: "w1", key: "erp-patch", title: "ERP patch", owner: "Erika Ruiz", kind: "MAINTENANCE" } as const;
const scope = { all: false, systems: ["erp"], integrations: [], tags: [] };
const open = (change: Partial<OpenOccurrence> = {}): OpenOccurrence => ({
  id: "o1",
  key: "erp-patch@2027-03-10T02:00",
  state: "QUIESCED",
  startsAt: at(-1),
  endsAt: at(3),
  timeZone: "UTC",
  quiescedAt: at(-0.9),
  overrunAt: null,
  inFlight: 0,
  heldRuns: 37,
  drainDeadlineAt: null,
  runsInFlight: [],
  resume: null,
  window: { ...window, scope },
  ...change,
});
const hold = (change: Partial<ActiveHold> = {}): ActiveHold => ({
  id: "h1",
  key: "1",
  kind: "WINDOW",
  title: "ERP patch",
  owner: "Erika Ruiz",
  reason: "new release",
  mode: "ENFORCE",
  beginsAt: at(-1),
  expiresAt: at(3),
  memberCount: 12,
  scope,
  occurrence: open(),
  ...change,
});
const summary = (change: Partial<Summary> = {}): Summary => ({
  cursor: "",
  at: at(0),
  mode: "ENFORCE",
  integrations: 3_000,
  heldIntegrations: 0,
  failingIntegrations: 0,
  activeHolds: [],
  resuming: [],
  nextOccurrence: null,
  failures: [],
  freezeConflicts: [],
  ...change,
});
const sentence = (of: Summary, language: "en" | "es") => nowSentence(of, { numbers: numbersOf(of), ...speaking(language) });

describe("the heading of Now", () => {
  const busy = summary({
    heldIntegrations: 1_026,
    failingIntegrations: 248,
    activeHolds: [hold(), hold({ id: "h2", occurrence: open({ id: "o2", state: "DRAINING", quiescedAt: null }) })],
  });
  const next = summary({ nextOccurrence: { ...open({ startsAt: at(52), endsAt: at(56), timeZone: "Europe/Madrid" }), window } });
  it.each([
    ["en", busy, "2 windows are open. 1,026 integrations are held, work may begin on 1 system, 248 are failing."],
    ["es", busy, "Hay 2 ventanas abiertas. 1026 integraciones retenidas, se puede trabajar en 1 sistema, 248 con fallos."],
    ["en", summary(), "Nothing is held."],
    ["es", summary(), "No hay nada retenido."],
    ["en", next, /^Nothing is held\. Next: ERP patch, Fri,? 12 Mar 08:00–12:00 Europe\/Madrid, in 2 d 4 h\.$/],
    ["es", next, /^No hay nada retenido\. Próxima: ERP patch, vie,? 12 mar 08:00–12:00 Europe\/Madrid, dentro de 2 d 4 h\.$/],
    ["en", { ...next, resuming: [open({ state: "RESUMING" })] }, "No window is open. Nothing is held, 1 window is resuming."],
    [
      "es",
      summary({ resuming: [open({ state: "RESUMING" }), open({ id: "o2", state: "RESUMING" })] }),
      "No hay ninguna ventana abierta. Nada retenido, 2 ventanas se están reanudando.",
    ],
    ["en", summary({ failingIntegrations: 1 }), "No window is open. Nothing is held, 1 is failing."],
  ] as const)("in %s", (language, of, wanted) => {
    const said = sentence(of, language);
    if (typeof wanted === "string") expect(said).toBe(wanted);
    else expect(said).toMatch(wanted);
  });
});

describe("causes", () => {
  const failure = { kind: "auth", message: "401 Unauthorized from POS", integrations: 248, since: at(-2), sample: [] };
  const all = summary({
    activeHolds: [
      hold({ id: "held", kind: "MANUAL", occurrence: null }),
      hold({ id: "ready" }),
      hold({ id: "late", occurrence: open({ state: "OVERRUN" }) }),
      hold({ id: "only-observes", occurrence: open({ state: "OBSERVING" }) }),
    ],
    failures: [failure],
    resuming: [open({ id: "coming-back", state: "RESUMING" })],
  });

  it("come in the order in which somebody should look, and what holds nothing is none", () => {
    expect(causesOf(all).map(({ id }) => id)).toEqual(["late", "auth:401 Unauthorized from POS", "ready", "held", "coming-back"]);
  });

  it("are shown by the card that counts them", () => {
    const shown = (card: Parameters<typeof cardFits>[0]) =>
      causesOf(all)
        .filter((cause) => cardFits(card, cause))
        .map(({ id }) => id);
    expect(shown("failing")).toEqual(["late", "auth:401 Unauthorized from POS"]);
    expect(shown("quiesced")).toEqual(["ready"]);
    expect(shown("held")).toEqual(["late", "ready", "held"]);
    expect(shown("resuming")).toEqual(["coming-back"]);
  });

  const of = (occurrence: Partial<OpenOccurrence>) =>
    ({ kind: "hold", id: "h1", tone: "held", hold: hold({ occurrence: open(occurrence) }) }) as const;
  const running = (expectedEndAt: string | null) => ({ expectedEndAt, run: { id: "r1", key: "r1" } });
  const unready = {
    phase: "READINESS",
    released: 0,
    total: 37,
    endsAt: null,
    checks: [{ ok: false, error: "HTTP 503", endpoint: { id: "e1", key: "erp-api", system: { id: "s1", key: "erp", name: "ERP" } } }],
  } as const;
  it.each([
    ["en", of({}), "ERP patch is quiet since 02:06. Nothing in flight: work may begin."],
    ["es", of({}), "ERP patch en reposo desde 02:06. Nada en curso: se puede empezar a trabajar."],
    [
      "en",
      of({ state: "DRAINING", inFlight: 3, runsInFlight: [running(at(0.1)), running(at(0.2))] }),
      "ERP patch is draining: 3 runs in flight, the last should end at 03:12.",
    ],
    ["en", of({ state: "DRAINING", inFlight: 1, runsInFlight: [running(null)] }), "ERP patch is draining: 1 run in flight."],
    ["en", of({ state: "OVERRUN", resume: unready }), "ERP patch is over but ERP: HTTP 503. Still held; Erika Ruiz was told."],
    [
      "es",
      of({ state: "OVERRUN" }),
      "ERP patch ha acabado, pero sus sistemas no están listos. Sigue retenida; se ha avisado a Erika Ruiz.",
    ],
    [
      "en",
      { kind: "hold", id: "m", tone: "held", hold: hold({ kind: "MANUAL", occurrence: null, expiresAt: null }) },
      "Paused by Erika Ruiz: new release",
    ],
    [
      "en",
      { kind: "failure", id: "f", tone: "failing", failure: { ...failure, since: "2027-03-10T10:03:00Z" } },
      /^248 integrations fail alike: 401 Unauthorized from POS\. Since .*10:03\.$/,
    ],
    [
      "en",
      {
        kind: "resume",
        id: "r",
        tone: "resuming",
        occurrence: open({ resume: { ...unready, phase: "RAMP", released: 412, total: 3_000, endsAt: at(1 / 30) } }),
      },
      "ERP patch: 412 of 3,000 released, about 2 min left.",
    ],
  ] as const)("in %s %#", (language, cause, wanted) => {
    // Days are left out on the same day alone, and the test's day is none of today.
    const said = causeSentence(cause, speaking(language)).replaceAll(/(?:Wed|mié),? 10 [a-z]{3} /gi, "");
    if (typeof wanted === "string") expect(said).toBe(wanted);
    else expect(said).toMatch(wanted);
  });
});

describe("lanes", () => {
  const range = { from: now - 2 * HOUR_MS, to: now + 10 * HOUR_MS };
  const occurrence = (change: Partial<LaneOccurrence> = {}): LaneOccurrence => ({
    id: "o1",
    key: "k",
    state: "SCHEDULED",
    startsAt: at(1),
    endsAt: at(4),
    quiescedAt: null,
    releasedAt: null,
    closedAt: null,
    timeZone: "UTC",
    window,
    ...change,
  });
  const bars = (change: Partial<LaneOccurrence>) =>
    barsOf(occurrence(change), { range, now }).map(({ kind, left, width }) => [kind, Math.round(left), Math.round(width)]);

  it.each([
    ["ahead is planned", {}, [["planned", 25, 25]]],
    [
      "draining is drained up to now",
      { state: "DRAINING", startsAt: at(-1), endsAt: at(1) },
      [
        ["drain", 8, 8],
        ["open", 17, 8],
      ],
    ],
    [
      "quiet is open from then on",
      { state: "QUIESCED", startsAt: at(-1), endsAt: at(1), quiescedAt: at(-0.5) },
      [
        ["drain", 8, 4],
        ["open", 13, 13],
      ],
    ],
    [
      "overrun is late from its end to now",
      { state: "OVERRUN", startsAt: at(-2), endsAt: at(-1), quiescedAt: at(-2) },
      [
        ["open", 0, 8],
        ["late", 8, 8],
      ],
    ],
    [
      "released comes back until now",
      { state: "RESUMING", startsAt: at(-2), endsAt: at(-1), quiescedAt: at(-2), releasedAt: at(-1) },
      [
        ["open", 0, 8],
        ["resume", 8, 8],
      ],
    ],
    ["beyond the range is cut", { startsAt: at(8), endsAt: at(20) }, [["planned", 83, 17]]],
    ["without approval holds nothing", { state: "UNAPPROVED" }, [["unapproved", 25, 25]]],
  ] as const)("what is %s", (_name, change, wanted) => {
    expect(bars(change)).toEqual(wanted);
  });

  it("draw a short window wide enough to be seen, and not the seconds in which its systems were asked", () => {
    const second = 1 / 3_600;
    const ended = { startsAt: at(-1), endsAt: at(-1 + 60 * second), quiescedAt: at(-1 + second), releasedAt: at(-1 + 62 * second) };
    const drawn = (change: Partial<LaneOccurrence>) =>
      barsOf(occurrence(change), { range, now })
        .filter(({ width }) => width > 0.5)
        .map(({ kind }) => kind);
    expect(drawn({ ...ended, state: "CLOSED", closedAt: at(-1 + 63 * second) })).toEqual(["open"]);
    // Where it is now is seen however short that has been.
    expect(drawn({ state: "OVERRUN", startsAt: at(-2), endsAt: at(-second), quiescedAt: at(-2) })).toEqual(["open", "late"]);
  });

  it("leave out what is over before the range and not what is still open, one lane a window", () => {
    const lanes = lanesOf(
      [
        occurrence({ id: "over", state: "CLOSED", startsAt: at(-9), endsAt: at(-5), closedAt: at(-5) }),
        occurrence({ id: "open", state: "OVERRUN", startsAt: at(-9), endsAt: at(-5) }),
        occurrence({ id: "later", startsAt: at(5), endsAt: at(6) }),
        occurrence({ id: "other", window: { ...window, id: "w2" } }),
      ],
      range,
    );
    expect(lanes.map(({ occurrences }) => occurrences.map(({ id }) => id))).toEqual([["open", "later"], ["other"]]);
  });
});
