import { afterAll, beforeAll, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";

let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
  const save = `mutation ($input: SaveThresholdInput!) { saveThreshold(input: $input) { key } }`;
  const slow = { title: "Slow", kpi: "RESPONSE_TIME", comparison: "ABOVE", value: 500, reason: "agreed" };
  await api.ask(save, { input: { ...slow, key: "slow" } });
  await api.ask(save, { input: { ...slow, key: "few", comparison: "BELOW" } });
  const at = Date.parse("2026-03-02T10:00:00Z");
  const states = [
    ["orders", { brokenSince: at, recent: [], last: { at, value: 812 } }],
    ["invoices", { brokenSince: null, recent: [], last: { at, value: 90 } }],
    // As it was written before the last point was kept.
    ["stock", { brokenSince: null, recent: [{ at, isBad: false }] }],
  ] as const;
  for (const [integration, state] of states)
    await api.database.sql`
      insert into threshold_state (threshold_id, integration_id, through_at, state)
      select t.id, i.id, app_now(), ${JSON.stringify(state)}::text::jsonb from threshold as t cross join integration as i where i.key = ${integration}`;
});
afterAll(() => api?.stop());

const lastPoints = async (key: string, args = "") => {
  const { data, errors } = await api.ask(
    `query ($key: String!) { threshold(key: $key) { lastPoints${args} { value at isBroken integration { key } } } }`,
    { key },
  );
  const found = data?.["threshold"] as { readonly lastPoints: readonly object[] } | undefined;
  return errors ?? found?.lastPoints;
};

it("answers the last point of each integration, the worst first, and none of what was not measured", async () => {
  const orders = { value: 812, at: "2026-03-02T10:00:00.000Z", isBroken: true, integration: { key: "orders" } };
  const invoices = { value: 90, at: "2026-03-02T10:00:00.000Z", isBroken: false, integration: { key: "invoices" } };
  expect(await lastPoints("slow")).toEqual([orders, invoices]);
  expect(await lastPoints("few")).toEqual([invoices, orders]);
  expect(await lastPoints("slow", "(first: 1)")).toEqual([orders]);
});

it("answers that of one integration, also where others are worse", async () => {
  expect(await lastPoints("slow", '(first: 1, integration: "invoices")')).toMatchObject([{ value: 90 }]);
  expect(await lastPoints("slow", '(integration: "stock")')).toEqual([]);
  expect(await lastPoints("slow", '(integration: "nobody")')).toEqual([]);
});

it("refuses more than it gives", async () => {
  expect(await lastPoints("slow", "(first: 0)")).toMatchObject([{ extensions: { code: "QSC_GRAPHQL_PAGE_SIZE" } }]);
});
