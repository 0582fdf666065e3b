import type { Browser } from "playwright-core";
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

const pause = `mutation ($scope: ScopeInput!) { pause(input: { scope: $scope, reason: "the ERP answers nonsense" }) { id key } }`;
const letGo = `mutation ($hold: ID!) { resume(input: { holdId: $hold, reason: "it is well again" }) { released { key } } }`;
const createWindow = `mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id key } }`;
const endWindow = `mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { id key } }`;

/** The shop cannot work without the ERP, the warehouse can; two systems stand alone. */
const workspace = {
  quiesce: 1,
  systems: [
    { key: "erp", name: "ERP", kind: "erp", ownerTeam: "erp-team" },
    { key: "shop", name: "Shop", dependsOn: [{ system: "erp", strength: "hard" }] },
    { key: "pos", name: "Points of sale", dependsOn: [{ system: "shop", strength: "hard" }] },
    { key: "warehouse", name: "Warehouse", dependsOn: [{ system: "erp", strength: "soft" }] },
    { key: "archive", name: "Archive" },
    { key: "mail", name: "Mail" },
  ],
  integrations: [
    { key: "orders", name: "Orders", via: ["shop", "erp"] },
    { key: "invoices", name: "Invoices", via: ["erp"] },
    { key: "stock", name: "Stock levels", via: ["warehouse"] },
    { key: "tills", name: "Tills", via: ["pos"] },
    { key: "journal", name: "Journal", via: ["archive"] },
  ],
  jobs: [{ key: "orders-hourly", integration: "orders", schedule: { cron: "0 * * * *" } }],
};

const looks = [
  { language: "en", theme: "light", size: "desk" },
  { language: "es", theme: "dark", size: "phone" },
  { language: "en", theme: "dark", size: "phone" },
  { language: "es", theme: "light", size: "desk" },
] as const;

