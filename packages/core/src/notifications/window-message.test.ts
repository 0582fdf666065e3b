import { describe, expect, it } from "vitest";
import { isTold, maxNamedIntegrations, windowMessage } from "./window-message.js";

const hook = (events: readonly string[] = [], observe = false) => ({ events, observe });

describe("isTold", () => {
  it("tells the usual kinds where nothing else is said, and others to whoever names them", () => {
    expect(isTold(hook(), { kind: "window.quiesced", observing: false })).toBe(true);
    expect(isTold(hook(), { kind: "window.readiness-checked", observing: false })).toBe(false);
    expect(isTold(hook(["window.not-invented-yet"]), { kind: "window.not-invented-yet", observing: false })).toBe(true);
    expect(isTold(hook(["window.opened"]), { kind: "window.quiesced", observing: false })).toBe(false);
    expect(isTold(hook(["window.*"]), { kind: "window.readiness-checked", observing: false })).toBe(true);
  });

  it("tells nothing of a window that only observes, unless that is asked for", () => {
    expect(isTold(hook(["window.*"]), { kind: "window.opened", observing: true })).toBe(false);
    expect(isTold(hook([], true), { kind: "window.opened", observing: true })).toBe(true);
  });
});

describe("windowMessage", () => {
  it("names integrations up to its limit, and says how many there are", () => {
    const message = windowMessage({
      kind: "window.quiesced",
      at: Date.parse("2026-03-01T22:00:00Z"),
      window: { key: "erp", title: "ERP", kind: "maintenance", mode: "enforce", owner: "erp-team", reason: "patch" },
      occurrence: null,
      integrations: Array.from({ length: 80 }, (_, index) => `i${index}`),
      integrationCount: 80,
      event: { localStart: "2026-03-01T22:00" },
    });
    expect(message).toMatchObject({
      type: "window.quiesced",
      timestamp: "2026-03-01T22:00:00.000Z",
      data: { integrationCount: 80, occurrence: null },
    });
    expect((message["data"] as { integrations: string[] }).integrations).toHaveLength(maxNamedIntegrations);
  });
});
