import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, isChromiumThere, openVisitor, PATIENCE_MS, picture, signIn, startChromium, type Visitor } from "./chromium.js";
import { type BrowserServer, browserWorkspace, startBrowserServer } from "./start-server.js";

const HOUR_MS = 3_600_000;
const LONG_MS = 5 * PATIENCE_MS;
const planWindow = `mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }`;
const endWindow = `mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { key } }`;
const apply = `mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { __typename } }`;
const me = `{ me { name } }`;

describe.skipIf(!isChromiumThere)("what can be done about a window", () => {
  let server: BrowserServer;
  let browser: Browser;
  let warehouse: Server;
  let visitors: Visitor[] = [];
  /** Whether the warehouse says that it is ready. */
  let isReady = false;

  beforeAll(async () => {
    warehouse = createServer((_request, response) => void response.writeHead(isReady ? 200 : 503).end("{}"));
    await new Promise<void>((resolve) => warehouse.listen(0, "127.0.0.1", resolve));
    [server, browser] = await Promise.all([startBrowserServer(), startChromium()]);
    const baseUrl = `http://127.0.0.1:${(warehouse.address() as AddressInfo).port}`;
    const config = { baseUrl, checkPath: "/health", streams: [{ name: "stock", path: "/stock", key: ["id"] }] };
    const endpoints = [{ key: "warehouse-api", system: "warehouse", connector: "http", config }];
    // Whoever signs in approves changes, also their own.
    const { me: somebody } = await server.ask<{ readonly me: { readonly name: string } }>(me);
    const approvals = [{ key: "changes", kinds: ["change"], by: [somebody.name, "admin"], ownAllowed: true }];
    await server.ask(apply, { input: { document: JSON.stringify({ ...browserWorkspace, endpoints, approvals }) } });
  }, LONG_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await new Promise((resolve) => warehouse.close(resolve));
  });

  const arrive = async (path: string, looks: Parameters<typeof openVisitor>[1] = {}): Promise<Page> => {
    const visitor = await openVisitor(browser, looks);
    visitors.push(visitor);
    const { page } = visitor;
    await signIn(page, await server.signInLink());
    await page.goto(`${server.url}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    return page;
  };
  const leave = async (): Promise<void> => {
    for (const { context, faults } of visitors) {
      expect(faults).toEqual([]);
      await context.close();
    }
    visitors = [];
  };
  const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();
  const local = (inHours: number) => new Date(Date.now() + inHours * HOUR_MS).toISOString().slice(0, 16);
  const plan = (key: string, hours: { readonly from: number; readonly to: number }, further: object = {}) => {
    const series = { start: local(hours.from), end: local(hours.to), timeZone: "UTC" };
    const input = { key, title: `Window ${key}`, owner: "Erika Ruiz", reason: "patch", scope: { systems: ["erp"] }, series, ...further };
    return server.ask(planWindow, { input });
  };
  const confirm = async (page: Page, button: string, name: string | RegExp = button, reason = "agreed with the crew") => {
    await page.getByRole("button", { name, exact: true }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: /^(?:Reason|Comment)$/ }).fill(reason);
    await dialog.getByRole("button", { name: button, exact: true }).click();
  };
  const gone = (page: Page) => page.getByRole("dialog").waitFor({ state: "detached" });
  /** Types a day into a field that shows it as day, month, year. */
  const typeDay = async (within: Pick<Page, "getByRole">, label: string, day: string) => {
    const [year = "", month = "", date = ""] = day.split("-");
    const group = within.getByRole("group", { name: label }).first();
    await group.getByRole("spinbutton").first().focus();
    await group.page().keyboard.type(`${date}${month}${year}`);
  };

  it(
    "shows what a window covers long before its holds are made, and says where that stands when it is over",
    { timeout: LONG_MS },
    async () => {
      await plan("far", { from: 20 * 24, to: 20 * 24 + 4 });
      const page = await arrive("/windows/far");
      const covered = page.locator("section", { hasText: "Covered integrations" });
      await covered.getByRole("link", { name: "Orders to the ERP" }).waitFor();
      expect(await covered.getByRole("listitem").count()).toBe(2);
      await server.ask(`mutation { cancelMaintenanceWindow(input: { key: "far", reason: "not now" }) { key } }`);
      await covered.getByText("It holds nothing any more.").waitFor();
      await leave();
    },
  );

  it("extends an open window, and says at the field what an end before the end is", { timeout: LONG_MS }, async () => {
    await plan("longer", { from: -1, to: 30 });
    const page = await arrive("/windows/longer");
    await heading(page, /^Window longer is quiet since/);
    await page.getByRole("button", { name: "Extend", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await typeDay(dialog, "Date", local(-30).slice(0, 10));
    await dialog.getByRole("textbox", { name: "Reason" }).fill("not done yet");
    await dialog.getByRole("button", { name: "Extend", exact: true }).click();
    const field = dialog.getByRole("group", { name: /^New end/ });
    await expect.poll(() => field.getAttribute("aria-describedby"), { timeout: PATIENCE_MS }).not.toBeNull();
    await expectAccessible(page);
    await picture(page, "windows-extend-refused");
    await typeDay(dialog, "Date", local(54).slice(0, 10));
    await dialog.getByRole("button", { name: "Extend", exact: true }).click();
    await gone(page);
    const { windowProgress } = await server.ask<{ readonly windowProgress: { readonly endsAt: string } }>(
      `{ windowProgress(key: "longer") { endsAt } }`,
    );
    expect(windowProgress.endsAt.slice(0, 10)).toBe(local(54).slice(0, 10));
    await server.ask(endWindow, { input: { key: "longer", reason: "seen it" } });
    await leave();
  });

  it("skips one time of a series and restores it", { timeout: LONG_MS }, async () => {
    const series = { start: local(30), end: local(32), timeZone: "UTC", rrule: "FREQ=DAILY" };
    await plan("daily", { from: 30, to: 32 }, { series });
    const page = await arrive("/windows/daily");
    const upcoming = page.getByRole("listitem").filter({ has: page.getByRole("button", { name: /^Skip / }) });
    await expect.poll(() => upcoming.count(), { timeout: PATIENCE_MS }).toBe(6);
    const name = (await upcoming.nth(1).getByRole("button").getAttribute("aria-label")) ?? "";
    await confirm(page, "Skip", name);
    await gone(page);
    await page.getByRole("button", { name: name.replace("Skip", "Restore") }).waitFor();
    await expectAccessible(page);
    await picture(page, "windows-skipped");
    await confirm(page, "Restore", name.replace("Skip", "Restore"));
    await gone(page);
    await page.getByRole("button", { name }).waitFor();
    await leave();
  });

  it("is approved, or refused, by whom a policy names", { timeout: LONG_MS }, async () => {
    await plan("wanted", { from: 40, to: 42 }, { kind: "CHANGE" });
    await plan("doubtful", { from: 44, to: 46 }, { kind: "CHANGE" });
    const page = await arrive("/windows/wanted");
    await heading(page, "Window wanted is not approved: it will hold nothing.");
    await confirm(page, "Approve");
    await gone(page);
    await heading(page, /^Window wanted: next /);
    await page.goto(`${server.url}/windows/doubtful`);
    await confirm(page, "Refuse", "Refuse", "too close to the close");
    await gone(page);
    await page.getByText(/^Refused by .*: too close to the close\./).waitFor();
    await picture(page, "windows-refused");
    await leave();
  });

  it("asks systems again that are not ready, and is released by hand", { timeout: LONG_MS }, async () => {
    isReady = false;
    await plan("unready", { from: -1, to: 3 }, { scope: { systems: ["warehouse"] } });
    const page = await arrive("/windows/unready");
    await heading(page, /^Window unready is quiet since/);
    await server.ask(endWindow, { input: { key: "unready", reason: "done" } });
    await heading(page, /^Window unready is over(?:;| but)/);
    await confirm(page, "Ask systems again");
    await gone(page);
    await page.getByText(/Warehouse is not ready/).waitFor();
    await picture(page, "windows-unready");
    await confirm(page, "Release by hand");
    await heading(page, /^Window unready(?:: \d+ of \d+ released| ended at| is over\.)/);
    await leave();
  });

  it("finds quiet times and takes one along to the editor", { timeout: LONG_MS }, async () => {
    const page = await arrive("/slots");
    await page.getByText("Everything", { exact: false }).first().click();
    await page.getByRole("button", { name: "Find", exact: true }).click();
    const found = page.getByRole("region", { name: "Quietest first" });
    const link = found.getByRole("link", { name: /^Plan here/ }).first();
    await link.waitFor();
    await expectAccessible(page);
    await picture(page, "windows-slots");
    const at = (await link.getAttribute("aria-label")) ?? "";
    await link.click();
    await heading(page, "Plan a window");
    const time = /(\d\d):(\d\d)$/.exec(at) ?? [];
    const start = page.getByRole("group", { name: "Start" });
    await expect.poll(() => start.getByRole("spinbutton").allTextContents(), { timeout: PATIENCE_MS }).toEqual([time[1], time[2]]);
    await leave();
  });

  it("is found in the list by a part of its name, cancelled ones when they are wanted", { timeout: LONG_MS }, async () => {
    await plan("kept-one", { from: 60, to: 61 });
    await plan("gone-one", { from: 62, to: 63 });
    await server.ask(`mutation ($input: CancelMaintenanceWindowInput!) { cancelMaintenanceWindow(input: $input) { key } }`, {
      input: { key: "gone-one", reason: "not needed" },
    });
    const page = await arrive("/windows");
    await page.getByRole("searchbox").first().fill("-one");
    await expect.poll(() => new URL(page.url()).searchParams.get("q"), { timeout: PATIENCE_MS }).toBe("-one");
    await page.getByRole("link", { name: "Window kept-one" }).waitFor();
    await page.getByRole("link", { name: "Window gone-one" }).waitFor({ state: "detached" });
    await page.getByText("Cancelled ones too").click();
    await page.getByRole("link", { name: "Window gone-one" }).waitFor();
    await leave();
  });

  it("is changed: its series ends with a day, and it drains and resumes otherwise", { timeout: LONG_MS }, async () => {
    const series = { start: local(70), end: local(72), timeZone: "UTC", rrule: "FREQ=DAILY" };
    await plan("edited", { from: 70, to: 72 }, { series });
    const page = await arrive("/plan/edited");
    await page.getByRole("button", { name: /^(?:Never )?Ends|Ends/ }).click();
    await page.getByRole("option", { name: "On a day" }).click();
    const last = local(70 + 24 * 20).slice(0, 10);
    await typeDay(page, "Last day", last);
    await page.getByRole("button", { name: "How it drains and resumes" }).click();
    await page.getByLabel("Drain deadline, minutes after the start").fill("25");
    await page.getByRole("button", { name: /At the deadline runs/ }).click();
    await page.getByRole("option", { name: "may finish" }).click();
    await page.getByLabel("First runs on each system").fill("3");
    await page
      .getByRole("region", { name: "What it will do" })
      .getByText(/^Every day until \d+ \w+ \d{4}, /)
      .waitFor();
    await expectAccessible(page);
    await picture(page, "windows-edited");
    await page.getByRole("button", { name: /^Save/ }).click();
    await heading(page, /^Window edited: next /);
    const { maintenanceWindow } = await server.ask(
      `{ maintenanceWindow(key: "edited") { series { rrule } drain { deadlineMinutes atDeadline } resume { canaries } } }`,
    );
    expect(maintenanceWindow).toEqual({
      series: { rrule: `FREQ=DAILY;UNTIL=${last.replaceAll("-", "")}` },
      drain: { deadlineMinutes: 25, atDeadline: "LEAVE" },
      resume: { canaries: 3 },
    });
    await leave();
  });

  it("meets another, is told the quietest free slot, and takes it", { timeout: LONG_MS }, async () => {
    await plan("taken", { from: 90, to: 100 });
    const page = await arrive(`/plan?start=${local(91)}&end=${local(93)}&zone=UTC`);
    await page.getByRole("combobox", { name: "Covers" }).fill("ERP");
    await page.getByRole("option", { name: /^ERP/ }).click();
    const preview = page.getByRole("region", { name: "What it will do" });
    await preview.getByText(/Overlaps Window taken/).waitFor();
    await preview.getByText(/^Quietest free slot: \d+ \w+, \d\d:\d\d\./).waitFor();
    await picture(page, "windows-conflict");
    await preview.getByRole("button", { name: "Take it" }).click();
    await preview.getByText(/Overlaps Window taken/).waitFor({ state: "detached" });
    await leave();
  });

  it("says at its field what the server refuses", { timeout: LONG_MS }, async () => {
    const page = await arrive(`/plan?start=${local(30).slice(0, 10)}T02:00&end=${local(30).slice(0, 10)}T04:00&zone=UTC`);
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("Too late");
    await page.getByRole("combobox", { name: "Covers" }).fill("Shop");
    await page.getByRole("option", { name: /^Shop/ }).click();
    await page.getByRole("textbox", { name: "Owner" }).fill("Erika Ruiz");
    await page.getByRole("textbox", { name: "Reason" }).fill("patch");
    await page.getByRole("button", { name: "How it drains and resumes" }).click();
    await page.getByLabel("Drain deadline, minutes after the start").fill("999999");
    await page.getByRole("button", { name: /^Save/ }).click();
    // At the policies, and not as a box of its own below.
    await page.getByRole("group", { name: "How it drains and resumes" }).locator("p").waitFor();
    await leave();
  });

  it("shows its state on the calendar of a day, by a glyph and a word as well", { timeout: LONG_MS }, async () => {
    await plan("seen", { from: -1, to: 1 });
    const page = await arrive(`/calendar?view=day&date=${local(0).slice(0, 10)}&zone=UTC`);
    const event = page
      .getByRole("link", { name: /Window seen/ })
      .or(page.getByRole("button", { name: /Window seen/ }))
      .first();
    await event.waitFor();
    await event.getByText("quiesced", { exact: false }).waitFor({ state: "attached" });
    await expectAccessible(page);
    await picture(page, "windows-calendar-day");
    await event.click();
    await heading(page, /^Window seen/);
    await server.ask(endWindow, { input: { key: "seen", reason: "seen it" } });
    await leave();
  });
});
