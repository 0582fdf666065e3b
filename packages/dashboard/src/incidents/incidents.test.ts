import { describe, expect, it } from "vitest";
import { alertGroups, type IncidentAlert, quietReasons } from "./alert-groups.js";
import { alertFilterOf, incidentFilterOf, incidentFilters } from "./filters.js";
import { windowOf } from "./reason-sentence.js";
import { pathsToRoot, type TouchedSystem } from "./root-paths.js";
import { ruleSentence, rulesOf } from "./rule-sentence.js";
import { stepsOf } from "./steps.js";
import { timelineSentence } from "./timeline-sentence.js";

const system = (
  key: string,
  more: { readonly needs?: readonly TouchedSystem[]; readonly watchedAs?: readonly string[] } = {},
): TouchedSystem => ({
  id: key,
  key,
  name: key.toUpperCase(),
  monitoredBy: [{ resources: more.watchedAs ?? [key], endpoint: { id: "nagios", key: "nagios" } }],
  dependencies: (more.needs ?? []).map((needed) => ({ strength: "HARD" as const, system: needed })),
});
const reason = (kind: IncidentAlert["reasons"][number]["kind"], path: string, rule = "r"): IncidentAlert["reasons"][number] => ({
  kind,
  rule,
  path,
  reason: "in words",
  mutes: true,
  until: null,
  endedAt: null,
});
const alert = (resourceName: string, more: Partial<IncidentAlert> = {}): IncidentAlert => ({
  id: resourceName,
  key: resourceName,
  title: `${resourceName} is down`,
  severity: "CRITICAL",
  status: "FIRING",
  origin: "MONITOR",
  resourceName,
  startedAt: "2026-03-02T10:00:00Z",
  endedAt: null,
  isMuted: false,
  url: null,
  reasons: [],
  endpoint: { id: "nagios", key: "nagios", system: { id: "watch", key: "watch", name: "Watch" } },
  ...more,
});

/** Says ids and values instead of words. */
const intl = {
  formatMessage: ({ id }: { readonly id?: string }, values: object = {}) => `${id ?? ""} ${JSON.stringify(values)}`,
} as Parameters<typeof timelineSentence>[1];

describe("the ways to the root", () => {
  const db = system("db");
  const erp = system("erp", { needs: [db] });
  const shop = system("shop", { needs: [erp, system("cache")] });

  it("are the shortest ones, nearest first, and lead from the symptom to the root", () => {
    expect(pathsToRoot([shop, erp, db], { root: "db", alerts: [] }).map((path) => path.map(({ name }) => name))).toEqual([
      ["ERP", "DB"],
      ["SHOP", "ERP", "DB"],
    ]);
  });
  it("take in what alerts say of dependencies that were not read", () => {
    const far = system("news");
    const alerts = [alert("news", { reasons: [reason("DEPENDENCY", "news > shop > erp > db")] })];
    expect(pathsToRoot([far], { root: "db", alerts }).map((path) => path.map(({ key }) => key))).toEqual([["news", "shop", "erp", "db"]]);
  });
  it("leave out what does not need the root, also where systems need each other", () => {
    const [one, other] = [system("one", { needs: [system("other")] }), system("other", { needs: [system("one")] })];
    expect(pathsToRoot([one, other], { root: "db", alerts: [] })).toEqual([]);
  });
});

describe("alerts of an incident", () => {
  it("are folded by the system that is watched under their name, the root first", () => {
    const systems = [system("erp", { watchedAs: ["erp", "erp!api"] }), system("shop")];
    const ofCheck = alert("whatever", { origin: "CHECK" });
    const groups = alertGroups([alert("shop"), alert("switch-1"), alert("erp!api"), alert("shop", { id: "2" }), ofCheck], {
      systems,
      root: "erp",
    });
    expect(groups.map(({ node, firing }) => [node, firing])).toEqual([
      ["erp", 1],
      ["shop", 2],
      ["watch", 1],
      ["nagios/switch-1", 1],
    ]);
  });
  it("are counted by what keeps them quiet; symptoms of one cause are one line, and what is not quiet is none", () => {
    const alerts = [
      alert("a", { isMuted: true, reasons: [reason("DEPENDENCY", "shop > erp")] }),
      alert("b", { isMuted: true, reasons: [reason("DEPENDENCY", "news > shop > erp")] }),
      alert("c", { isMuted: true, reasons: [reason("WINDOW", "system erp", "patch@2026-03-02T10:00")] }),
      alert("d", { reasons: [reason("RULE", "x")] }),
      alert("e", { isMuted: true, status: "RESOLVED", reasons: [reason("WINDOW", "system erp", "over@2026-03-01T10:00")] }),
    ];
    expect(quietReasons(alerts).map(({ reason: { kind }, count }) => [kind, count])).toEqual([
      ["DEPENDENCY", 2],
      ["WINDOW", 1],
    ]);
  });
  it("name the window that covers them", () => {
    expect([windowOf("erp-patch@2026-03-02T10:00"), windowOf("a@b@2026-03-02T10:00"), windowOf("flap-guard")]).toEqual([
      "erp-patch",
      "a@b",
      null,
    ]);
  });
});

