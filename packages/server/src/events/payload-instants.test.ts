import { expect, it } from "vitest";
import { withPayloadInstants } from "./payload-instants.js";

it("every instant of a payload has one form, wherever it stands, and other text stays as it is", () => {
  const written = {
    dueAt: "2026-11-20T21:47:33.5+00:00",
    at: "2026-11-20T21:47:33+00:00",
    endsAt: "2026-11-20T21:47:33.000Z",
    localStart: "2026-11-20T21:47",
    reason: "since 2026-11-20T21:47:33+00:00",
    dues: [{ from: "2026-11-20T21:47:33.123+00:00", n: 1, none: null }],
  };
  expect(withPayloadInstants(written)).toEqual({
    ...written,
    dueAt: "2026-11-20T21:47:33.500Z",
    at: "2026-11-20T21:47:33.000Z",
    dues: [{ from: "2026-11-20T21:47:33.123Z", n: 1, none: null }],
  });
});
