import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  expectAccessible,
  expectNoSidewaysScroll,
  isChromiumThere,
  openVisitor,
  PATIENCE_MS,
  picture,
  signIn,
  startChromium,
  type Visitor,
} from "./chromium.js";
import { type BrowserServer, browserWorkspace, startBrowserServer } from "./start-server.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A point of a baseline; 200 of them are learned in silence. */
const POINT_MS = 5 * MINUTE_MS;
/** Under load a test may wait for many answers. */
const LONG_MS = 5 * PATIENCE_MS;
const looks = [
  { language: "en", theme: "light", size: "desk" },
  { language: "es", theme: "dark", size: "desk" },
  { language: "en", theme: "dark", size: "phone" },
] as const;

const apply = `mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { __typename } }`;
const saveThreshold = `mutation ($input: SaveThresholdInput!) { saveThreshold(input: $input) { key } }`;
const baselineQuery = `query ($from: DateTime!, $to: DateTime!) {
  kpi(kpi: RESPONSE_TIME, scope: { integration: "orders" }, from: $from, to: $to) {
    baseline { bands { at low high } anomalies { at value seen low high view isNewExtreme } }
  }
}`;
const brokenQuery = `{ threshold(key: "slow") { broken { since integration { key } } } }`;
const scoreQuery = `{ securityScore(scope: { integration: "orders" }) { score caps { reason most } parts { part value } } }`;

interface Baseline {
  readonly kpi: {
    readonly baseline: {
      readonly bands: readonly { readonly at: string; readonly low: number; readonly high: number }[];
      readonly anomalies: readonly { readonly at: string; readonly seen: number; readonly isNewExtreme: boolean }[];
    } | null;
  };
}
interface BrokenThreshold {
  readonly threshold: {
    readonly broken: readonly { readonly since: string; readonly integration: { readonly key: string } }[];
  };
}

