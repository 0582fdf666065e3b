import { expect, it } from "vitest";
import { incidentTimes } from "./incident-times.js";

const minute = 60_000;

it("has mean, median and p90 of what is over, and lists the open ones beside them instead of counting them in", () => {
  const over = Array.from({ length: 10 }, (_, n) => ({ openedAt: 0, acknowledgedAt: (n + 1) * minute, resolvedAt: (n + 1) * 10 * minute }));
  const open = { openedAt: 0, acknowledgedAt: 2 * minute, resolvedAt: null };
  const { acknowledge, resolve } = incidentTimes([...over, open], 200 * minute);
  expect(resolve).toEqual({
    count: 10,
    meanMs: 55 * minute,
    medianMs: 55 * minute,
    p90Ms: 90 * minute,
    censored: 1,
    longestOpenMs: 200 * minute,
  });
  expect(acknowledge).toMatchObject({ count: 11, censored: 0, longestOpenMs: null, medianMs: 5 * minute });
});

it("takes what was resolved before anybody took it for acknowledged then, and has no figures of nothing", () => {
  expect(incidentTimes([{ openedAt: 0, acknowledgedAt: null, resolvedAt: minute }], minute).acknowledge).toMatchObject({
    count: 1,
    meanMs: minute,
  });
  expect(incidentTimes([], 0).resolve).toEqual({ count: 0, meanMs: null, medianMs: null, p90Ms: null, censored: 0, longestOpenMs: null });
});
