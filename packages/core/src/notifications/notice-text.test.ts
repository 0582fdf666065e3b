import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { incidentMessage, type IncidentMessageFacts } from "./incident-message.js";
import { noticeText } from "./notice-text.js";
import { windowMessage } from "./window-message.js";

const at = Date.parse("2026-03-02T10:00:00Z");
const incident = (key: string, more: Partial<IncidentMessageFacts> = {}): IncidentMessageFacts => ({
  key,
  title: `thing ${key} is down`,
  state: "in-progress",
  severity: "critical",
  root: `thing${key}`,
  system: "erp",
  ownerTeam: "finance",
  openedAt: at,
  resolvedAt: null,
  alerts: 21,
  integrations: ["orders", "stock"],
  ...more,
});

describe("the words of a message", () => {
  it("about one incident say what, how bad, its cause, and where to look", () => {
    const { subject, text } = noticeText(incidentMessage("incident.opened", { at, incidents: [incident("12")] }));
    expect(subject).toBe("Opened: critical, thing 12 is down");
    expect(text.split("\n")).toEqual([
      "Incident 12: thing 12 is down",
      "  critical, in progress, since 2026-03-02T10:00:00.000Z",
      "  probable cause: thing12 (system erp); alerts: 21",
      "  integrations: orders, stock",
      "  with the team finance",
      "  quiesce incidents show 12",
      "",
      "",
      "Quiesce, incident.opened, 2026-03-02T10:00:00.000Z",
    ]);
  });

  it("about many name those that the message names, and say how many there are", () => {
    const incidents = Array.from({ length: 60 }, (_, n) => incident(String(n)));
    const { subject, text } = noticeText(incidentMessage("incident.resolved", { at, incidents }));
    expect(subject).toBe("Resolved: 60 incidents, thing 0 is down and others");
    expect(text).toContain("And 10 more: quiesce incidents list");
  });

  it("about a transfer say who offers it and why", () => {
    const message = incidentMessage("incident.transfer-offered", {
      at,
      incidents: [incident("3")],
      event: { by: "ana", reason: "the switch" },
    });
    expect(noticeText(message)).toMatchObject({
      subject: "Transfer offered: critical, thing 3 is down",
      text: expect.stringMatching(/by: ana\nreason: the switch/u) as unknown,
    });
  });

  it("about a window say which, when and by whom", () => {
    const { subject, text } = noticeText(
      windowMessage({
        kind: "window.opened",
        at,
        window: { key: "erp", title: "ERP patch", kind: "maintenance", mode: "enforce", owner: "finance", reason: "patches" },
        occurrence: {
          localStart: "2026-03-02T11:00",
          localEnd: "2026-03-02T12:00",
          timeZone: "Europe/Madrid",
          startsAt: at,
          endsAt: at + 3_600_000,
          state: "draining",
        },
        integrations: ["orders"],
        integrationCount: 1,
        event: {},
      }),
    );
    expect(subject).toBe('Opened: window "ERP patch"');
    expect(text).toContain("From 2026-03-02T11:00 to 2026-03-02T12:00 (Europe/Madrid)");
    expect(text).toContain("Integrations (1): orders");
  });

  it("are there for any kind and any data, with a subject of one line", () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (type, data) => {
        const { subject, text } = noticeText({ type, timestamp: new Date(at).toISOString(), data: { ...data } });
        expect(subject).not.toMatch(/[\r\n]/u);
        expect(subject.length).toBeLessThanOrEqual(200);
        expect(text).toContain("Quiesce");
        expect(text.length).toBeLessThan(100_000);
      }),
    );
  });
});