describe.skipIf(!isChromiumThere)("the topology", () => {
  let server: BrowserServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startBrowserServer({ workspace }), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  const arrive = async (path: string, ...args: Parameters<typeof openVisitor> extends [unknown, ...infer Rest] ? Rest : never) => {
    const visitor = await openVisitor(browser, ...args);
    await signIn(visitor.page, await server.signInLink());
    await visitor.page.goto(server.url + path);
    return visitor;
  };
  const leave = async ({ context, faults }: Visitor): Promise<void> => {
    expect(faults).toEqual([]);
    await context.close();
  };
  const heading = ({ page }: Visitor, text: string | RegExp) => page.getByRole("heading", { level: 1, name: text }).waitFor();
  const box = ({ page }: Visitor, name: RegExp) =>
    page.getByRole("group", { name: /^(Systems and what|Los sistemas y lo)/ }).getByRole("button", { name });

  it("is walked by keyboard: from box to box, and along the arrows in the words beside", async () => {
    const visitor = await arrive("/topology");
    const { page } = visitor;
    await box(visitor, /^ERP/).waitFor();
    await page.getByLabel("Look at a system").focus();
    const names: string[] = [];
    for (let step = 0; step < 6; step += 1) {
      await page.keyboard.press("Tab");
      names.push((await page.evaluate(() => document.activeElement?.textContent)) ?? "");
    }
    expect(names.map((name) => name.replace(/[^A-Za-z ].*$/, "")).toSorted()).toEqual(
      ["Archive", "ERP", "Mail", "Points of sale", "Shop", "Warehouse"].toSorted(),
    );
    await box(visitor, /^Shop/).focus();
    await page.keyboard.press("Enter");
    const panel = page.getByRole("region", { name: "Shop" });
    await panel.getByRole("button", { name: "ERP" }).waitFor();
    await panel.getByRole("button", { name: "Points of sale" }).waitFor();
    expect(new URL(page.url()).searchParams.get("system")).toBe("shop");
    await expectAccessible(page);
    await panel.getByRole("button", { name: "ERP" }).focus();
    await page.keyboard.press("Enter");
    const erp = page.getByRole("region", { name: "ERP" });
    await erp.getByText("(can do without)").waitFor();
    await erp.getByRole("link", { name: "2 integrations" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("2 of 5 are shown.").waitFor();
    await leave(visitor);
  });

  it("draws an arrow from what needs to what is needed", async () => {
    const visitor = await arrive("/topology");
    await box(visitor, /^ERP/).waitFor();
    const labels = () =>
      visitor.page.locator(".react-flow__edge").evaluateAll((edges) => edges.map((edge) => edge.getAttribute("aria-label")));
    await expect
      .poll(async () => (await labels()).toSorted((a, b) => (a ?? "").localeCompare(b ?? "")), { timeout: PATIENCE_MS })
      .toEqual(["Points of sale needs Shop", "Shop needs ERP", "Warehouse works less well without ERP"]);
    const left = async (name: RegExp) => (await box(visitor, name).boundingBox())?.x ?? Number.NaN;
    expect(await left(/^Points/)).toBeLessThan(await left(/^Shop/));
    expect(await left(/^Shop/)).toBeLessThan(await left(/^ERP/));
    await leave(visitor);
  });

  it("follows a window and a pause without a reload, in the drawing and in the table", async () => {
    const [drawing, table] = [await arrive("/topology?system=erp"), await arrive("/topology?view=table", { timeZone: "UTC" })];
    await heading(drawing, /^6 systems: none fails, none is held\.$/);
    const at = (afterMs: number) => new Date(Date.now() + afterMs).toISOString().slice(0, 19);
    const series = { start: at(1_000), end: at(3 * 3_600_000), timeZone: "UTC" };
    const input = { key: "erp-patch", title: "ERP patch", owner: "Erika Ruiz", reason: "new release", scope: { systems: ["erp"] }, series };
    await server.ask(createWindow, { input });
    await box(drawing, /^ERP.*quiet: work may begin$/).waitFor();
    await box(drawing, /^Shop.*held$/).waitFor();
    await box(drawing, /^Warehouse.*as always$/).waitFor();
    await drawing.page.getByRole("region", { name: "ERP" }).getByRole("link", { name: "ERP patch" }).waitFor();
    await heading(drawing, /work may begin on 1\.$/);
    const row = (name: string) => table.page.getByRole("row").filter({ has: table.page.getByRole("rowheader", { name, exact: true }) });
    await row("ERP").getByText("quiet: work may begin").waitFor();
    await row("Points of sale").getByText("held").waitFor();
    await picture(drawing.page, "topology-quiesced-en-light-desk");
    await picture(table.page, "topology-table-en-light-desk");
    await expectAccessible(drawing.page);
    await expectAccessible(table.page);
    await server.ask(endWindow, { input: { key: "erp-patch", reason: "done early" } });
    await box(drawing, /^ERP.*as always$/).waitFor();
    const { pause: hold } = await server.ask<{ readonly pause: { readonly id: string } }>(pause, { scope: { systems: ["archive"] } });
    await box(drawing, /^Archive.*held$/).waitFor();
    await row("Archive").getByText("held").waitFor();
    await server.ask(letGo, { hold: hold.id });
    await box(drawing, /^Archive.*as always$/).waitFor();
    await leave(drawing);
    await leave(table);
  });

  it.each(looks)("is complete and accessible in $language, $theme, on a $size", async ({ language, theme, size }) => {
    const { pause: hold } = await server.ask<{ readonly pause: { readonly id: string } }>(pause, { scope: { systems: ["shop"] } });
    const visitor = await arrive("/topology?system=shop", { language, theme, size });
    const { page } = visitor;
    await box(visitor, language === "en" ? /^Shop.*held$/ : /^Shop.*retenido$/).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await picture(page, `topology-${language}-${theme}-${size}`);
    const drawing = await page.locator(".react-flow").boundingBox();
    const zoom = await page.locator(".react-flow__controls").boundingBox();
    expect((drawing?.y ?? 0) + (drawing?.height ?? 0)).toBeLessThanOrEqual(zoom?.y ?? 0);
    await page.goto(`${server.url}/topology?view=table`);
    await page.getByRole("rowheader", { name: "Warehouse" }).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await picture(page, `topology-table-${language}-${theme}-${size}`);
    await server.ask(letGo, { hold: hold.id });
    await leave(visitor);
  });
});
