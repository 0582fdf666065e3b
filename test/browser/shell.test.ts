import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../packages/server/src/access/tokens.js";
import {
  expectAccessible,
  expectNoSidewaysScroll,
  isChromiumThere,
  openVisitor,
  picture,
  signIn,
  startChromium,
  type Visitor,
} from "./chromium.js";
import { type BrowserServer, startBrowserServer } from "./start-server.js";

describe.skipIf(!isChromiumThere)("the shell of the dashboard", () => {
  let server: BrowserServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startBrowserServer(), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  const title = ({ page }: Visitor, name: string | RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();
  const leave = async ({ context, faults }: Visitor) => {
    expect(faults).toEqual([]);
    await context.close();
  };

  it.each([
    { language: "en", theme: "light", heading: "Sign in", button: "Sign in with the token", field: "Or with an API token" },
    { language: "es", theme: "dark", heading: "Iniciar sesión", button: "Entrar con el token", field: "O con un token de API" },
  ] as const)("asks a stranger to sign in, and takes a token, in $language", async ({ language, theme, heading, button, field }) => {
    const { secret } = await createToken(server.context, { name: `screen-${language}`, role: "viewer" });
    const visitor = await openVisitor(browser, { language, theme, size: language === "en" ? "desk" : "phone" });
    const { page } = visitor;
    await page.goto(`${server.url}/?wall=true`);
    await title(visitor, heading);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await picture(page, `sign-in-${language}-${theme}`);
    await page.getByLabel(field).fill("qsc_nobody");
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel(field).fill(secret);
    await page.getByRole("button", { name: button }).click();
    await title(visitor, language === "en" ? /^Nothing is held/ : /^No hay nada retenido/);
    expect(new URL(page.url()).search).toBe("?wall=true");
    await leave(visitor);
  });

  it("is used by keyboard alone: the search, the menu of the person, another language, colours, and the way out", async () => {
    const visitor = await openVisitor(browser);
    const { page } = visitor;
    await signIn(page, await server.signInLink());
    await title(visitor, /^Nothing is held/);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    await page.keyboard.press("Control+k");
    await page.getByRole("searchbox").waitFor();
    await page.keyboard.type("invoi");
    await page.getByRole("menuitem", { name: "Invoices" }).waitFor();
    await expectAccessible(page);
    await picture(page, "search-en-light");
    // The first empties the field, the second closes.
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("searchbox").inputValue(), { timeout: 60_000 }).toBe("");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count(), { timeout: 60_000 }).toBe(0);
    const person = page.getByRole("button", { name: /^admin/ });
    await person.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menu").waitFor();
    await expectAccessible(page);
    await picture(page, "person-en-light");
    await choose(visitor, "Español");
    await title(visitor, /^No hay nada retenido/);
    await page.keyboard.press("Escape");
    await person.focus();
    await page.keyboard.press("Enter");
    await choose(visitor, "Oscuro");
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset["theme"]), { timeout: 60_000 }).toBe("dark");
    await page.keyboard.press("Escape");
    await page.reload();
    await title(visitor, /^No hay nada retenido/);
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
    await person.focus();
    await page.keyboard.press("Enter");
    await choose(visitor, "Cerrar sesión");
    await title(visitor, "Iniciar sesión");
    await leave(visitor);
  });

  it("has words for an address that is nobody's", async () => {
    const visitor = await openVisitor(browser);
    await signIn(visitor.page, await server.signInLink());
    await visitor.page.goto(`${server.url}/nowhere/at/all`);
    await title(visitor, "There is no such page");
    await expectAccessible(visitor.page);
    await leave(visitor);
  });

  it("shows on a phone where in the menu somebody is, also after going elsewhere", async () => {
    const visitor = await openVisitor(browser, { size: "phone", language: "es" });
    const { page } = visitor;
    await signIn(page, await server.signInLink());
    const menu = page.getByRole("navigation", { name: "Main menu" }).or(page.getByRole("navigation", { name: "Menú principal" }));
    /** How much of the active place lies beyond the menu's edges, px. */
    const hidden = () =>
      menu.evaluate((nav) => {
        const [frame, active] = [nav.getBoundingClientRect(), nav.querySelector('[aria-current="page"]')?.getBoundingClientRect()];
        return active === undefined ? 1e6 : Math.max(0, frame.left - active.left) + Math.max(0, active.right - frame.right);
      });
    const isAt = async (place: string) => {
      await menu.locator('[aria-current="page"]', { hasText: place }).waitFor();
      await expect.poll(hidden, { timeout: 60_000 }).toBeLessThan(1);
    };
    await page.goto(`${server.url}/administration/audit`);
    await isAt("Administración");
    await picture(page, "menu-es-light-phone");
    // Elsewhere by the page's own links: the menu goes along.
    await page.getByRole("link", { name: "Quiesce", exact: true }).click();
    await isAt("Ahora");
    // Pages whose addresses say nothing of their place belong to one as well, and to one alone.
    for (const [path, place] of [
      ["/alerts", "Incidentes"],
      ["/plan", "Ventanas"],
      ["/calendar", "Ventanas"],
    ] as const) {
      await page.goto(`${server.url}${path}`);
      await isAt(place);
      expect(await menu.locator('[aria-current="page"]').count()).toBe(1);
    }
    await page.goto(`${server.url}/kpis`);
    await isAt("Niveles de servicio");
    await leave(visitor);
  });

  it("shows the sign-in page to whoever's session has ended meanwhile", async () => {
    const visitor = await openVisitor(browser);
    await signIn(visitor.page, await server.signInLink());
    await title(visitor, /^Nothing is held/);
    await server.app.database.sql`update session set ended_at = app_now()`;
    await title(visitor, "Sign in");
    await leave(visitor);
  });
});

/** Walks down an open menu to an entry and chooses it. */
async function choose({ page }: Visitor, name: string): Promise<void> {
  for (let step = 0; step < 12; step += 1) {
    if ((await page.evaluate(() => document.activeElement?.textContent))?.trim() === name) return page.keyboard.press("Enter");
    await page.keyboard.press("ArrowDown");
  }
  throw new Error(`The menu has no "${name}".`);
}
