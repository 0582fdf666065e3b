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
import { type BrowserServer, startBrowserServer } from "./start-server.js";

const HOUR_MS = 3_600_000;
const planWindow = `mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }`;

describe.skipIf(!isChromiumThere)("the pages of windows", () => {
  let server: BrowserServer;
  let browser: Browser;
  let visitors: Visitor[] = [];

  beforeAll(async () => {
    [server, browser] = await Promise.all([startBrowserServer(), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

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
  const go = async (page: Page, path: string) => {
    await page.goto(`${server.url}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
  };
  const heading = (page: Page, text: string | RegExp) => page.getByRole("heading", { level: 1, name: text }).waitFor();
  /** A window over the ERP that begins and ends so many hours from now. */
  const plan = (key: string, hours: { readonly from: number; readonly to: number }) => {
    const local = (inHours: number) => new Date(Date.now() + inHours * HOUR_MS).toISOString().slice(0, 16);
    const series = { start: local(hours.from), end: local(hours.to), timeZone: "UTC" };
    const input = { key, title: `Window ${key}`, owner: "Erika Ruiz", reason: "patch", scope: { systems: ["erp"] }, series };
    return server.ask(planWindow, { input });
  };

  it("plans the first Sunday of every month by the keyboard alone, sees what it will do, and saves it", async () => {
    const { page } = await arrive();
    await go(page, "/plan");
    const type = async (name: string, text: string) => {
      await page.getByRole("textbox", { name, exact: true }).focus();
      await page.keyboard.type(text);
    };
    await type("Name", "ERP patch");
    await page.getByRole("combobox", { name: "Covers" }).focus();
    await page.keyboard.type("ERP");
    await page.getByRole("option", { name: /^Orders to the ERP/ }).waitFor();
    await page.getByRole("option", { name: /^Shop/ }).waitFor({ state: "detached" });
    await page.keyboard.press("ArrowDown");
    await page.locator('[role="option"][data-focused]', { hasText: /^ERP/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove erp" }).waitFor();
    await page.getByRole("button", { name: /Repeats/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("option", { name: "On a weekday of the month" }).waitFor();
    await page.keyboard.type("On a w");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /Which/ }).waitFor();
    await page.getByRole("button", { name: /Weekday/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("option", { name: "Sunday" }).waitFor();
    await page.keyboard.type("Sun");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /Sunday/ }).waitFor();
    await type("Owner", "Erika Ruiz");
    await type("Reason", "monthly patch");
    const preview = page.getByRole("region", { name: "What it will do" });
    await preview.getByText(/^First Sunday of every month, 02:00–06:00 Europe\/Madrid\. Next: \d+ \w+, \d\d:00–\d\d:00 UTC\./).waitFor();
    await expect.poll(() => preview.locator("ol > li").count()).toBe(6);
    await preview.getByText(/Holds \d+ jobs? of 2 integrations/).waitFor();
    await expectAccessible(page);
    await picture(page, "windows-editor");
    const save = page.getByRole("button", { name: /^Save: holds \d+ jobs? from \d+ \w+$/ });
    await save.focus();
    await page.keyboard.press("Enter");
    await heading(page, /^ERP patch: next .* Europe\/Madrid, in /);
    const stored = await server.ask<{ readonly maintenanceWindow: { readonly series: { readonly rrule: string } } }>(
      `{ maintenanceWindow(key: "erp-patch") { series { rrule } } }`,
    );
    expect(stored.maintenanceWindow.series.rrule).toBe("FREQ=MONTHLY;BYDAY=1SU");
    await leave();
  });

  it("says at each field what is missing", async () => {
    const { page } = await arrive();
    await go(page, "/plan");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect.poll(() => page.getByText("This is needed.").count()).toBe(4);
    await leave();
  });

  it("follows a window in two browsers from its beginning to its end", async () => {
    await plan("live", { from: -1, to: 3 });
    const [first, second] = [await arrive(), await arrive({ language: "es", theme: "dark" })];
    await Promise.all([go(first.page, "/windows/live"), go(second.page, "/windows/live")]);
    await Promise.all([
      heading(first.page, /^Window live is quiet since .*work may begin/),
      heading(second.page, /^Window live en reposo desde .*se puede empezar/),
    ]);
    await picture(first.page, "windows-quiesced");
    await first.page.getByRole("button", { name: "End now" }).click();
    const dialog = first.page.getByRole("dialog");
    await dialog.getByText(/This cannot be taken back/).waitFor();
    await expectAccessible(first.page);
    await picture(first.page, "windows-end");
    await dialog.getByRole("textbox", { name: "Reason" }).fill("done early");
    await dialog.getByRole("button", { name: "End now" }).click();
    await Promise.all([heading(first.page, /released|ended at|is over/), heading(second.page, /liberadas|acabó|ha terminado/)]);
    await first.page
      .getByRole("link", { name: /^Report of/ })
      .first()
      .click();
    await heading(first.page, /due times? waited for it/);
    await expectAccessible(first.page);
    await picture(first.page, "windows-report");
    await leave();
  });

  it("cancels a window only when a reason is given", async () => {
    await plan("unwanted", { from: 30, to: 32 });
    const { page } = await arrive();
    await go(page, "/windows/unwanted");
    await page.getByRole("button", { name: "Cancel window" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel window" }).click();
    await dialog.getByText("This is needed.").waitFor();
    await dialog.getByRole("textbox", { name: "Reason" }).fill("not needed");
    await dialog.getByRole("button", { name: "Cancel window" }).click();
    await heading(page, "Window unwanted is cancelled.");
    await leave();
  });

  it.each([
    { language: "en", theme: "light", size: "desk" },
    { language: "es", theme: "dark", size: "phone" },
  ] as const)("has pages that are complete and accessible in $language, $theme, on a $size", async (looks) => {
    await plan(`seen-${looks.size}`, { from: 26, to: 30 });
    const { page } = await arrive(looks);
    const paths = [
      "/windows",
      "/calendar?view=month",
      "/calendar?view=week",
      "/calendar?view=quarter",
      "/slots",
      "/plan",
      `/plan/seen-${looks.size}`,
      `/windows/seen-${looks.size}`,
    ];
    for (const path of paths) {
      await go(page, path);
      if (path.startsWith("/windows") || path.startsWith("/plan/"))
        await page
          .getByText(/Erika Ruiz/)
          .or(page.locator('input[value="Erika Ruiz"]'))
          .first()
          .waitFor();
      await picture(page, `windows-${looks.language}-${looks.size}${path.replaceAll(/[^a-z]+/g, "-")}`);
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    }
    await leave();
  });

  it("has a calendar whose week begins with today in sight, on a phone and on a Sunday", async () => {
    const { page } = await arrive({ size: "phone", timeZone: "UTC" });
    await page.clock.setFixedTime("2026-12-06T12:00:00Z");
    await go(page, "/calendar?view=week");
    const isInSight = () =>
      page.getByRole("region", { name: "Calendar" }).evaluate((frame) => {
        const today = frame.querySelector('[data-date="2026-12-06"]')?.getBoundingClientRect();
        const seen = frame.getBoundingClientRect();
        return today !== undefined && today.left >= seen.left && today.right <= seen.right + 1;
      });
    await expect.poll(isInSight, { timeout: PATIENCE_MS }).toBe(true);
    await leave();
  });
});
