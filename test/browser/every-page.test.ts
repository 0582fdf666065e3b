import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
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
} from "./chromium.js";
import { type BrowserServer, browserWorkspace, startBrowserServer } from "./start-server.js";

const HOUR_MS = 3_600_000;
/** Some thirty pages, one after the other, on a machine that may be loaded many times over. */
const LONG_MS = 15 * PATIENCE_MS;

/** Every page by its route; what stands for a part of an address is made below. */
const pages: { readonly [route: string]: string } = {
  "/": "/",
  "/windows": "/windows",
  "/calendar": "/calendar?view=week",
  "/plan": "/plan",
  "/plan/$key": "/plan/patch",
  "/windows/$key": "/windows/patch",
  "/windows/$key/report": "/windows/done/report",
  "/slots": "/slots",
  "/administration": "/administration",
  "/administration/endpoints": "/administration/endpoints",
  "/administration/endpoints/$key": "/administration/endpoints/erp-files",
  "/administration/connectors": "/administration/connectors",
  "/administration/accounts": "/administration/accounts",
  "/administration/tokens": "/administration/tokens",
  "/administration/reviews": "/administration/reviews",
  "/administration/reviews/$key": "/administration/reviews/REVIEW",
  "/administration/audit": "/administration/audit",
  "/administration/deployment": "/administration/deployment",
  "/integrations": "/integrations",
  "/integrations/$key": "/integrations/orders",
  "/topology": "/topology",
  "/incidents": "/incidents",
  "/alerts": "/alerts",
  "/problems": "/problems",
  "/correlation-rules": "/correlation-rules",
  "/kpis": "/kpis",
};
/** Looked at by tests of their own, which make what they show. */
const elsewhere: readonly string[] = ["/incidents/$key", "/problems/$key"];

const sources = fileURLToPath(new URL("../../packages/dashboard/src/", import.meta.url));

