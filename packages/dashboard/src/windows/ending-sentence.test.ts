import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createIntl } from "react-intl";
import { describe, expect, it } from "vitest";
import { type Ending, endingSentence } from "./ending-sentence.js";

const speaking = (language: "en" | "es") => {
  const texts = readFileSync(fileURLToPath(new URL(`../messages/${language}/windows.json`, import.meta.url)), "utf8");
  const intl = createIntl({ locale: language === "en" ? "en-GB" : "es-ES", messages: JSON.parse(texts) as never });
  return { intl, at: (instant: string) => instant.slice(11, 16), length: (ms: number) => `${ms / 1_000} s` };
};

const facts: Ending["facts"] = {
  runDueAt: "2026-03-02T10:00:00Z",
  runState: "SUCCEEDED",
  reason: null,
  attempt: 1,
  heldSince: null,
  releasedAt: null,
  readyAt: "2026-03-02T10:20:00Z",
  startedAt: "2026-03-02T10:30:00Z",
  finishedAt: "2026-03-02T10:30:12Z",
  error: null,
  standInDueAt: null,
};
const said = (of: Partial<Ending["facts"]>, more: Partial<Ending> = {}) => {
  const entry: Ending = { dueAt: facts.runDueAt, heldBy: [], facts: { ...facts, ...of }, ...more };
  return [endingSentence(entry, speaking("en")), endingSentence(entry, speaking("es"))];
};
const states = ["CANCELLED", "COALESCED", "DEAD", "FAILED", "HELD", "LOST", "QUEUED", "RUNNING", "SKIPPED", "SUCCEEDED"] as const;

describe("why a due time ended as it did", () => {
  it("names what held it, which run it stands in, and what became of that", () => {
    const held = { heldSince: "2026-03-02T10:00:00Z", releasedAt: "2026-03-02T10:29:00Z" };
    const heldBy = [
      { kind: "WINDOW", title: "ERP patch" },
      { kind: "MANUAL", title: "Paused by hand" },
    ] as const;
    expect(said(held, { dueAt: "2026-03-02T10:05:00Z", heldBy })).toEqual([
      "Held by ERP patch and a pause from 10:00 to 10:29. Stands in the run that was due at 10:00. Ran from 10:30 for 12 s.",
      "Retenida por ERP patch y una pausa desde 10:00 hasta 10:29. Está incluida en la ejecución que vencía a las 10:00. Empezó a las 10:30 y duró 12 s.",
    ]);
  });

  it("says once that it is held, and by what", () => {
    const heldBy = [{ kind: "WINDOW", title: "ERP patch" }] as const;
    expect(said({ runState: "HELD", heldSince: "2026-03-02T10:01:00Z" }, { heldBy })).toEqual([
      "Is held by ERP patch since 10:01.",
      "La retiene ERP patch desde 10:01.",
    ]);
  });

  it("ends what somebody else wrote with one full stop", () => {
    expect(said({ runState: "DEAD", attempt: 3, error: "HTTP 503." })).toEqual([
      "Failed 3 times, which is all that its job allows, at last at 10:30: HTTP 503.",
      "Falló 3 veces, todo lo que permite su tarea; la última, a las 10:30: HTTP 503.",
    ]);
    expect(said({ runState: "CANCELLED", reason: null })[0]).toBe("Was cancelled before it started.");
  });

  it("of a range that was let go stands each due time for itself", () => {
    const [en] = said({ runState: "SKIPPED", reason: "catch-up-skip" }, { dueAt: "2026-03-02T10:05:00Z" });
    expect(en).toBe("Its job lets due times go that were held.");
  });

  it.each(states)("has words of its own for %s in both languages, whatever the reason", (runState) => {
    for (const reason of [
      null,
      "retry",
      "hold-integration",
      "lease-lost",
      "clock-stepped",
      "endpoint-away",
      "endpoint-rate-limited",
      "catch-up-max-age",
      "deleted",
    ]) {
      const [en = "", es = ""] = said({ runState, reason });
      expect(en).toMatch(/^[A-Z].*\.$/);
      expect(es).toMatch(/^[A-Z].*\.$/);
      expect(es).not.toBe(en);
      expect(es).not.toContain("windows.ending");
    }
  });
});
