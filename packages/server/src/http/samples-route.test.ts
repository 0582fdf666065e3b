import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createToken } from "../access/tokens.js";
import { admitSamples } from "../ingest/admit-samples.js";
import { rollUp } from "../kpis/roll-up.js";

let api: StartedApi;
let now: number;
beforeAll(async () => {
  api = await startApi();
  now = Date.now();
});
afterAll(async () => {
  await api?.stop();
});

interface Answer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly marked: number;
  readonly refused: number;
  readonly refusals: readonly { readonly line: number; readonly code: string; readonly message: string }[];
}

async function send(body: string, { token = api.tokens.operator, type = "application/x-ndjson", trial = false } = {}) {
  const headers = { "content-type": type, authorization: `Bearer ${token}` };
  const response = await fetch(`${api.url}/ingest/samples${trial ? "?trial=true" : ""}`, { method: "POST", headers, body });
  return {
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as Answer & { readonly error?: { readonly code: string } },
  };
}

const sample = (more: object = {}) => JSON.stringify({ integration: "orders", metric: "response", at: now - 60_000, value: 12, ...more });
const lines = (...list: readonly string[]) => list.map((line) => `${line}\n`).join("");
const stored = async (metric: string) =>
  api.database.sql<{ integration: string; value: number; ok: boolean; key: string; mark: number }[]>`
    select i.key as integration, k.value, k.ok, k.key, k.mark from kpi_sample as k join kpi_series as s on s.id = k.series_id join integration as i on i.id = s.integration_id
    where s.metric = ${metric} order by k.at, k.key, i.key`;

