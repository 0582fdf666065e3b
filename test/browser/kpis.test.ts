import { readFile } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
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
import { type BrowserServer, startBrowserServer } from "./start-server.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Whole days in Madrid, which the page is asked for; all of it lies in the past. */
const ZONE = "Europe/Madrid";
const dayAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toLocaleDateString("sv-SE", { timeZone: ZONE });
const [FIRST, LAST] = [dayAgo(4), dayAgo(3)];

const saveObjective = `mutation ($input: SaveObjectiveInput!) { saveObjective(input: $input) { key } }`;
const levelsQuery = `query ($scope: KpiScope, $from: DateTime!, $to: DateTime!) {
  slaReport(scope: $scope, from: $from, to: $to, agreement: { timeZone: "${ZONE}" }) {
    net { availability upMs downMs unknownMs excludedMs outOfScheduleMs periodMs missingMs } gross { availability downMs coverage }
  }
  kpi(kpi: RESPONSE_TIME, scope: $scope, from: $from, to: $to) { current { value samples } points(step: HOUR) { at figures { p50 p95 p99 samples } } }
}`;

interface Levels {
  readonly slaReport: {
    readonly net: { readonly [figure: string]: number };
    readonly gross: { readonly [figure: string]: number };
  };
  readonly kpi: {
    readonly current: { readonly value: number; readonly samples: number };
    readonly points: readonly { readonly at: string; readonly figures: { readonly [figure: string]: number } }[];
  };
}

