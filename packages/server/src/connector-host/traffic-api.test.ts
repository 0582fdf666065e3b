import { afterAll, beforeAll, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { noteCall } from "./traffic/breaker-store.js";

let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await api.stop();
});

const query = "{ endpoints(first: 10) { nodes { key traffic { breaker failures openedAt probeAt delayedUntil reason } } } }";

it("an endpoint says how calls to it go, and one at which nothing went wrong that", async () => {
  const rows = await api.database.sql<{ id: number; key: string }[]>`
    insert into endpoint (key, name, system_id, connector) select k, k, (select min(id) from system), 'http' from unnest(array['away', 'busy', 'well']) as k
    returning id, key`;
  const endpointOf = (key: string) => ({ key, id: rows.find((row) => row.key === key)?.id ?? 0 });
  for (let n = 0; n < 5; n += 1) await noteCall(api, endpointOf("away"), { kind: "away", reason: "unavailable: 503" });
  await noteCall(api, endpointOf("busy"), { kind: "rate-limited", reason: "rate_limited: 429", retryAfterMs: 60_000 });
  const { data, errors } = await api.ask(query);
  expect(errors).toBeUndefined();
  const quiet = { breaker: "CLOSED", failures: 0, openedAt: null, probeAt: null, delayedUntil: null, reason: null };
  const instant: unknown = expect.any(String);
  expect((data?.["endpoints"] as { nodes: unknown[] } | undefined)?.nodes).toEqual([
    { key: "away", traffic: { ...quiet, breaker: "OPEN", failures: 5, openedAt: instant, probeAt: instant, reason: "unavailable: 503" } },
    { key: "busy", traffic: { ...quiet, delayedUntil: instant, reason: "rate_limited: 429" } },
    { key: "well", traffic: quiet },
  ]);
});