describe.skipIf(!isChromiumThere)("what is usual, and what was promised, on the page of service levels", () => {
  let server: BrowserServer;
  let browser: Browser;
  let visitors: Visitor[] = [];
  /** The minute in which everything was measured that is. */
  let now: number;

  beforeAll(async () => {
    [server, browser] = await Promise.all([startBrowserServer(), startChromium()]);
    const config = { baseUrl: "http://erp.example", auth: { type: "bearer" }, streams: [{ name: "orders", path: "/orders", key: ["id"] }] };
    const endpoints = [
      { key: "erp-api", name: "ERP API", system: "erp", connector: "http", config, secrets: { token: { value: "of-the-erp" } } },
    ];
    await server.ask(apply, { input: { document: JSON.stringify({ ...browserWorkspace, endpoints }) } });
    now = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  }, LONG_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const arrive = async (path: string, ...args: Parameters<typeof openVisitor> extends [unknown, ...infer Rest] ? Rest : never) => {
    const visitor = await openVisitor(browser, ...args);
    visitors.push(visitor);
    await signIn(visitor.page, await server.signInLink());
    await visitor.page.goto(`${server.url}${path}`);
    await visitor.page.getByRole("heading", { level: 1 }).waitFor();
    return visitor.page;
  };
  const leave = async (): Promise<void> => {
    for (const { context, faults } of visitors) {
      expect(faults).toEqual([]);
      await context.close();
    }
    visitors = [];
  };
  const push = async (samples: readonly { readonly integration: string; readonly at: number; readonly value: number }[]) => {
    const response = await fetch(`${server.app.url}/ingest/samples`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${server.app.firstToken ?? ""}` },
      body: samples.map((one) => `${JSON.stringify({ metric: "response", ...one })}\n`).join(""),
    });
    expect(await response.json()).toMatchObject({ accepted: samples.length, refused: 0 });
  };
  const summedUp = async (integration: string, count: number) => {
    const query = `query ($from: DateTime!, $to: DateTime!) { kpi(kpi: RESPONSE_TIME, scope: { integration: "${integration}" }, from: $from, to: $to) { current { samples } } }`;
    const period = { from: new Date(now - 7 * DAY_MS).toISOString(), to: new Date(now + HOUR_MS).toISOString() };
    const samples = async () =>
      (await server.ask<{ readonly kpi: { readonly current: { readonly samples: number } } }>(query, period)).kpi.current.samples;
    await expect.poll(samples, { timeout: PATIENCE_MS, interval: 500 }).toBe(count);
  };
  const section = (page: Page, name: string) =>
    page.locator("section").filter({ has: page.getByRole("heading", { level: 2, name, exact: true }) });

  it("shows what is usual as a band, and explains the hour that was not, with the server's own numbers", { timeout: LONG_MS }, async () => {
    /** Slower by day than by night, with some noise; half an hour of the day before yesterday was slow. */
    const usual = (at: number) => 100 + 40 * Math.sin((at / DAY_MS) * 2 * Math.PI) + (((at / MINUTE_MS) * 7_919) % 13);
    const from = Math.floor((now - 4 * DAY_MS) / POINT_MS) * POINT_MS;
    const slow = Math.floor((now - DAY_MS - HOUR_MS) / HOUR_MS) * HOUR_MS;
    // What is there before a series is learned must be whole: the last minutes, which make it due, come when everything else is summed up.
    const known = Array.from({ length: (4 * DAY_MS - 2 * HOUR_MS) / POINT_MS }, (_, n) => from + n * POINT_MS);
    const valueAt = (at: number) => (at >= slow && at < slow + HOUR_MS / 2 ? 900 : usual(at));
    await push(known.map((at) => ({ integration: "orders", at, value: valueAt(at) })));
    await summedUp("orders", known.length);
    const last = Array.from({ length: 20 }, (_, n) => now - (20 - n) * MINUTE_MS);
    await push(last.map((at) => ({ integration: "orders", at, value: usual(at) })));
    const period = { from: new Date(now - 4 * DAY_MS).toISOString(), to: new Date(now).toISOString() };
    const baseline = async () => (await server.ask<Baseline>(baselineQuery, period)).kpi.baseline;
    // Points are judged when the band is known.
    const unusual = async () => (await baseline())?.anomalies.map(({ at }) => at) ?? [];
    await expect.poll(unusual, { timeout: PATIENCE_MS, interval: 500 }).toContain(new Date(slow).toISOString());
    const { anomalies = [], bands = [] } = (await baseline()) ?? {};
    expect(bands.length).toBeGreaterThan(48);
    const found = anomalies.find((one) => one.at === new Date(slow).toISOString());
    expect(found?.isNewExtreme).toBe(true);
    const page = await arrive("/kpis?integration=orders&period=week&zone=UTC", { timeZone: "UTC" });
    const series = section(page, "Response time, p95");
    await series.getByText("usual at this hour of the week", { exact: true }).waitFor();
    await series.getByText(/^▲ unusual/).waitFor();
    await series
      .getByRole("heading", {
        level: 3,
        name: anomalies.length === 1 ? "One time it was unusual" : `${anomalies.length} times it was unusual`,
      })
      .waitFor();
    // 900 ms, of a histogram: at most 1.1 % off.
    const told = series.getByRole("listitem").filter({ has: page.locator(`time[datetime="${new Date(slow).toISOString()}"]`) });
    expect(await told.innerText()).toMatch(
      /(?:89\d|90\d) ms is above the usual \d+ ms to \d+ ms(?: of this hour of the week)?, further off than ever before\.$/,
    );
    // The band itself: something is drawn in its colour, which nothing else in the picture has.
    expect(await bandPixels(page)).toBeGreaterThan(500);
    await expectAccessible(page);
    await picture(page, "kpis-baseline-en-light-desk");
    await leave();
  });

  it("shows a threshold that is broken: the value beside it, since when, and as a line in the chart", { timeout: LONG_MS }, async () => {
    const input = {
      key: "slow",
      title: "Slow answers",
      kpi: "RESPONSE_TIME",
      comparison: "ABOVE",
      value: 400,
      clearValue: 300,
      reason: "agreed",
    };
    await server.ask(saveThreshold, { input: { ...input, scope: { tag: "sales" } } });
    await server.ask(saveThreshold, {
      input: { ...input, key: "lost", title: "Stock of nobody", scope: { system: "shop" }, value: 5_000, clearValue: 5_000 },
    });
    const { sql } = server.app.database;
    const looked = async () => (await sql`select count(*)::integer as n from threshold_state`)[0]?.["n"];
    // A threshold judges no history: what it has read up to is taken back by as long as its points are old.
    await expect.poll(looked, { timeout: PATIENCE_MS }).toBeGreaterThan(2);
    const recent = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const bad = Array.from({ length: 8 }, (_, n) => recent - (8 - n) * MINUTE_MS + 500);
    await push(bad.map((at) => ({ integration: "orders", at, value: 900 })));
    await sql`update threshold_state set through_at = ${recent - 8 * MINUTE_MS}::timestamptz`;
    await sql`update threshold set looked_at = app_now() - interval '1 minute'`;
    const broken = async () => (await server.ask<BrokenThreshold>(brokenQuery)).threshold.broken;
    await expect
      .poll(
        async () => {
          await sql`update threshold set looked_at = app_now() - interval '1 minute'`;
          return (await broken()).map(({ integration }) => integration.key);
        },
        { timeout: PATIENCE_MS, interval: 1_000 },
      )
      .toEqual(["orders"]);
    const since = (await broken())[0]?.since ?? "";
    const page = await arrive("/kpis?integration=orders&period=day&zone=UTC", { timeZone: "UTC" });
    const thresholds = section(page, "Thresholds");
    const button = thresholds.getByRole("button", { name: /Slow answers/ });
    expect(await button.innerText()).toMatch(
      /broken since \d\d:\d\d\s+Slow answers\s+Response time, p95, not above 400 ms\s+last (?:89|90)\d ms, \d\d:\d\d/,
    );
    await thresholds.getByRole("button", { name: /holds.*Stock of nobody.*last (?:89|90)\d ms, \d\d:\d\d/s }).waitFor();
    await button.press("Enter");
    const table = thresholds.getByRole("region", { name: "What is measured beside “Slow answers”" });
    const row = (await table.getByRole("row", { name: /^Orders to the ERP/ }).innerText()).split(/\t/).map((cell) => cell.trim());
    expect(row[1]).toMatch(/^(?:89\d|90\d) ms$/);
    expect(row[2]).toBe("400 ms");
    expect(row[3]).toContain(since.slice(11, 16));
    await section(page, "Response time, p95").getByText("threshold 400 ms: Slow answers").waitFor();
    await expectAccessible(page);
    await picture(page, "kpis-threshold-en-light-desk");
    // Of another integration neither the tag's threshold nor the line is shown; the system's is.
    await page.goto(`${server.url}/kpis?integration=stock&period=day`);
    await section(page, "Thresholds")
      .getByRole("button", { name: /not judged yet.*Stock of nobody/s })
      .waitFor();
    expect(await page.getByRole("button", { name: /Slow answers/ }).count()).toBe(0);
    // Everything shows where it is broken.
    await page.goto(`${server.url}/kpis?period=day`);
    await section(page, "Thresholds")
      .getByRole("button", { name: /broken since .*Slow answers/s })
      .waitFor();
    await leave();
  });

  it("says how soon incidents were taken and over, and what is still open", { timeout: LONG_MS }, async () => {
    const { sql } = server.app.database;
    const at = (hoursAgo: number) => now - hoursAgo * HOUR_MS;
    const incidents = [
      { title: "ERP is slow", state: "closed", opened: at(5), taken: at(4.5), over: at(3) },
      { title: "ERP refuses orders", state: "closed", opened: at(3), taken: at(3) + 10 * MINUTE_MS, over: at(2) },
      { title: "ERP does not answer", state: "on-hold", opened: at(2), taken: null, over: null },
    ];
    for (const [n, { title, state, opened, taken, over }] of incidents.entries())
      await sql`insert into incident (state, severity, title, root_node, system_id, anchor_alert_id, owner_team, started_at, opened_at, acknowledged_at, resolved_at, closed_at, changed_at)
        select ${state}, 'major', ${title}, 'erp', id, ${1_000_000 + n}, 'erp-team', ${opened}::timestamptz, ${opened}::timestamptz, ${taken}::timestamptz, ${over}::timestamptz, ${over}::timestamptz, app_now()
        from system where key = 'erp'`;
    const page = await arrive("/kpis?system=erp&period=day");
    const [taken, over] = [
      page.getByRole("group", { name: "Time to acknowledge (MTTA)" }),
      page.getByRole("group", { name: "Time to resolve (MTTR)" }),
    ];
    await taken.getByText("20 min", { exact: true }).waitFor();
    await taken.getByText(/^1 more is taken by nobody yet, the longest for 2 h/).waitFor();
    await over.getByText("1 h 30 min", { exact: true }).waitFor();
    await over.getByText(/^Mean of 2 incidents; half of them took/).waitFor();
    await page.getByRole("list", { name: "Incidents that are not resolved" }).getByRole("link", { name: "ERP does not answer" }).waitFor();
    await expectAccessible(page);
    await picture(page, "kpis-incidents-en-light-desk");
    // Another system had none, and an integration has none of its own.
    await page.goto(`${server.url}/kpis?system=shop&period=day`);
    await page.getByText("No incident was opened in this period.").waitFor();
    await page.goto(`${server.url}/kpis?integration=orders&period=day`);
    await page.getByText(/^Incidents belong to systems and teams: .* An integration has none of its own\.$/).waitFor();
    await leave();
  });

  it("says what lowers the security score, the most expensive first, and what holds it down", { timeout: LONG_MS }, async () => {
    const { sql } = server.app.database;
    const score = async () =>
      (
        await server.ask<{ readonly securityScore: { readonly score: number; readonly caps: readonly { readonly reason: string }[] } }>(
          scoreQuery,
        )
      ).securityScore;
    const page = await arrive("/kpis?integration=orders&period=day");
    const security = section(page, "Access to systems");
    const whole = (value: number) => new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 }).format(value);
    const before = await score();
    await security.getByText(whole(before.score), { exact: true }).waitFor();
    await security.getByText("of 100 points now, for 1 endpoint on these routes.").waitFor();
    const rows = (await security.getByRole("row").allInnerTexts()).slice(1).map((row) => row.split("\t").map((cell) => cell.trim()));
    const lost = rows.map(([, points = ""]) => Number(points.replace("−", "").replace("–", "0")));
    expect(lost).toEqual(lost.toSorted((a, b) => b - a));
    expect(lost.reduce((sum, points) => sum + points, 0)).toBeCloseTo(100 - before.score, 0);
    expect(rows.find(([part]) => part?.startsWith("Access is reviewed"))?.[2]).toBe("no review was closed within the last 90 days");
    // A check finds that the secret goes over plain text.
    await sql`insert into endpoint_finding (endpoint_id, kind, origin, severity, message, found_at, checked_at)
      select id, 'plain-text', 'http://erp.example', 'high', 'plain text', app_now(), app_now() from endpoint where key = 'erp-api'`;
    await page.reload();
    await security.getByText(/A secret goes over plain text: 49 points at most/).waitFor();
    expect((await score()).caps.map(({ reason }) => reason)).toEqual(["PLAIN_TEXT_CREDENTIAL"]);
    await security.getByText(whole((await score()).score), { exact: true }).waitFor();
    await expectAccessible(page);
    await security.getByRole("link", { name: "Access is reviewed every three months" }).press("Enter");
    await page.getByRole("heading", { level: 1, name: /review/i }).waitFor();
    // Where there is no endpoint there is nothing to judge.
    await page.goto(`${server.url}/kpis?integration=stock&period=day`);
    await page.getByText("There is no endpoint on these routes, so there is no access to judge.").waitFor();
    await leave();
  });

  it.each(looks)("is complete and accessible in $language, $theme, on a $size", { timeout: LONG_MS }, async (look) => {
    const page = await arrive("/kpis?integration=orders&period=week", look);
    await page
      .getByText(look.language === "en" ? "usual at this hour of the week" : "lo habitual a esta hora de la semana", { exact: true })
      .waitFor();
    await page.getByRole("button", { name: /Slow answers/ }).press("Enter");
    await page.getByRole("region", { name: /Slow answers/ }).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await picture(page, `kpis-watched-${look.language}-${look.theme}-${look.size}`);
    await page.goto(`${server.url}/kpis?system=erp&period=week`);
    await page.getByRole("group", { name: /MTTR/ }).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await picture(page, `kpis-watched-system-${look.language}-${look.theme}-${look.size}`);
    await leave();
  });
});

/** How many points of the first chart have the colour of the band. */
function bandPixels(page: Page): Promise<number> {
  return page.evaluate(() => {
    const probe = document.createElement("span");
    probe.style.color = "var(--usual)";
    document.body.append(probe);
    const one = document.createElement("canvas").getContext("2d");
    const chart = document.querySelector<HTMLCanvasElement>("figure canvas");
    const drawn = chart?.getContext("2d") ?? null;
    if (one === null || chart === null || drawn === null) return 0;
    one.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    one.fillRect(0, 0, 1, 1);
    const [red, green, blue] = one.getImageData(0, 0, 1, 1).data;
    const { data } = drawn.getImageData(0, 0, chart.width, chart.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at] === red && data[at + 1] === green && data[at + 2] === blue) count += 1;
    return count;
  });
}
