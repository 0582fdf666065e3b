import { roles } from "@quiesce/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { controlTime, type ControlledTime } from "../../../../../test/database/control-time.js";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { openReview } from "./open-review.js";
import { tellOverdueReviews } from "./tell-overdue.js";

const DAY_MS = 86_400_000;
let api: StartedApi;
let time: ControlledTime;

beforeAll(async () => {
  api = await startApi();
  time = await controlTime(api.database.sql);
});
afterAll(async () => {
  await api.stop();
});

describe("an overdue review", () => {
  it("is told once, to the log of events and to the teams that listen", async () => {
    const { id } = await openReview(api.context, { title: "Fourth quarter", dueAt: (await time.now()) + 14 * DAY_MS, subjects: ["token"] });
    const hook = async (events: readonly string[]) => {
      await api.database.sql`insert into team (key, title) values ('it', 'IT') on conflict do nothing`;
      await api.database.sql`
        insert into team_webhook (team_id, url, source, sealed, fingerprint, events)
        select id, ${`http://127.0.0.1:9/${events[0] ?? ""}`}, 'env:X', '{}', 'f', ${[...events]} from team where key = 'it'`;
    };
    await hook(["access-review.*"]);
    await hook(["window.*"]);
    expect(await tellOverdueReviews(api.context)).toBe(0);
    await time.advance(14 * DAY_MS);
    const counts = await Promise.all([tellOverdueReviews(api.context), tellOverdueReviews(api.context)]);
    expect(counts.toSorted()).toEqual([0, 1]);
    expect(await tellOverdueReviews(api.context)).toBe(0);
    const messages = await api.database.sql<
      { payload: { type: string; data: object } }[]
    >`select payload from outbox where kind = 'access-review.overdue'`;
    expect(messages.map(({ payload }) => payload.data)).toEqual([
      { review: String(id), title: "Fourth quarter", dueAt: new Date(await time.now()).toISOString(), undecided: roles.length },
    ]);
  });
});
