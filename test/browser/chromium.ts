import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

/** Debian's, as test/systems/install-debian.sh installs it. */
const CHROMIUM = "/usr/bin/chromium";
/** Pictures of what was seen, kept as artefacts; git ignores the folder. */
const OUTPUT = fileURLToPath(new URL("../../test-output/browser/", import.meta.url));

/** The machine may be loaded fifteen times over. */
export const PATIENCE_MS = 60_000;

export const isChromiumThere = existsSync(CHROMIUM);
if (!isChromiumThere) {
  const what = `The tests in a browser need ${CHROMIUM} (test/systems/install-debian.sh installs it).`;
  if (process.env["CI"] === "true") throw new Error(what);
  console.log(`Skipped: ${what}`);
}

export function startChromium(): Promise<Browser> {
  const args = ["--disable-dev-shm-usage", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

/** How somebody looks at the page. */
export interface Looks {
  readonly language?: "en" | "es";
  readonly theme?: "light" | "dark";
  readonly size?: keyof typeof sizes;
  /** The zone of the reader. */
  readonly timeZone?: string;
}

const sizes = { desk: { width: 1_280, height: 860 }, phone: { width: 390, height: 844 }, wall: { width: 1_920, height: 1_080 } };

/** A browser of somebody's own: no cookies, and every fault of the page ends the test that calls `faults`. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page itself complained about: exceptions, refusals of its content policy. */
  readonly faults: readonly string[];
}

export async function openVisitor(
  browser: Browser,
  { language = "en", theme = "light", size = "desk", timeZone = "Europe/Madrid" }: Looks = {},
): Promise<Visitor> {
  const context = await browser.newContext({
    locale: language === "es" ? "es-ES" : "en-GB",
    colorScheme: theme,
    viewport: sizes[size],
    timezoneId: timeZone,
    hasTouch: size === "phone",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // A refused request is told by the page itself, in words.
    if (
      message.type() === "error" &&
      !message.text().startsWith("Failed to load resource") &&
      !message.text().includes("WebSocket connection")
    )
      faults.push(message.text());
  });
  return { context, page, faults };
}

/** Opens a sign-in link, presses its button, and waits for the page. */
export async function signIn(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation").first().waitFor();
}

/** Keeps a picture of the whole page by a name as now-es-dark-phone. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(OUTPUT, { recursive: true });
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage: true });
}

/** No violation of WCAG 2.2 AA or of axe's best practices. Looked at from the top: what has been scrolled under the heading of the page is not hidden for good. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(() => scrollTo(0, 0));
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
  );
  expect(found).toEqual([]);
}

/** The page is no wider than its window: nobody scrolls sideways to read. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const overhang = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overhang).toBeLessThanOrEqual(0);
}
