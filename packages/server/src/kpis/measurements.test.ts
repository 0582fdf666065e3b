import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createToken } from "../access/tokens.js";
import { applyWorkspace } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { rollUp } from "./roll-up.js";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const keys = { current: masterKeyOf(Buffer.alloc(32, 3)), previous: [] };

let api: StartedApi;
/** A midnight of UTC, some days ago: everything of the story lies in the past. */
let start: number;
const at = (offsetMs: number) => new Date(start + offsetMs).toISOString();

beforeAll(async () => {
  api = await startApi();
  start = Math.floor(Date.now() / day) * day - 4 * day;
  await applyWorkspace(
    { ...api.context, keys },
    {
      quiesce: 1,
      integrations: [{ key: "orders", name: "<b>Orders</b> & co", via: ["shop", "erp"], tags: ["sales"], ownerTeam: "sales-team" }],
    },
  );
  await push([
    // Two days of checks each minute; down from 10:00 to 10:30 and from 20:00 to 21:00 of the first day.
    ...checks("orders", 0, 2 * day, (offset) => !within(offset, 10 * hour, 10.5 * hour) && !within(offset, 20 * hour, 21 * hour)),
    // One day, in which nobody looked for two hours.
    ...checks("stock", 0, day, () => true).filter((_one, n) => !within(n * minute, 6 * hour, 8 * hour)),
    ...Array.from({ length: 100 }, (_, n) => ({ integration: "orders", metric: "response", at: start + n * minute, value: n + 1 })),
    ...Array.from({ length: 100 }, (_, n) => ({ integration: "stock", metric: "response", at: start + n * minute, value: 1_000 })),
    ...Array.from({ length: 40 }, (_, n) => ({ integration: "orders", metric: "delivery", at: start + n * minute, value: 1, ok: n >= 10 })),
  ]);
  // Maintenance of the ERP, which the integration touches: 20:00 to 20:45, known five days before.
  await maintenance("planned", { from: 20 * hour, to: 20.75 * hour, knownFor: 5 * day });
  // And from 10:00 to 10:30, of which nobody was told in time.
  await maintenance("sudden", { from: 10 * hour, to: 10.5 * hour, knownFor: hour });
});
afterAll(async () => {
  await api?.stop();
});

const within = (offset: number, from: number, to: number) => offset >= from && offset < to;
const checks = (integration: string, from: number, to: number, ok: (offset: number) => boolean) =>
  Array.from({ length: (to - from) / minute }, (_, n) => from + n * minute).map((offset) => ({
    integration,
    metric: "check",
    at: start + offset,
    value: 20,
    ok: ok(offset),
  }));