describe("the list of pages", () => {
  it("has every route of the dashboard", () => {
    const routes = readdirSync(sources, { recursive: true, encoding: "utf8" })
      .filter((name) => /^[a-z-]+\/routes\.ts$/.test(name))
      .flatMap((name) => [...readFileSync(`${sources}${name}`, "utf8").matchAll(/^ {2}path: "([^"]+)"/gm)].map(([, path = ""]) => path));
    expect(routes.length).toBeGreaterThan(10);
    expect(routes.filter((route) => !(route in pages) && !elsewhere.includes(route))).toEqual([]);
    expect(Object.keys(pages).filter((route) => !routes.includes(route))).toEqual([]);
  });
});

describe.skipIf(!isChromiumThere)("every page", () => {
  let server: BrowserServer;
  let browser: Browser;
  let review = "";

  beforeAll(async () => {
    [server, browser] = await Promise.all([startBrowserServer(), startChromium()]);
    const config = { folder: "/nowhere", streams: [{ name: "orders", path: "orders.jsonl", format: "jsonl", key: ["id"] }] };
    const endpoints = [{ key: "erp-files", system: "erp", connector: "file", config }];
    await server.ask(`mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { __typename } }`, {
      input: { document: JSON.stringify({ ...browserWorkspace, endpoints }) },
    });
    const local = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString().slice(0, 16);
    const plan = (key: string, from: number, to: number) =>
      server.ask(`mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }`, {
        input: {
          key,
          title: `Window ${key}`,
          owner: "Erika Ruiz",
          reason: "patch",
          scope: { systems: ["erp"] },
          series: { start: local(from), end: local(to), timeZone: "UTC" },
        },
      });
    await plan("done", -2, 3);
    await server.ask(`mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { key } }`, {
      input: { key: "done", reason: "done" },
    });
    await plan("patch", 26, 30);
    const opened = await server.ask<{ readonly openAccessReview: { readonly key: string } }>(
      `mutation ($input: OpenAccessReviewInput!) { openAccessReview(input: $input) { key } }`,
      { input: { title: "Access", dueAt: new Date(Date.now() + 1_000 * HOUR_MS).toISOString() } },
    );
    review = opened.openAccessReview.key;
  }, LONG_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const go = async (page: Page, path: string) => {
    await page.goto(`${server.url}${path.replace("REVIEW", review)}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    // What is on its way says so.
    await expect
      .poll(() => page.locator("main [role=status]", { hasText: /^(?:Loading|Cargando)/ }).count(), { timeout: PATIENCE_MS })
      .toBe(0);
  };

  it.each([
    { language: "en", theme: "light", size: "desk" },
    { language: "es", theme: "dark", size: "desk" },
    { language: "en", theme: "dark", size: "phone" },
    { language: "es", theme: "light", size: "phone" },
  ] as const)("is accessible in $language, $theme, on a $size", { timeout: LONG_MS }, async (looks) => {
    const { context, page, faults } = await openVisitor(browser, looks);
    await signIn(page, await server.signInLink());
    for (const [route, path] of Object.entries(pages)) {
      await go(page, path);
      await picture(page, `every${route.replaceAll(/[^a-z]+/g, "-")}-${looks.language}-${looks.theme}-${looks.size}`);
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
    }
    expect(faults).toEqual([]);
    await context.close();
  });

  it("has nothing that the Tab key does not reach", { timeout: LONG_MS }, async () => {
    const { context, page } = await openVisitor(browser);
    await signIn(page, await server.signInLink());
    for (const path of Object.values(pages)) {
      await go(page, path);
      expect([path, ...(await unreached(page))]).toEqual([path]);
    }
    await context.close();
  });

  it("gives the focus back to the button whose dialog was closed", { timeout: LONG_MS }, async () => {
    const { context, page } = await openVisitor(browser);
    await signIn(page, await server.signInLink());
    const dialogs = [
      ["/windows/patch", "Cancel window"],
      ["/windows/patch", "Extend"],
      ["/administration/tokens", "New token"],
      ["/administration/deployment", "Change retention"],
    ] as const;
    for (const [path, name] of dialogs) {
      await go(page, path);
      const button = page.getByRole("button", { name, exact: true });
      await button.focus();
      await page.keyboard.press("Enter");
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      // The focus is inside, and stays there however often Tab is pressed.
      for (let press = 0; press < 25; press += 1) await page.keyboard.press("Tab");
      expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      await expect.poll(() => button.evaluate((element) => element === document.activeElement), { timeout: PATIENCE_MS }).toBe(true);
    }
    await context.close();
  });
});

const MOST_TABS = 400;

/**
 * What can be pressed or typed into, and did not get the focus while Tab went once around. One entry of a group whose entries the arrow keys choose
 * stands for the group, and the button of a field that opens with the arrow keys for itself.
 */
async function unreached(page: Page): Promise<readonly string[]> {
  await page.evaluate(() => {
    const mark = () => document.activeElement?.setAttribute("data-reached", "");
    document.addEventListener("focusin", mark);
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
  for (let press = 0; press < MOST_TABS; press += 1) {
    await page.keyboard.press("Tab");
    const isRound = await page.evaluate(() => document.activeElement === document.body || document.activeElement === null);
    if (isRound && press > 0) break;
  }
  return page.evaluate(() => {
    const groups = "[role=radiogroup],[role=toolbar],[role=tablist],[role=listbox],[role=grid],[role=group],[role=menu]";
    const controls = "a[href],button,input,select,textarea,[role=button],[role=tab],[role=spinbutton]";
    /** What listens to a click is pressed, whatever element it is: the framework keeps that beside the element. */
    const listens = (element: Element) =>
      Object.entries(element).some(
        ([name, props]: readonly [string, { readonly onClick?: unknown } | null]) =>
          name.startsWith("__reactProps$") && typeof props?.onClick === "function",
      );
    /** A press on the name of a field goes to the field. */
    const names = (element: Element) =>
      [...document.querySelectorAll("[aria-labelledby]")].some(
        (field) =>
          field.getAttribute("aria-labelledby")?.split(" ").includes(element.id) === true &&
          (field.hasAttribute("data-reached") || field.querySelector("[data-reached]") !== null),
      );
    const pressed = (element: Element) =>
      element.matches(controls) ||
      // A label, a row or an entry is reached with what is inside it, or around it.
      (listens(element) &&
        element.querySelector("[data-reached]") === null &&
        element.closest("[data-reached]") === null &&
        !names(element));
    return [...document.querySelectorAll("*")]
      .filter(pressed)
      .filter((element) => element instanceof HTMLElement && element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      .filter((element) => !element.hasAttribute("disabled") && element.getAttribute("aria-disabled") !== "true")
      .filter((element) => element.closest("[aria-hidden=true],[inert]") === null && !element.hasAttribute("data-reached"))
      .filter(
        (element) =>
          element.closest(groups)?.querySelector("[data-reached]") === undefined ||
          element.closest(groups)?.querySelector("[data-reached]") === null,
      )
      .filter(
        (element) =>
          element.getAttribute("aria-haspopup") !== "listbox" || element.parentElement?.querySelector("input[data-reached]") === null,
      )
      .map((element) => element.outerHTML.slice(0, 160));
  });
}