describe("the filters of the address", () => {
  it("take what they know and leave the rest out", () => {
    expect(incidentFilters({ show: "over", severity: "MAJOR", team: "erp-team" })).toEqual({
      show: "over",
      severity: "MAJOR",
      team: "erp-team",
    });
    expect(incidentFilters({ show: "nonsense", severity: 7, team: "" })).toEqual({});
  });
  it("mean what somebody has to care about when nothing is chosen", () => {
    expect(incidentFilterOf({}).states).toEqual(["OPEN", "ACKNOWLEDGED", "IN_PROGRESS", "ON_HOLD"]);
    expect(incidentFilterOf({ show: "all" }).states).toBeNull();
    expect(alertFilterOf({})).toEqual({ statuses: ["FIRING"], muted: null, severities: null });
    expect(alertFilterOf({ show: "quiet" })).toMatchObject({ statuses: ["FIRING"], muted: true });
  });
});

describe("what can be done", () => {
  it("begins with the one thing that comes next, and ends where nothing is left to do", () => {
    expect((["OPEN", "ACKNOWLEDGED", "IN_PROGRESS", "ON_HOLD", "RESOLVED", "CLOSED"] as const).map((state) => stepsOf(state)[0])).toEqual([
      "acknowledge",
      "start",
      "resolve",
      "start",
      "close",
      undefined,
    ]);
  });
});

describe("the timeline", () => {
  const entry = (subject: string, data: unknown) => timelineSentence({ kind: "ENTRY", text: "as the server says", subject, data }, intl);
  it("says in the page's language what it knows, and else the server's words", () => {
    expect(entry("state", { state: "in-progress", reason: "a disk" })).toMatch(
      /^incidents\.entry\.state .*incidents\.state\.IN_PROGRESS.*a disk/,
    );
    expect(entry("told", { teams: ["a", "b"] })).toBe('incidents.entry.told {"count":2,"teams":"a, b"}');
    expect(entry("problem", { problem: 7 })).toBe('incidents.entry.problem {"problem":"7"}');
    expect(entry("problem", { problem: "7", reason: "same leak" })).toBe(
      'incidents.entry.problem-linked {"problem":"7","reason":"same leak"}',
    );
    expect(entry("problem", { problem: null, was: "7", reason: "another cause" })).toBe(
      'incidents.entry.problem-unlinked {"problem":"7","reason":"another cause"}',
    );
    expect(entry("state", { state: "asleep" })).toBe("as the server says");
    expect(entry("note", {})).toBe("as the server says");
    expect(entry("something new", null)).toBe("as the server says");
  });
});

describe("rules in words", () => {
  it("say what they match and do, and survive JSON that is none of theirs", () => {
    const [toner] = rulesOf([{ id: "toner", match: { title: ["Toner*"], labels: { site: ["a", "b"] } }, action: "SUPPRESS" }]);
    expect(toner).toMatchObject({
      action: "SUPPRESS",
      match: [
        ["title", "Toner*"],
        ["label site", "a, b"],
      ],
    });
    expect(toner === undefined ? "" : ruleSentence(toner, intl)).toMatch(
      /incidents\.rule\.match .*title = Toner\*; label site = a, b.*incidents\.rule\.SUPPRESS/,
    );
    expect([rulesOf(null), rulesOf("x"), rulesOf([1, null])]).toEqual([[], [], []]);
  });
});