describe("POST /ingest/samples", () => {
  it("takes samples, and the same ones again as duplicates", async () => {
    const body = lines(sample(), sample({ key: "b", ok: false }), "", sample({ integration: "invoices" }));
    expect(await send(body)).toMatchObject({ status: 200, json: { accepted: 3, duplicates: 0, marked: 0, refused: 0, refusals: [] } });
    expect(await send(body)).toMatchObject({ json: { accepted: 0, duplicates: 3 } });
    expect(await stored("response")).toEqual([
      { integration: "invoices", value: 12, ok: true, key: "", mark: 0 },
      { integration: "orders", value: 12, ok: true, key: "", mark: 0 },
      { integration: "orders", value: 12, ok: false, key: "b", mark: 0 },
    ]);
    await rollUp(api);
    const [row] = await api.database.sql`select sum(samples)::integer as n from kpi_day`;
    expect(row).toEqual({ n: 3 });
  });

  it("refuses lines one by one, and says which and why", async () => {
    const body = lines(
      sample({ metric: "partly" }),
      "{no json",
      sample({ metric: "partly", value: -1 }),
      sample({ integration: "nowhere" }),
      sample({ metric: "partly", at: now + 3_600_000 }),
      sample({ metric: "partly", at: now - 100 * 86_400_000 }),
      sample({ metric: "partly", key: "b" }),
    );
    const { status, json } = await send(body.trimEnd());
    expect(status).toBe(200);
    expect(json).toMatchObject({ accepted: 2, refused: 5 });
    expect(json.refusals.map(({ line, code }) => [line, code])).toEqual([
      [2, "QSC_SAMPLE_INVALID"],
      [3, "QSC_SAMPLE_INVALID"],
      [4, "QSC_INTEGRATION_NOT_FOUND"],
      [5, "QSC_SAMPLE_AHEAD"],
      [6, "QSC_SAMPLE_TOO_OLD"],
    ]);
    expect(json.refusals[1]?.message).toContain("value is a number from 0 to 10^12, found -1");
    expect(await stored("partly")).toHaveLength(2);
  });

  it("marks what is late, and what comes from a clock that is ahead", async () => {
    const body = lines(sample({ metric: "skewed", at: now - 2 * 3_600_000 }), sample({ metric: "skewed", at: Date.now() + 120_000 }));
    expect(await send(body)).toMatchObject({ json: { accepted: 2, marked: 2 } });
    expect((await stored("skewed")).map(({ mark }) => mark)).toEqual([1, 2]);
  });

  it("takes more than a transaction holds, in one request", async () => {
    const many = Array.from({ length: 12_345 }, (_, n) => sample({ metric: "many", at: now - n * 10, value: n }));
    expect(await send(lines(...many))).toMatchObject({ json: { accepted: 12_345, duplicates: 0, refused: 0 } });
    expect(await send(lines(...many))).toMatchObject({ json: { accepted: 0, duplicates: 12_345 } });
  });

  it("takes each once of a large request in which some are there already, and some come twice", async () => {
    const each = Array.from({ length: 11_000 }, (_, n) =>
      sample({ metric: "mixed", at: now - n * 10, value: n, ok: n % 7 > 0, key: n % 3 === 0 ? `k"${n}` : "" }),
    );
    expect(await send(lines(...each.slice(5_000, 5_010)))).toMatchObject({ json: { accepted: 10 } });
    const { json } = await send(lines(...each, ...each.slice(10_990)));
    expect(json).toMatchObject({ accepted: 10_990, duplicates: 20, refused: 0 });
    const kept = await stored("mixed");
    expect(kept).toHaveLength(11_000);
    expect(kept.filter(({ ok }) => !ok)).toHaveLength(1_572);
    expect(kept.filter(({ key }) => key !== "")).toHaveLength(3_667);
    await rollUp(api);
    const [row] = await api.database
      .sql`select sum(d.samples)::integer as n, sum(d.good)::integer as good from kpi_day as d join kpi_series as s on s.id = d.series_id where s.metric = 'mixed'`;
    expect(row).toEqual({ n: 11_000, good: 9_428 });
  });

  it("tells a hundred refusals and counts them all", async () => {
    const { json } = await send(lines(...Array.from({ length: 150 }, () => "x")));
    expect(json.refused).toBe(150);
    expect(json.refusals).toHaveLength(100);
  });

  it("takes samples of what the sender may send for, and knows nothing of the rest", async () => {
    const grants = [{ role: "operator", scope: { kind: "integration", name: "stock" } }] as const;
    const { secret } = await createToken(api.context, { name: "meter", grants });
    const body = lines(sample({ metric: "scoped", integration: "stock" }), sample({ metric: "scoped" }));
    const { json } = await send(body, { token: secret });
    expect(json).toMatchObject({ accepted: 1, refused: 1, refusals: [{ line: 2, code: "QSC_INTEGRATION_NOT_FOUND" }] });
    expect((await stored("scoped")).map(({ integration }) => integration)).toEqual(["stock"]);
  });

  it("is refused without the right, and for what is no list of lines", async () => {
    expect(await send(sample(), { token: api.tokens.viewer })).toMatchObject({
      status: 403,
      json: { error: { code: "QSC_ACCESS_DENIED" } },
    });
    expect(await send(sample(), { type: "application/json" })).toMatchObject({ status: 415 });
    expect(await send("x".repeat(200_000))).toMatchObject({ status: 413 });
  });

  it("answers 429 with the time to come back while too many requests are under way, and takes them again afterwards", async () => {
    const leave = await Promise.all([1, 2, 3, 4].map(() => admitSamples(api.database)));
    const { status, headers, json } = await send(lines(sample({ metric: "busy" })));
    expect([status, headers.get("retry-after"), json.error?.code]).toEqual([429, "1", "QSC_SAMPLES_BUSY"]);
    for (const one of leave) one();
    expect(await send(lines(sample({ metric: "busy" })))).toMatchObject({ status: 200 });
  });

  it("counts in a trial the metrics that it would make", async () => {
    const all = Array.from({ length: 202 }, (_, n) => sample({ integration: "stock", metric: `m${n}` }));
    const { json } = await send(lines(...all, ...all), { trial: true });
    const [known] = await api.database.sql<{ n: number }[]>`
      select count(*)::integer as n from kpi_series as s join integration as i on i.id = s.integration_id where i.key = 'stock'`;
    const room = 200 - (known?.n ?? 0);
    expect(json).toMatchObject({ accepted: 2 * room, refused: 2 * (all.length - room) });
    expect(json.refusals[0]).toMatchObject({ line: room + 1, code: "QSC_SAMPLE_METRICS_FULL" });
  });

  it("refuses an integration's two hundred and first metric", async () => {
    const all = Array.from({ length: 201 }, (_, n) => sample({ integration: "stock", metric: `m${n}` }));
    const { json } = await send(lines(...all));
    expect(json.refusals.every(({ code }) => code === "QSC_SAMPLE_METRICS_FULL")).toBe(true);
    const [row] = await api.database
      .sql`select count(*)::integer as n from kpi_series as s join integration as i on i.id = s.integration_id where i.key = 'stock'`;
    expect(row).toEqual({ n: 200 });
  });
});
