import { describe, expect, it } from "vitest";
import { requestTrackerConfig } from "./request-tracker-config.js";
import { requireDone } from "./sentences.js";
import { membersOf, severityOf, stateOf, subjectOf, tagIn, tagOf, titleOf } from "./ticket-words.js";

const configOf = (more: Record<string, unknown> = {}) =>
  requestTrackerConfig.parse({ url: "https://rt.example.com", user: "quiesce", queue: "General", ...more });

describe("requireDone", () => {
  it("takes RT's words for what was done", () => {
    const done = [
      "Ticket 1: Owner changed from Nobody to root",
      "Ticket 1: Priority changed from 'Low' to 'Medium'",
      "Area shop added",
      "Area erp changed to shop",
      "Comments added",
    ];
    expect(() => requireDone(done, "the change")).not.toThrow();
  });

  it.each([
    ["Ticket 1: Status 'nonsense' isn't a valid status for this ticket.", "invalid", "state"],
    ["Ticket 1: That user does not exist", "invalid", "assignee"],
    ["Ticket 1: Queue Nowhere does not exist", "invalid", "group"],
    ["Ticket 1: Permission Denied", "permission", undefined],
    ["Something that RT will say one day", "invalid", undefined],
  ] as const)("takes anything else for a refusal, also among what was done: %s", (sentence, kind, field) => {
    const attempt = (): void => requireDone(["Ticket 1: Subject changed from 'a' to 'b'", sentence], "the change");
    expect(attempt).toThrow(expect.objectContaining({ kind, info: expect.objectContaining(field === undefined ? {} : { field }) }));
  });

  it("refuses an answer of another shape", () => {
    expect(() => requireDone({ message: "ok" }, "change")).toThrow(expect.objectContaining({ kind: "contract" }));
  });
});

describe("the words of a ticket", () => {
  it("are RT's usual ones, or those that the configuration says", () => {
    expect(membersOf(configOf(), { state: "on_hold", severity: "major", assignee: "" })).toEqual({
      Status: "stalled",
      Priority: 75,
      Owner: "Nobody",
    });
    const own = configOf({ statuses: { on_hold: "waiting" }, priorities: { major: 7 } });
    expect(membersOf(own, { state: "on_hold", severity: "major" })).toEqual({ Status: "waiting", Priority: 7 });
    expect(stateOf(own, "waiting")).toBe("on_hold");
    expect(severityOf(configOf(), "Medium")).toBe("minor");
    expect(severityOf(configOf(), "80")).toBe("major");
    expect(() => stateOf(configOf(), "waiting")).toThrow(/readStatuses/u);
  });

  it("keep the key's tag in the subject, and out of the title", () => {
    const subject = subjectOf(configOf(), `ERP\nis down ${"x".repeat(300)}`, tagOf("incident 1"));
    expect(subject).toHaveLength(200);
    expect(tagIn(subject)).toBe(tagOf("incident 1"));
    expect(titleOf(subject)).toMatch(/^ERP is down x+$/u);
    expect(subjectOf(configOf({ deduplicationField: "Key" }), "ERP", tagOf("incident 1"))).toBe("ERP");
  });
});