async function push(samples: readonly object[]): Promise<void> {
  const response = await fetch(`${api.url}/ingest/samples`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${api.tokens.operator}` },
    body: samples.map((one) => `${JSON.stringify(one)}\n`).join(""),
  });
  expect(await response.json()).toMatchObject({ accepted: samples.length, refused: 0 });
  for (let more = true; more;) ({ more } = await rollUp(api));
}

async function maintenance(key: string, of: { readonly from: number; readonly to: number; readonly knownFor: number }): Promise<void> {
  await api.database.sql`
    with w as (insert into maintenance_window (key, title, series, scope, owner, reason, expanded_until, created_by)
      values (${key}, ${key}, '{}', '{"systems": ["erp"]}', 'sales-team', 'patches', app_now(), 'test') returning id),
    o as (insert into occurrence (window_id, local_start, local_end, starts_at, ends_at, window_version, zone_data_version, known_since, closed_at)
      select id, ${at(of.from).slice(0, 16)}, ${at(of.to).slice(0, 16)}, ${start + of.from}::timestamptz, ${start + of.to}::timestamptz, 1, 'x', ${start + of.from - of.knownFor}::timestamptz,
        ${start + of.to}::timestamptz from w returning id),
    h as (insert into hold (kind, occurrence_id, scope, owner, reason, begins_at) select 'window', id, '{}', 'sales-team', 'patches', ${start + of.from}::timestamptz from o returning id)
    insert into hold_member (hold_id, integration_id, begins_at, mode, path)
    select h.id, i.id, ${start + of.from}::timestamptz, 'enforce', 'system erp' from h, integration as i where i.key = 'orders'`;
}

const figures = "{ availability coverage periodMs upMs downMs unknownMs excludedMs outOfScheduleMs missingMs }";
async function report(args: string, token = api.tokens.viewer) {
  const { data, errors } = await api.ask(
    `{ slaReport(from: "${at(0)}", to: "${at(day)}"${args}) { net ${figures} gross ${figures} responseTime { samples p95 }
      integrations { integration { key } net ${figures} gross ${figures} maintenance { key reason countedMs } } } }`,
    {},
    token,
  );
  expect(errors).toBeUndefined();
  return data?.["slaReport"] as {
    readonly net: Record<string, number>;
    readonly gross: Record<string, number>;
    readonly integrations: readonly {
      readonly integration: { readonly key: string };
      readonly net: Record<string, number>;
      readonly gross: Record<string, number>;
    }[];
  };
}

describe("a report of service levels", () => {
  it("has net and gross side by side: maintenance that was announced in time is out of the net figure, its overrun and sudden maintenance are not", async () => {
    const [orders] = (await report(', scope: { integration: "orders" }')).integrations;
    expect(orders).toMatchObject({
      gross: { downMs: 1.5 * hour, excludedMs: 0, upMs: 22.5 * hour, unknownMs: 0, availability: 22.5 / 24, missingMs: 0 },
      net: { downMs: 0.75 * hour, excludedMs: 0.75 * hour, upMs: 22.5 * hour, availability: 22.5 / 23.25, coverage: 1, missingMs: 0 },
      maintenance: [
        { key: `sudden ${at(10 * hour).slice(0, 16)}`, reason: "SHORT_NOTICE", countedMs: 0 },
        { key: `planned ${at(20 * hour).slice(0, 16)}`, reason: "COUNTS", countedMs: 0.75 * hour },
      ],
    });
  });

  it("says what was agreed otherwise: less notice, an allowance, service hours", async () => {
    const orders = async (agreement: string) =>
      (await report(`, scope: { integration: "orders" }, agreement: ${agreement}`)).integrations[0]?.net;
    expect(await orders("{ minimumNoticeSeconds: 3600 }")).toMatchObject({ excludedMs: 1.25 * hour, downMs: 0.25 * hour });
    expect(await orders("{ minimumNoticeSeconds: 3600, monthlyAllowanceSeconds: 2700 }")).toMatchObject({ excludedMs: 0.75 * hour });
    expect(await orders("{ needsApproval: true }")).toMatchObject({ excludedMs: 0, downMs: 1.5 * hour });
    const days = "days: [1, 2, 3, 4, 5, 6, 7]";
    expect(await orders(`{ serviceHours: [{ ${days}, from: "08:00", to: "18:00" }] }`)).toMatchObject({
      outOfScheduleMs: 14 * hour,
      downMs: 0.5 * hour,
      excludedMs: 0,
      missingMs: 0,
    });
  });

  it("knows nothing where nobody looked, and adds up to the millisecond over all integrations", async () => {
    const all = await report("");
    for (const one of [all, ...all.integrations])
      for (const side of [one.net, one.gross]) {
        const sum = ["upMs", "downMs", "unknownMs", "excludedMs", "outOfScheduleMs"].reduce(
          (so, name) => so + (side[name] ?? Number.NaN),
          0,
        );
        expect(sum - (side["periodMs"] ?? 0)).toBe(0);
      }
    expect(all.net["periodMs"]).toBe(3 * day);
    const of = (key: string) => all.integrations.find(({ integration }) => integration.key === key)?.net;
    // The silence lasts from the last check before it to the first one after it.
    expect(of("stock")).toMatchObject({ unknownMs: 2 * hour + minute, downMs: 0, availability: 1 });
    expect(of("invoices")).toMatchObject({ unknownMs: day, availability: null, coverage: 0 });
  });

  it("has of two days what the two have, also when something broke just before midnight", async () => {
    const midnight = 3 * day;
    // Down from a minute before midnight on, which the third bad result says only after it. Unknown from the last check on.
    await push(
      checks("stock", midnight - hour, midnight + 56 * minute, (offset) => !within(offset, midnight - minute, midnight + 10 * minute)),
    );
    const of = async (from: number, to: number) => {
      const { data } = await api.ask(
        `{ slaReport(from: "${at(from)}", to: "${at(to)}", scope: { integration: "stock" }) { net { upMs downMs unknownMs } } }`,
      );
      return data?.["slaReport"];
    };
    const end = midnight + 65 * minute;
    expect(await of(midnight - hour, midnight)).toEqual({ net: { upMs: 59 * minute, downMs: minute, unknownMs: 0 } });
    expect(await of(midnight, end)).toEqual({ net: { upMs: 45 * minute, downMs: 10 * minute, unknownMs: 10 * minute } });
    expect(await of(midnight - hour, end)).toEqual({ net: { upMs: 104 * minute, downMs: 11 * minute, unknownMs: 10 * minute } });
  });

  it("is narrowed to what the caller sees", async () => {
    const grants = [{ role: "viewer", scope: { kind: "integration", name: "stock" } }] as const;
    const { secret } = await createToken(api.context, { name: "stock-viewer", grants });
    expect((await report("", secret)).integrations.map(({ integration }) => integration.key)).toEqual(["stock"]);
    const { errors } = await api.ask(
      `{ slaReport(from: "${at(0)}", to: "${at(day)}", scope: { integration: "orders" }) { csv } }`,
      {},
      secret,
    );
    expect(errors?.[0]?.extensions.code).toBe("QSC_KPI_SCOPE");
  });

  it("is CSV with net and gross in two lines, the same over HTTP", async () => {
    const { data } = await api.ask(`{ slaReport(from: "${at(0)}", to: "${at(day)}", scope: { integration: "orders" }) { csv } }`);
    const { csv } = (data ?? {})["slaReport"] as { readonly csv: string };
    const lines = csv.trimEnd().split("\r\n");
    expect(lines).toHaveLength(5);
    expect(lines[1]).toContain(
      `orders,<b>Orders</b> & co,${at(0)},${at(day)},net,${22.5 / 23.25},1,86400000,81000000,2700000,0,2700000,0,0,100,`,
    );
    const answer = await get(`/reports/sla.csv?from=${at(0)}&to=${at(day)}&integration=orders`);
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(await answer.text()).toBe(csv);
  });

  it("is a page that needs nothing else, runs nothing and escapes names", async () => {
    const answer = await get(`/reports/sla.html?from=${at(0)}&to=${at(day)}`);
    const page = await answer.text();
    expect(answer.headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    expect(page).toContain("&lt;b&gt;Orders&lt;/b&gt; &amp; co (orders)");
    expect(page).not.toContain("<b>Orders");
    expect(page).not.toMatch(/<script|src=|href=|url\(/);
    expect(page).toContain("@media print");
    expect(page).toContain("96.774 %");
    expect(page).toContain("announced too late");
  });

  it.each([
    ["/reports/sla.html?from=x&to=2027-01-01", 400],
    ["/reports/sla.pdf", 404],
    ["/reports/sla.csv?from=2026-02-30&to=2026-04-01", 400],
    ["/reports/sla.csv?from=2027-01-02&to=2027-01-01", 400],
    ["/reports/sla.csv?from=2020-01-01&to=2020-01-02&notice=-1", 400],
  ])("is refused for %s with %i", async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });
});

const get = (path: string) => fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${api.tokens.viewer}` } });

