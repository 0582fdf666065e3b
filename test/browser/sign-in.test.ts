import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLIENT_SECRET, type StartedProvider, startOidcProvider } from "../server/start-oidc-provider.js";
import { expectAccessible, isChromiumThere, openVisitor, picture, startChromium } from "./chromium.js";
import { type BrowserServer, startBrowserServer } from "./start-server.js";

describe.skipIf(!isChromiumThere)("signing in at an identity provider", () => {
  let server: BrowserServer;
  let browser: Browser;
  let provider: StartedProvider;

  beforeAll(async () => {
    provider = await startOidcProvider();
    const settings = () => ({
      QUIESCE_OIDC_ISSUER: provider.issuer,
      QUIESCE_OIDC_CLIENT_ID: "quiesce",
      QUIESCE_OIDC_CLIENT_SECRET: CLIENT_SECRET,
      QUIESCE_OIDC_SCOPES: "openid email groups",
      QUIESCE_OIDC_ROLE_CLAIM: "realm_access.groups",
      QUIESCE_OIDC_ROLES: "platform=admin",
      QUIESCE_OIDC_NAME_CLAIM: "email",
    });
    [server, browser] = await Promise.all([startBrowserServer({ settings }), startChromium()]);
    provider.register(`${server.url}/auth/oidc/callback`);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await provider?.stop();
  });

  it("leads there and back to the page that was wanted, as the person that the provider says", async () => {
    const { context, page, faults } = await openVisitor(browser);
    await page.goto(`${server.url}/windows?q=patch`);
    const button = page.getByRole("link", { name: /^Sign in at / });
    await button.waitFor();
    await expectAccessible(page);
    await picture(page, "sign-in-provider");
    await button.click();
    await page.getByRole("heading", { level: 1, name: "Windows" }).waitFor();
    expect(page.url()).toBe(`${server.url}/windows?q=patch`);
    await page.getByRole("button", { name: /^ada@example\.com/ }).waitFor();
    expect([...provider.faults, ...faults]).toEqual([]);
    await context.close();
  });

  it("says to whoever has no role here that it is so", async () => {
    provider.seat("eve");
    const { context, page } = await openVisitor(browser);
    await page.goto(`${server.url}/`);
    await page.getByRole("link", { name: /^Sign in at / }).click();
    await page.getByText("QSC_ACCESS_NO_ROLE").first().waitFor();
    await context.close();
  });
});
