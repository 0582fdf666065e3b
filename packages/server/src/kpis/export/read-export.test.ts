import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { rollUp } from "../roll-up.js";
import { decimalOf } from "./samples-csv.js";

const minute = 60_000;
let api: StartedApi;
let start: number;
beforeAll(async () => {
  api = await startApi();
  start = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 86_400_000;
  const samples = ["response", "check", "queue.depth"].flatMap((metric) =>
    Array.from({ length: 20 }, (_, n) => ({
      integration: "orders",
      metric,
      at: start + Math.floor(n / 3) * minute,
      value: n / 7,
      ok: n % 2 === 0,
      key: ["", "ä", "B", "a"][n % 3] ?? "",
    })),
  );
  const response = await fetch(`${api.url}/ingest/samples`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${api.tokens.operator}` },
    body: samples.map((one) => `${JSON.stringify(one)}\n`).join(""),
  });
  expect(await response.json()).toMatchObject({ accepted: 60 });
  for (let more = true; more;) ({ more } = await rollUp(api));
});
afterAll(async () => {
  await api?.stop();
});

const ask = async (more: object) => {
  const variables = {
    integration: "orders",
    from: new Date(start).toISOString(),
    to: new Date(start + 60 * minute).toISOString(),
    ...more,
  };
  const { data, errors } = await api.ask(
    `query ($integration: String!, $metric: String, $class: SampleClass, $from: DateTime!, $to: DateTime!, $first: Int, $after: String) {
      samplesCsv(integration: $integration, metric: $metric, class: $class, from: $from, to: $to, first: $first, after: $after) { csv lines endCursor } }`,
    variables,
    api.tokens.viewer,
  );
  const page = data?.["samplesCsv"] as { readonly csv: string; readonly lines: number; readonly endCursor: string | null } | undefined;
  return { page, code: errors?.[0]?.extensions.code };
};

describe("an export of samples", () => {
  it.each(["SAMPLE", "MINUTE", "HOUR"])("law: of %s pages put together are the whole, whatever their length", async (of) => {
    const whole = (await ask({ class: of })).page;
    expect(whole?.endCursor).toBeNull();
    expect(whole?.csv.trim().split("\r\n")).toHaveLength((whole?.lines ?? 0) + 1);
    expect(whole?.lines).toBe({ SAMPLE: 60, MINUTE: 21, HOUR: 3 }[of]);
    for (const first of [1, 2, 3, 7, 20, 21, 59, 60, 61]) {
      let [csv, after]: [string, string | null] = ["", null];
      do {
        const { page } = await ask({ class: of, first, after });
        expect(page?.lines).toBeLessThanOrEqual(first);
        csv += page?.csv ?? "";
        after = page?.endCursor ?? null;
      } while (after !== null);
      expect(csv).toBe(whole?.csv);
    }
  });

  it("has what lies from the beginning on and before the end, of one metric or of all", async () => {
    const { page } = await ask({
      metric: "check",
      from: new Date(start + minute).toISOString(),
      to: new Date(start + 3 * minute).toISOString(),
    });
    expect(page?.lines).toBe(6);
    expect((await ask({ metric: "nothing" })).page).toEqual({ csv: "integration,metric,at,value,ok,key\r\n", lines: 0, endCursor: null });
  });

  it.each([
    [{ integration: "nowhere" }, "QSC_INTEGRATION_NOT_FOUND"],
    [{ first: 0 }, "QSC_GRAPHQL_PAGE_SIZE"],
    [{ first: 10_001 }, "QSC_GRAPHQL_PAGE_SIZE"],
    [{ to: "2020-01-01T00:00:00Z" }, "QSC_KPI_PERIOD"],
    [{ after: "nonsense" }, "QSC_GRAPHQL_CURSOR_INVALID"],
    [{ after: Buffer.from('["check", 1e300, ""]').toString("base64url") }, "QSC_GRAPHQL_CURSOR_INVALID"],
    [{ after: Buffer.from('["check", 1, "\\u0000"]').toString("base64url") }, "QSC_GRAPHQL_CURSOR_INVALID"],
  ])("of %o is refused with %s", async (more, code) => {
    expect((await ask(more)).code).toBe(code);
  });
});

it.each([
  [0n, "0"],
  [1n, "0.000001"],
  [1_500_000n, "1.5"],
  [12_345_678_901_234_567_890n, "12345678901234.56789"],
])("a sum of %s millionths is %s", (millionths, text) => {
  expect(decimalOf(millionths)).toBe(text);
});
