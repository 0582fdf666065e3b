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

const pauseErp = `mutation ($reason: String!) { pause(input: { scope: { systems: ["erp"] }, reason: $reason }) { id key } }`;
const letGo = `mutation ($hold: ID!) { resume(input: { holdId: $hold, reason: "it is well again" }) { released { key } } }`;

const createWindow = `mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id key } }`;
const endWindow = `mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { id key } }`;

describe.skipIf(!isChromiumThere)("the page of what happens now", () => {
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
  const heading = ({ page }: Visitor, text: string | RegExp) => page.getByRole("heading", { level: 1, name: text }).waitFor();
  const pause = async (reason: string) => (await server.ask<{ readonly pause: { readonly id: string } }>(pauseErp, { reason })).pause.id;

  it("follows a pause and its end in two browsers without a reload", async () => {
    const [first, second] = [await arrive(), await arrive({ language: "es", theme: "dark" })];
    await Promise.all([heading(first, /^Nothing is held/), heading(second, /^No hay nada retenido/)]);
    const hold = await pause("the ERP answers nonsense");
    await Promise.all([heading(first, /2 integrations are held/), heading(second, /2 integraciones retenidas/)]);
    await server.ask(letGo, { hold });
    await Promise.all([heading(first, /^Nothing is held/), heading(second, /^No hay nada retenido/)]);
    await leave();
  });

  it("says when the connection is lost, and shows what happened meanwhile when it is back", async () => {
    const visitor = await arrive();
    await heading(visitor, /^Nothing is held/);
    server.wire.cut();
    await visitor.page.getByText(/Connection lost at \d\d:\d\d:\d\d\. You see that moment; reconnecting\./).waitFor();
    await picture(visitor.page, "now-lost");
    await expectAccessible(visitor.page);
    const hold = await pause("while nobody looked");
    server.wire.mend();
    await heading(visitor, /2 integrations are held/);
    await expect.poll(() => visitor.page.getByText("Connection lost").count(), { timeout: PATIENCE_MS }).toBe(0);
    await server.ask(letGo, { hold });
    await heading(visitor, /^Nothing is held/);
    await leave();
  });

  it("follows a window from drain to quiesced to its end, with its lane", async () => {
    const lease = await server.gate("invoices/enter", { leaseSeconds: 3_600 });
    const [visitor, wall] = [await arrive(), await arrive({ size: "wall", theme: "dark" })];
    await wall.page.goto(`${server.url}/?wall=true`);
    // A few seconds ahead, on the wall clock of UTC.
    const at = (afterMs: number) => new Date(Date.now() + afterMs).toISOString().slice(0, 19);
    const series = { start: at(3_000), end: at(3 * 3_600_000), timeZone: "UTC" };
    const input = { key: "erp-patch", title: "ERP patch", owner: "erp-team", reason: "new release", scope: { systems: ["erp"] }, series };
    await server.ask(createWindow, { input });
    for (const { page } of [visitor, wall]) await page.getByText(/ERP patch is draining: 1 run in flight/).waitFor();
    await picture(visitor.page, "now-draining");
    await server.gate(`runs/${String(lease["runId"])}/leave`, { leaseToken: lease["leaseToken"], outcome: "succeeded" });
    for (const { page } of [visitor, wall])
      await page.getByText(/ERP patch is quiet since .*Nothing in flight: work may begin\./).waitFor();
    await heading(visitor, /^1 window is open\. 2 integrations are held, work may begin on 1 system\.$/);
    await visitor.page.getByRole("link", { name: "ERP patch" }).waitFor();
    await picture(visitor.page, "now-quiesced");
    await picture(wall.page, "now-wall");
    await expectAccessible(visitor.page);
    await expectAccessible(wall.page);
    await server.ask(endWindow, { input: { key: "erp-patch", reason: "done early" } });
    await heading(visitor, /^Nothing is held/);
    await leave();
  });

  it.each([
    { language: "en", theme: "light", size: "desk" },
    { language: "es", theme: "dark", size: "desk" },
    { language: "en", theme: "dark", size: "phone" },
    { language: "es", theme: "light", size: "phone" },
  ] as const)("is complete and accessible in $language, $theme, on a $size", async (looks) => {
    const hold = await pause("the ERP answers nonsense");
    const visitor = await arrive(looks);
    const { page } = visitor;
    await heading(visitor, looks.language === "en" ? /2 integrations are held/ : /2 integraciones retenidas/);
    await page.getByRole("button", { name: /the ERP answers nonsense/ }).click();
    await page.getByRole("link", { name: "Orders to the ERP" }).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await picture(page, `now-${looks.language}-${looks.theme}-${looks.size}`);
    await server.ask(letGo, { hold });
    await leave();
  });
});