describe.skipIf(!isChromiumThere)("the page of service levels", () => {
  let server: BrowserServer;
  let browser: Browser;
  let visitors: Visitor[] = [];
  /** Midnight at which the first day begins. */
  let start: number;

  beforeAll(async () => {
    [server, browser] = await Promise.all([startBrowserServer(), startChromium()]);
    start = Date.parse(`${FIRST}T00:00:00Z`) - offsetMs(`${FIRST}T00:00:00Z`);
    await push([
      // Checks each minute; down from 02:00 to 05:00 and from 10:00 to 10:30.
      ...Array.from({ length: DAY_MS / MINUTE_MS }, (_, n) => n * MINUTE_MS).map((offset) => ({
        integration: "orders",
        metric: "check",
        at: start + offset,
        value: 20,
        ok: !within(offset, 2, 5) && !within(offset, 10, 10.5),
      })),
      ...Array.from({ length: 600 }, (_, n) => ({
        integration: "orders",
        metric: "response",
        at: start + n * 2 * MINUTE_MS,
        value: 100 + n,
      })),
      ...Array.from({ length: 100 }, (_, n) => ({ integration: "stock", metric: "response", at: start + n * MINUTE_MS, value: 30 })),
    ]);
    // A window over the ERP, known long before and long over: its three hours are no downtime of the net figure.
    const { database, zones } = server.context;
    const [begun, ended] = [start + 2 * HOUR_MS, start + 5 * HOUR_MS];
    const series = { start: `${FIRST}T02:00`, end: `${FIRST}T05:00`, timeZone: ZONE };
    await database.sql`
      with w as (insert into maintenance_window (key, title, series, scope, owner, reason, expanded_until, created_by)
        values ('erp-night', 'ERP night', ${JSON.stringify(series)}::text::jsonb, '{"systems": ["erp"]}', 'erp-team', 'patches', app_now() + interval '1 year', 'test') returning id),
      o as (insert into occurrence (window_id, local_start, local_end, starts_at, ends_at, window_version, zone_data_version, known_since, closed_at)
        select id, ${series.start}, ${series.end}, ${begun}::timestamptz, ${ended}::timestamptz, 1, ${zones.version}, ${start - 5 * DAY_MS}::timestamptz, ${ended}::timestamptz from w returning id),
      h as (insert into hold (kind, occurrence_id, scope, owner, reason, begins_at, released_at)
        select 'window', id, '{}', 'erp-team', 'patches', ${begun}::timestamptz, ${ended}::timestamptz from o returning id)
      insert into hold_member (hold_id, integration_id, begins_at, released_at, settled_at, mode, path)
      select h.id, i.id, ${begun}::timestamptz, ${ended}::timestamptz, ${ended}::timestamptz, 'enforce', 'system erp' from h, integration as i where i.key = 'orders'`;
    // Sums follow samples by a second or two.
    await vi.waitFor(async () => expect((await levels({ integration: "orders" })).kpi.current.samples).toBe(600), {
      timeout: PATIENCE_MS,
      interval: 500,
    });
    await vi.waitFor(async () => expect((await levels({ integration: "stock" })).kpi.current.samples).toBe(100), {
      timeout: PATIENCE_MS,
      interval: 500,
    });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const within = (offset: number, fromHour: number, toHour: number) => offset >= fromHour * HOUR_MS && offset < toHour * HOUR_MS;
  const push = async (samples: readonly object[]) => {
    const response = await fetch(`${server.app.url}/ingest/samples`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${server.app.firstToken ?? ""}` },
      body: samples.map((one) => `${JSON.stringify(one)}\n`).join(""),
    });
    expect(await response.json()).toMatchObject({ accepted: samples.length, refused: 0 });
  };
  const period = () => ({ from: new Date(start).toISOString(), to: new Date(midnightAfter(LAST)).toISOString() });
  const levels = (scope: object) => server.ask<Levels>(levelsQuery, { scope, ...period() });
  const arrive = async (...args: Parameters<typeof openVisitor> extends [unknown, ...infer Rest] ? Rest : never): Promise<Visitor> => {
    const visitor = await openVisitor(browser, ...args);
    visitors.push(visitor);
    await signIn(visitor.page, await server.signInLink());
    return visitor;
  };
  const leave = async (): Promise<void> => {
    for (const { context, faults } of visitors) {
      expect(faults).toEqual([]);
      await context.close();
    }
    visitors = [];
  };
  const path = (more = "") => `/kpis?integration=orders&period=dates&first=${FIRST}&last=${LAST}&zone=${encodeURIComponent(ZONE)}${more}`;
  const go = async (page: Page, to: string) => {
    await page.goto(`${server.url}${to}`);
    await page.getByRole("region", { name: /Where the time went|Adónde fue el tiempo/ }).waitFor();
    await page
      .getByRole("img", { name: /point|punto/ })
      .first()
      .waitFor();
  };
  const percent = (share: number) =>
    new Intl.NumberFormat("en-GB", { style: "percent", minimumFractionDigits: 3 }).format(Math.floor(share * 1e5 + 1e-7) / 1e5);

  it("shows the figures of the API, net and gross, the window that makes the difference, and where every millisecond went", async () => {
    const { slaReport, kpi } = await levels({ integration: "orders" });
    const { net, gross } = slaReport;
    // Half an hour of a day was down, three more hours of it under the window.
    expect(net["downMs"]).toBe(HOUR_MS / 2);
    expect(gross["downMs"]).toBe(3.5 * HOUR_MS);
    const { page } = await arrive();
    await go(page, path());
    const sentence = `orders was available ${percent(net["availability"] ?? 0)} net of agreed maintenance, ${percent(gross["availability"] ?? 0)} gross`;
    await page.getByRole("heading", { level: 1, name: new RegExp(`^${sentence.replaceAll(".", "\\.")}`) }).waitFor();
    // Nobody checked on the second day, so the heading does not speak for it.
    expect(gross["coverage"]).toBeLessThan(0.6);
    const known = `; only ${percent(gross["coverage"] ?? 0)} of the time is known.`;
    expect((await page.getByRole("heading", { level: 1 }).innerText()).endsWith(known)).toBe(true);
    const time = page.getByRole("region", { name: "Where the time went" });
    const rowOf = async (name: string) =>
      (await time.getByRole("row", { name: new RegExp(`^${name}`) }).innerText()).split(/\t/).map((cell) => cell.trim());
    const lengths = (figures: { readonly [figure: string]: number }) =>
      ["upMs", "downMs", "unknownMs", "excludedMs", "outOfScheduleMs", "periodMs"].map((name) => lengthText(figures[name] ?? 0));
    expect((await rowOf("Net")).slice(1)).toEqual(lengths(net));
    expect(net["missingMs"]).toBe(0);
    await page.getByText(/Missing: 0\./).waitFor();
    // The window is shaded, named, and said to count.
    await page.getByRole("img", { name: /1 window shaded/ }).waitFor();
    const maintenance = page.getByRole("region", { name: "Maintenance in the period" });
    expect(await maintenance.getByRole("row", { name: /ERP night/ }).innerText()).toMatch(/counts\s+3 h\s+1/);
    // The chart's table has the same points as the API.
    await page.getByRole("button", { name: "As a table" }).press("Enter");
    const table = page.getByRole("region", { name: "The series as a table" });
    expect(await table.getByRole("row").count()).toBe(kpi.points.length + 1);
    const cells = (await table.getByRole("row").last().innerText()).split(/\t/).map((cell) => cell.trim());
    const [first] = kpi.points;
    const ms = (value = 0) => `${Math.round(value)} ms`;
    expect(cells.slice(1)).toEqual([
      ms(first?.figures["p95"]),
      ms(first?.figures["p50"]),
      ms(first?.figures["p99"]),
      String(first?.figures["samples"]),
    ]);
    await expectAccessible(page);
    await picture(page, "kpis-orders");
    await leave();
  });

  it("is asked by keyboard for another scope, figure and agreement, and keeps that in the address", async () => {
    const { page } = await arrive();
    await go(page, path());
    await page.getByRole("button", { name: "Remove orders: everything again" }).press("Enter");
    await page.getByRole("heading", { level: 1, name: /^Everything was available/ }).waitFor();
    await page.getByRole("table", { name: "The worst first" }).waitFor();
    const worst = page.getByRole("table", { name: "The worst first" }).getByRole("row");
    expect(await worst.nth(1).innerText()).toMatch(/^Orders to the ERP/);
    expect(await worst.nth(2).innerText()).toMatch(/^Stock levels\s+30 ms\s+100/);
    await page.getByRole("combobox", { name: "Of what" }).focus();
    await page.keyboard.type("Orders");
    await page.getByRole("option", { name: /^Orders to the ERP/ }).waitFor();
    await page.getByRole("option", { name: /^Stock/ }).waitFor({ state: "detached" });
    await page.keyboard.press("ArrowDown");
    await page.locator('[role="option"][data-focused]', { hasText: /^Orders/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: /^orders was available/ }).waitFor();
    expect(new URL(page.url()).searchParams.get("integration")).toBe("orders");
    await page.getByRole("button", { name: /^Length of checks/ }).press("Enter");
    await page.getByRole("heading", { level: 2, name: "Length of checks, p95" }).waitFor();
    expect(new URL(page.url()).searchParams.get("kpi")).toBe("check-time");
    // Eight days' notice: the window was announced too late, and net is gross.
    await page.getByRole("button", { name: "See it with another agreement" }).press("Enter");
    await page
      .getByRole("textbox", { name: "Notice, hours" })
      .or(page.getByRole("spinbutton", { name: "Notice, hours" }))
      .fill("192");
    await page.keyboard.press("Enter");
    await page.getByText("announced too late: does not count").waitFor();
    expect(new URL(page.url()).searchParams.get("notice")).toBe("192");
    await page.reload();
    await page.getByText("announced too late: does not count").waitFor();
    await leave();
  });

  it("shows an objective with what is left of its error budget, as the API says", async () => {
    const input = {
      key: "orders-up",
      title: "Orders are available",
      indicator: "AVAILABILITY",
      scope: { integration: "orders" },
      target: 0.9,
      periodDays: 30,
    };
    await server.ask(saveObjective, { input: { ...input, reason: "agreed" } });
    const { objective } = await server.ask<{
      readonly objective: { readonly standing: { readonly budget: { readonly remainingShare: number } } };
    }>(`{ objective(key: "orders-up") { standing { budget { remainingShare } } } }`);
    const left = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 2 }).format(
      objective.standing.budget.remainingShare,
    );
    const { page } = await arrive();
    await go(page, path());
    await page.getByRole("button", { name: /Orders are available/ }).press("Enter");
    await page.getByText(new RegExp(`${left.replaceAll(".", "\\.")} of the error budget is left`)).waitFor();
    await page.getByRole("region", { name: "Budget left" }).getByRole("row").nth(1).waitFor();
    await expectAccessible(page);
    await picture(page, "kpis-objective");
    await leave();
  });

  it("gives the CSV that the API gives", async () => {
    const { page } = await arrive();
    await go(page, path());
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download CSV" }).click()]);
    const { slaReport } = await server.ask<{ readonly slaReport: { readonly csv: string } }>(
      `query ($from: DateTime!, $to: DateTime!) { slaReport(scope: { integration: "orders" }, from: $from, to: $to, agreement: { timeZone: "${ZONE}" }) { csv } }`,
      period(),
    );
    expect(await readFile(await download.path(), "utf8")).toBe(slaReport.csv);
    await leave();
  });

  it("has what nobody measures in one line, which says why and opens by keyboard", async () => {
    const { page } = await arrive();
    await go(page, path());
    const line = page.getByRole("button", { name: /^Not measured in this period: / });
    expect(await line.innerText()).toMatch(
      /Delivered in time and Sync accuracy, because nobody handed it in; Queue depth, because no connector/,
    );
    const queue = page.getByRole("button", { name: /^Queue depth, p95/ });
    expect(await queue.count()).toBe(0);
    await page
      .getByRole("group", { name: "Figures", exact: true })
      .getByRole("button", { name: /^Response time, p95/ })
      .waitFor();
    await line.press("Enter");
    await queue.filter({ hasText: "nobody handed in the metric queue.depth" }).press("Enter");
    await page.getByRole("heading", { level: 2, name: "Queue depth, p95" }).waitFor();
    await expectAccessible(page);
    await picture(page, "kpis-unmeasured-en-light-desk");
    await leave();
  });

  it("says what is missing where nothing was measured, and for days in the wrong order", async () => {
    const { page } = await arrive();
    await page.goto(`${server.url}/kpis?integration=invoices&period=dates&first=${FIRST}&last=${LAST}`);
    await page.getByRole("heading", { level: 1, name: /^invoices: nobody checked availability/ }).waitFor();
    await page.getByText(/Nothing was measured of this integration in this period\./).waitFor();
    await page.goto(`${server.url}/kpis?period=dates&first=${LAST}&last=${FIRST}`);
    await page.getByText("Choose a first and a last day, in this order.").waitFor();
    await expectAccessible(page);
    await leave();
  });

  it.each([
    { language: "en", theme: "light", size: "desk" },
    { language: "es", theme: "dark", size: "desk" },
    { language: "en", theme: "dark", size: "phone" },
    { language: "es", theme: "light", size: "phone" },
  ] as const)("is complete and accessible in $language, $theme, on a $size", async (looks) => {
    const { page } = await arrive(looks);
    await go(page, path());
    await picture(page, `kpis-${looks.language}-${looks.theme}-${looks.size}`);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await page.emulateMedia({ media: "print" });
    await page.getByRole("navigation").first().waitFor({ state: "hidden" });
    await picture(page, `kpis-${looks.language}-${looks.theme}-${looks.size}-print`);
    await leave();
  });
});

/** Of the zone's wall clock against UTC at an instant. */
function offsetMs(at: string): number {
  const local = new Date(at).toLocaleString("sv-SE", { timeZone: ZONE }).replace(" ", "T");
  return Date.parse(`${local}Z`) - Date.parse(at);
}

/** The instant at which the day after this one begins. */
function midnightAfter(day: string): number {
  const next = Date.parse(`${day}T00:00:00Z`) + DAY_MS;
  return next - offsetMs(new Date(next).toISOString());
}

/** 1 d 20 h 30 min */
function lengthText(ms: number): string {
  if (ms === 0) return "0";
  const minutes = Math.floor(ms / MINUTE_MS);
  const parts = [
    [Math.floor(minutes / 1_440), "d"],
    [Math.floor(minutes / 60) % 24, "h"],
    [minutes % 60, "min"],
    [Math.floor(ms / 1_000) % 60, "s"],
  ] as const;
  return parts.flatMap(([amount, unit]) => (amount === 0 ? [] : [`${amount} ${unit}`])).join(" ");
}