describe("a figure", () => {
  const ask = async (kpi: string, fields: string, args = "") => {
    const { data, errors } = await api.ask(`{ kpi(kpi: ${kpi}, from: "${at(0)}", to: "${at(day)}"${args}) { ${fields} } }`);
    expect(errors).toBeUndefined();
    return data?.["kpi"];
  };

  it("has the percentiles of all samples of its scope", async () => {
    const fields = "unit integrations current { samples value p50 p99 min max mean }";
    const orders = (await ask("RESPONSE_TIME", fields, ', scope: { tag: "sales" }')) as { readonly current: Record<string, number> };
    expect(orders).toMatchObject({ unit: "ms", integrations: 1, current: { samples: 100, min: 1, max: 100, mean: 50.5 } });
    expect(Math.abs((orders.current["value"] ?? 0) - 95) / 95).toBeLessThan(0.011);
    expect(Math.abs((orders.current["p50"] ?? 0) - 50) / 50).toBeLessThan(0.011);
    expect(await ask("RESPONSE_TIME", fields)).toMatchObject({ integrations: 3, current: { samples: 200, max: 1_000 } });
  });

  it("is compared with the period before, shown step by step, and ranks the worst first", async () => {
    const fields =
      "previous { samples value } points(step: HOUR) { at figures { samples } } ranking(first: 2) { integration { key } figures { max } }";
    expect(await ask("RESPONSE_TIME", fields)).toEqual({
      previous: { samples: 0, value: null },
      points: [
        { at: at(0), figures: { samples: 120 } },
        { at: at(hour), figures: { samples: 80 } },
      ],
      ranking: [
        { integration: { key: "stock" }, figures: { max: 1_000 } },
        { integration: { key: "orders" }, figures: { max: 100 } },
      ],
    });
  });

  it("is a rate of the time that was counted: whole minutes, and of what still goes on the part that is over", async () => {
    const rate = async (from: string, to: string, fields: string) => {
      const { data } = await api.ask(
        `{ kpi(kpi: THROUGHPUT, from: "${from}", to: "${to}", scope: { integration: "stock" }) { ${fields} } }`,
      );
      return data?.["kpi"];
    };
    const now = Date.now();
    const today = Math.floor(now / day) * day;
    const records = (instant: number, value: number) => ({ integration: "stock", metric: "run.records", at: instant, value });
    await push([records(start + 5 * hour, 60), records(now, 86_400)]);
    expect(await rate(at(5 * hour + 10_000), at(5 * hour + 20_000), "current { value } ranking(first: 1) { figures { value } }")).toEqual({
      current: { value: 1 },
      ranking: [{ figures: { value: 1 } }],
    });
    const asked = await rate(new Date(today).toISOString(), new Date(today + day).toISOString(), "points(step: DAY) { figures { value } }");
    const value = (asked as { readonly points: readonly { readonly figures: { readonly value: number } }[] }).points[0]?.figures.value ?? 0;
    const elapsed = (until: number) => Math.min(until - today, day) / 1_000;
    expect(value).toBeGreaterThanOrEqual(86_400 / elapsed(Date.now()));
    // The database reads the clock a little apart from this process.
    expect(value).toBeLessThanOrEqual(86_400 / Math.max(elapsed(now) - 1, 0.001));
  });

  it("is a share with its interval", async () => {
    expect(
      await ask("DELIVERY_SUCCESS", "current { value share { low high isUncertain } }", ', scope: { team: "sales-team" }'),
    ).toMatchObject({
      current: { value: 0.75, share: { isUncertain: false } },
    });
  });

  it("does not depend on where the period's ends lie among minutes, hours and days", async () => {
    const whole = (from: number, to: number) =>
      api.ask(`{ kpi(kpi: CHECK_TIME, from: "${at(from)}", to: "${at(to)}", scope: { integration: "orders" }) { current { samples } } }`);
    for (const [from, to] of [
      [7 * minute, 2 * day - 3 * minute],
      [hour, day],
      [30 * minute, 40 * minute],
      [23 * hour, 25 * hour + minute],
    ] as const)
      expect((await whole(from, to)).data).toEqual({ kpi: { current: { samples: (to - from) / minute } } });
  });

  it("counts each minute once in periods side by side, also where they meet in the midst of one", async () => {
    const question = `{ kpi(kpi: CHECK_TIME, from: "${at(30.5 * minute)}", to: "${at(40.5 * minute)}", scope: { integration: "orders" }) {
      current { samples } previous { samples } } }`;
    expect((await api.ask(question)).data).toEqual({ kpi: { current: { samples: 10 }, previous: { samples: 10 } } });
  });

  it.each([
    ['scope: { tag: "sales", team: "x" }', "QSC_KPI_SCOPE"],
    ['scope: { system: "nowhere" }', "QSC_KPI_SCOPE"],
  ])("is refused for %s with %s", async (args, code) => {
    const { errors } = await api.ask(`{ kpi(kpi: RESPONSE_TIME, from: "${at(0)}", to: "${at(day)}", ${args}) { unit } }`);
    expect(errors?.[0]?.extensions.code).toBe(code);
  });

  it("is refused for more steps than an answer has", async () => {
    const { errors } = await api.ask(`{ kpi(kpi: RESPONSE_TIME, from: "${at(0)}", to: "${at(2 * day)}") { points(step: MINUTE) { at } } }`);
    expect(errors?.[0]?.extensions.code).toBe("QSC_KPI_STEP");
  });
});

describe("pushSamples", () => {
  const mutation =
    "mutation ($input: PushSamplesInput!) { pushSamples(input: $input) { accepted duplicates refused refusals { line code } } }";

  it("takes a few samples, once", async () => {
    const samples = [
      { integration: "invoices", metric: "queue.depth", at: at(0), value: 4 },
      { integration: "nowhere", metric: "queue.depth", at: at(0), value: 4 },
    ];
    const refusals = [{ line: 2, code: "QSC_INTEGRATION_NOT_FOUND" }];
    const answer = (accepted: number) => ({ pushSamples: { accepted, duplicates: 1 - accepted, refused: 1, refusals } });
    expect((await api.ask(mutation, { input: { samples } }, api.tokens.operator)).data).toEqual(answer(1));
    expect((await api.ask(mutation, { input: { samples } }, api.tokens.operator)).data).toEqual(answer(0));
  });

  it("wants the right", async () => {
    const { errors } = await api.ask(mutation, { input: { samples: [] } }, api.tokens.viewer);
    expect(errors?.[0]?.extensions.code).toBe("QSC_ACCESS_DENIED");
  });
});
