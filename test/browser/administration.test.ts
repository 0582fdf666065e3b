import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSignInLink, signInAddress } from "../../packages/server/src/access/sign-in-links.js";
import { createToken } from "../../packages/server/src/access/tokens.js";
import { expectAccessible, isChromiumThere, openVisitor, PATIENCE_MS, picture, signIn, startChromium, type Visitor } from "./chromium.js";
import { type BrowserServer, browserWorkspace, startBrowserServer } from "./start-server.js";

const SECRET = "the-token-of-the-erp-that-nobody-sees";
const apply = `mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { __typename } }`;
/** The master key that `startBrowserServer` seals with: to the server an older one, which only opens. */
const OLD_KEY = Buffer.alloc(32, 7).toString("base64");
/** Under load a test may wait for many answers. */
const LONG_MS = 5 * PATIENCE_MS;

describe.skipIf(!isChromiumThere)("the pages of the administration", () => {
  let server: BrowserServer;
  let browser: Browser;
  let erp: Server;
  let folder: string;
  let visitors: Visitor[] = [];
  /** What the ERP answers to whoever asks how it is. */
  let status = 200;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "quiesce-list-"));
    const list = join(folder, "quiesce.connectors.json");
    await writeFile(list, JSON.stringify({ connectors: [{ package: "@acme/quiesce-connector-gone", alias: "acme-gone" }] }), {
      mode: 0o600,
    });
    erp = createServer((_request, response) => void response.writeHead(status, { "content-type": "application/json" }).end("{}"));
    await new Promise<void>((resolve) => erp.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(erp.address() as AddressInfo).port}`;
    const config = { baseUrl, checkPath: "/health", auth: { type: "bearer" }, streams: [{ name: "orders", path: "/orders", key: ["id"] }] };
    const endpoint = { system: "erp", connector: "http", config };
    const settings = () => ({ QUIESCE_CONNECTORS: list, QUIESCE_OTHER_MASTER_KEYS: OLD_KEY });
    const old = { ...endpoint, key: "erp-archive", name: "ERP archive", secrets: { token: { value: "sealed-long-ago" } } };
    const workspace = { ...browserWorkspace, endpoints: [old] };
    [server, browser] = await Promise.all([startBrowserServer({ workspace, settings }), startChromium()]);
    const endpoints = [{ ...endpoint, key: "erp-api", name: "ERP API", secrets: { token: { value: SECRET } } }];
    await server.ask(apply, { input: { document: JSON.stringify({ ...browserWorkspace, endpoints }) } });
  }, LONG_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await new Promise((resolve) => erp.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  const arrive = async (path: string, looks: Parameters<typeof openVisitor>[1] = {}): Promise<Page> => {
    const visitor = await openVisitor(browser, looks);
    visitors.push(visitor);
    await signIn(visitor.page, await server.signInLink());
    await go(visitor.page, path);
    return visitor.page;
  };
  const leave = async (): Promise<void> => {
    for (const { context, faults } of visitors) {
      expect(faults).toEqual([]);
      await context.close();
    }
    visitors = [];
  };
  const go = async (page: Page, path: string) => {
    await page.goto(`${server.url}/administration${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
  };
  const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();
  /** Opens the dialog of a button, fills in its fields, and presses the button of the same name. */
  const confirm = async (page: Page, button: string, fields: { readonly [label: string]: string } = {}, name = button) => {
    await page.getByRole("button", { name, exact: true }).click();
    const dialog = page.getByRole("dialog");
    for (const [label, text] of Object.entries(fields)) await dialog.getByLabel(label, { exact: true }).fill(text);
    await dialog.getByRole("button", { name: button, exact: true }).click();
  };
  /** Opens a choice by keyboard and takes an entry. */
  const choose = async (page: Page, dialog: Locator, label: RegExp, option: string) => {
    await dialog.getByRole("button", { name: label }).press("Enter");
    await page.getByRole("option", { name: option, exact: true }).click();
  };
  const gone = (page: Page) => page.getByRole("dialog").waitFor({ state: "detached" });

  it("says which connectors are loaded, which are not and why, and who uses them", { timeout: LONG_MS }, async () => {
    const page = await arrive("/connectors");
    await heading(page, /^\d+ connectors are loaded, 1 has failed\.$/);
    const failed = page.getByRole("listitem").filter({ hasText: "acme-gone" });
    await failed.getByText("Failed").waitFor();
    await failed
      .getByText(/quiesce-connector-gone/)
      .first()
      .waitFor();
    await page.getByRole("listitem").filter({ hasText: "comes with Quiesce" }).getByRole("link", { name: "ERP API" }).waitFor();
    await expectAccessible(page);
    await picture(page, "administration-connectors");
    await confirm(page, "Read the list again");
    await gone(page);
    await leave();
  });

  it("checks an endpoint now, and shows its secrets by their fingerprints alone", { timeout: LONG_MS }, async () => {
    const page = await arrive("/endpoints");
    await page.getByRole("link", { name: "ERP API" }).click();
    await heading(page, "ERP API, a way to ERP");
    await page.getByText("A check asks the system now").waitFor();
    await page.getByRole("button", { name: "Check now" }).click();
    await page.getByText("It answers, and accepts our credentials.").waitFor();
    status = 503;
    await page.getByRole("button", { name: "Check now" }).click();
    await page.getByText("It did not answer as it should.").waitFor();
    status = 200;
    await expectAccessible(page);
    await picture(page, "administration-endpoint");
    expect(await page.content()).not.toContain(SECRET);
    // New values are tested and sealed; the page forgets them with the dialog.
    await confirm(page, "Hand in values", { token: "another-token-of-the-erp" });
    await gone(page);
    await page.getByText(/with new values by /).waitFor();
    expect(await page.content()).not.toContain("another-token-of-the-erp");
    await leave();
  });

  it("filters endpoints by connector, in the address", { timeout: LONG_MS }, async () => {
    const page = await arrive("/endpoints?connector=postgres");
    await page.getByText("No endpoint fits.").waitFor();
    await page.getByRole("searchbox", { name: "Connector" }).fill("http");
    await page.getByRole("link", { name: "ERP API" }).waitFor();
    expect(new URL(page.url()).searchParams.get("connector")).toBe("http");
    await leave();
  });

  it("issues a token whose secret is shown once and works, and revokes it", { timeout: LONG_MS }, async () => {
    const page = await arrive("/tokens");
    await page.getByRole("button", { name: "New token" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("nightly-report");
    await dialog.getByRole("button", { name: "Add role" }).click();
    await dialog.getByText("viewer everywhere").waitFor();
    await expectAccessible(page);
    await picture(page, "administration-new-token");
    await dialog.getByRole("button", { name: "New token" }).click();
    await gone(page);
    const section = page.getByRole("region", { name: "The secret of nightly-report" });
    const secret = (await section.locator("code").textContent()) ?? "";
    expect(secret).toMatch(/^qsc_/);
    const ask = async () => {
      const response = await fetch(`${server.app.url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
        body: JSON.stringify({ query: "{ me { name } }" }),
      });
      return ((await response.json()) as { readonly data?: { readonly me: { readonly name: string } } }).data?.me.name ?? null;
    };
    expect(await ask()).toBe("nightly-report");
    await section.getByRole("button", { name: "I have kept it" }).click();
    await section.waitFor({ state: "detached" });
    expect(await page.content()).not.toContain(secret);
    await page.reload();
    await page.getByText("nightly-report", { exact: true }).waitFor();
    expect(await page.content()).not.toContain(secret);
    await confirm(page, "Revoke", { Reason: "not needed" }, "Revoke nightly-report");
    await gone(page);
    await page
      .getByRole("listitem")
      .filter({ hasText: "nightly-report" })
      .getByText(/Revoked \S*\d/)
      .waitFor();
    expect(await ask()).toBeNull();
    await leave();
  });

  it("makes a program, says who answers for it, disables it and lets it in again", { timeout: LONG_MS }, async () => {
    const page = await arrive("/accounts");
    await confirm(page, "New program", { "Name of the program": "robot", "Team or person that answers for it": "sales-team" });
    await gone(page);
    const line = page.getByRole("listitem").filter({ hasText: "robot" });
    await line.getByText("sales-team answers for it").waitFor();
    await confirm(page, "Disable", { Reason: "odd requests" }, "Disable robot");
    await gone(page);
    await line.getByText(/Disabled since/).waitFor();
    await confirm(page, "Enable", { Reason: "explained" }, "Enable robot");
    await gone(page);
    await line.getByRole("button", { name: "Disable robot" }).waitFor();
    await expectAccessible(page);
    await picture(page, "administration-accounts");
    await leave();
  });

  it(
    "reviews access: starts, decides on what is marked, refuses to close over what is open, and closes",
    { timeout: LONG_MS },
    async () => {
      await createToken(server.context, { name: "old-import", role: "operator" });
      const page = await arrive("/reviews");
      await confirm(page, "Start a review", { "What it is for": "Access, 4th quarter" });
      await heading(page, /^Access, 4th quarter: \d+ of \d+ items to decide$/);
      const key = new URL(page.url()).pathname.split("/").at(-1) ?? "";
      // Nobody decides on their own access: that is done by somebody else beforehand.
      const { accessReview } = await server.ask<{ readonly accessReview: { readonly items: { readonly nodes: readonly Item[] } } }>(
        `query ($key: String!) { accessReview(key: $key) { items(first: 200) { nodes { key account token } } } }`,
        { key },
      );
      interface Item {
        readonly key: string;
        readonly account: string;
        readonly token: string | null;
      }
      const me = await page.evaluate(async () => {
        const body = JSON.stringify({ query: "{ me { name } }" });
        const response = await fetch("/graphql", { method: "POST", headers: { "content-type": "application/json" }, body });
        return ((await response.json()) as { readonly data: { readonly me: { readonly name: string } } }).data.me.name;
      });
      const own = accessReview.items.nodes.filter(({ account }) => account === me).map((item) => item.key);
      await page.getByRole("checkbox", { name: "old-import of old-import" }).click({ force: true });
      await page.getByText("1 item marked").waitFor();
      await confirm(page, "Revoke at the close", { Reason: "nobody uses it" });
      await gone(page);
      await page.getByRole("listitem").filter({ hasText: "old-import of old-import" }).getByText("Revoked at the close").waitFor();
      await expectAccessible(page);
      await picture(page, "administration-review");
      await confirm(page, "Close the review", { Reason: "all looked at" });
      await page
        .getByRole("dialog")
        .getByText(/items? of review \d+ (?:is|are) undecided|are undecided/)
        .first()
        .waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Keep as it is" }).click();
      await gone(page);
      await server.ask(`mutation ($input: DecideAccessInput!) { decideAccess(input: $input) { key } }`, {
        input: { review: key, items: own, decision: "KEEP", reason: "they answer for it" },
      });
      await page.getByRole("button", { name: "Close the review", exact: true }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: /What nobody has decided on/ }).click();
      await page.getByRole("option", { name: "stays" }).click();
      await dialog.getByLabel("Reason", { exact: true }).fill("all looked at");
      await dialog.getByRole("button", { name: "Close the review" }).click();
      await gone(page);
      await page.getByText(/Closed .* by /).waitFor();
      await page.getByText(/SHA-256/).waitFor();
      await page.getByRole("listitem").filter({ hasText: "old-import of old-import" }).getByText("It was revoked.").waitFor();
      await leave();
    },
  );

  it("narrows what a token may do: named in a review, and in force when that is closed", { timeout: LONG_MS }, async () => {
    const { secret } = await createToken(server.context, { name: "wide-import", role: "operator" });
    const grantsOf = async () => {
      const { tokens } = await server.ask<{ readonly tokens: { readonly nodes: readonly NarrowedToken[] } }>(
        `{ tokens(first: 200) { nodes { name grants { role scope { kind name } } } } }`,
      );
      return tokens.nodes.find(({ name }) => name === "wide-import")?.grants;
    };
    interface NarrowedToken {
      readonly name: string;
      readonly grants: readonly { readonly role: string; readonly scope: { readonly kind: string; readonly name: string | null } }[];
    }
    const page = await arrive("/reviews");
    await confirm(page, "Start a review", { "What it is for": "Wide tokens" });
    await heading(page, /^Wide tokens: /);
    await page.getByRole("checkbox", { name: "wide-import of wide-import" }).press("Space");
    await page.getByText("1 item marked").waitFor();
    await page.getByRole("button", { name: "Narrow", exact: true }).press("Enter");
    const dialog = page.getByRole("dialog");
    // Whoever names nothing gives what was suggested; here the role and the place are named, by keyboard.
    await choose(page, dialog, /Where/, "for a system");
    await dialog.getByLabel("Which", { exact: true }).fill("erp");
    await dialog.getByRole("button", { name: "Add role" }).press("Enter");
    await dialog.getByText("viewer for the system erp").waitFor();
    await dialog.getByLabel("Reason", { exact: true }).fill("it only reads the ERP");
    await expectAccessible(page);
    await picture(page, "administration-narrow");
    await dialog.getByRole("button", { name: "Narrow", exact: true }).press("Enter");
    await gone(page);
    const item = page.getByRole("listitem").filter({ hasText: "wide-import of wide-import" });
    await item.getByText(/Narrowed$/).waitFor();
    // Before the close nothing has changed.
    expect((await grantsOf())?.map(({ role }) => role)).toEqual(["OPERATOR"]);
    // Nobody decides on their own access: that is done by somebody else beforehand.
    const key = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    const { accessReview } = await server.ask<{
      readonly accessReview: { readonly items: { readonly nodes: readonly { readonly key: string; readonly account: string }[] } };
    }>(`query ($key: String!) { accessReview(key: $key) { items(first: 200) { nodes { key account } } } }`, { key });
    const own = accessReview.items.nodes.filter(({ account }) => account === "admin").map((one) => one.key);
    await server.ask(`mutation ($input: DecideAccessInput!) { decideAccess(input: $input) { key } }`, {
      input: { review: key, items: own, decision: "KEEP", reason: "they answer for it" },
    });
    await page.getByRole("button", { name: "Close the review", exact: true }).press("Enter");
    await choose(page, dialog, /What nobody has decided on/, "stays");
    await dialog.getByLabel("Reason", { exact: true }).fill("all looked at");
    await dialog.getByRole("button", { name: "Close the review" }).press("Enter");
    await gone(page);
    await item.getByText("It was narrowed.").waitFor();
    expect(await grantsOf()).toEqual([{ role: "VIEWER", scope: { kind: "SYSTEM", name: "erp" } }]);
    // The server takes it at its word: what it could do an hour ago is refused.
    const response = await fetch(`${server.app.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
      body: JSON.stringify({ query: `mutation { pause(input: { scope: { systems: ["erp"] }, reason: "r" }) { id } }` }),
    });
    expect(JSON.stringify(await response.json())).toContain("QSC_ACCESS_DENIED");
    await leave();
  });

  it("ends the session of somebody else, who has to sign in again", { timeout: LONG_MS }, async () => {
    const page = await arrive("/accounts");
    const grants = [{ role: "operator", scope: { kind: "all" } }] as const;
    const { secret } = await createSignInLink(server.context, { name: "Ana Ruiz", grants });
    const visitor = await openVisitor(browser);
    visitors.push(visitor);
    await signIn(visitor.page, signInAddress(server.url, secret));
    const sessions = async () => {
      const { principals } = await server.ask<{
        readonly principals: {
          readonly nodes: readonly { readonly name: string; readonly sessions: readonly { readonly key: string }[] }[];
        };
      }>(`{ principals(first: 200) { nodes { name sessions { key } } } }`);
      return principals.nodes.find(({ name }) => name === "Ana Ruiz")?.sessions.length;
    };
    expect(await sessions()).toBe(1);
    await page.reload();
    const line = page.getByRole("listitem").filter({ hasText: "Ana Ruiz" });
    await line.getByRole("button", { name: /^End the session of Ana Ruiz/ }).press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("End the session of Ana Ruiz?").waitFor();
    await dialog.getByRole("button", { name: "End session" }).press("Enter");
    await gone(page);
    await line.getByRole("button", { name: /^End the session of Ana Ruiz/ }).waitFor({ state: "detached" });
    expect(await sessions()).toBe(0);
    await visitor.page.reload();
    await visitor.page.getByLabel(/API token/).waitFor();
    await leave();
  });

  it("says who answers for a program, and changes that", { timeout: LONG_MS }, async () => {
    const page = await arrive("/accounts");
    await confirm(page, "New program", { "Name of the program": "importer", "Team or person that answers for it": "sales-team" });
    await gone(page);
    const line = page.getByRole("listitem").filter({ hasText: "importer" }).filter({ hasText: "sales-team" });
    await line.waitFor();
    await page.getByRole("button", { name: "Who answers for importer" }).press("Enter");
    await page.getByRole("dialog").getByLabel("Team or person that answers for it").fill("finance");
    await page.getByRole("dialog").getByRole("button", { name: "Who answers" }).press("Enter");
    await gone(page);
    await page.getByText("finance answers for it").waitFor();
    const { principals } = await server.ask<{
      readonly principals: { readonly nodes: readonly { readonly name: string; readonly owner: string | null }[] };
    }>(`{ principals(first: 200) { nodes { name owner } } }`);
    expect(principals.nodes.find(({ name }) => name === "importer")?.owner).toBe("finance");
    await leave();
  });

  it(
    "finds entries of the audit trail, page by page, and says where the first is that somebody changed",
    { timeout: LONG_MS },
    async () => {
      for (let number = 0; number < 55; number += 1) await createToken(server.context, { name: `made-${number}`, role: "viewer" });
      const { sql } = server.app.database;
      await expect
        .poll(async () => (await sql`select count(*)::integer as n from audit_entry where position is null`)[0]?.["n"], {
          timeout: PATIENCE_MS,
        })
        .toBe(0);
      const page = await arrive("/audit?action=token.create");
      const entries = page.getByRole("list", { name: "Entries" });
      await expect.poll(() => entries.locator("> li").count(), { timeout: PATIENCE_MS }).toBe(50);
      const newest = await entries.locator("> li").first().textContent();
      await page.getByRole("button", { name: "Next page" }).click();
      await expect.poll(() => entries.locator("> li").first().textContent(), { timeout: PATIENCE_MS }).not.toBe(newest);
      await page.getByRole("button", { name: "Verify the chain" }).click();
      await page.getByText(/Whole: \d+ entries checked/).waitFor();
      await expectAccessible(page);
      await picture(page, "administration-audit");
      const [changed] = await sql`select position from audit_entry where action = 'token.create' order by position limit 1`;
      // As somebody would who owns the database: the table itself refuses changes.
      await sql.begin(async (tx) => {
        await tx`set local session_replication_role = replica`;
        await tx`update audit_entry set action = 'token.nothing' where position = ${changed?.["position"]}`;
      });
      await page.getByRole("button", { name: "Verify the chain" }).click();
      await page.getByText(new RegExp(`Broken at position ${String(changed?.["position"])}, entry \\d+`)).waitFor();
      await picture(page, "administration-audit-broken");
      await leave();
    },
  );

  it("switches the deployment to observe and back, and says for how long things are kept", { timeout: LONG_MS }, async () => {
    const page = await arrive("/deployment");
    await heading(page, /^Windows hold/);
    await confirm(page, "Only observe", { Reason: "trying it out" });
    await heading(page, /^Nothing is held anywhere/);
    await confirm(page, "Hold again", { Reason: "seen it" });
    await heading(page, /^Windows hold/);
    await confirm(page, "Change retention", { "Runs and ledger are kept (days)": "12", Reason: "less" });
    await page.getByRole("dialog").getByRole("alert").waitFor();
    await page.getByRole("dialog").getByLabel("Runs and ledger are kept (days)").fill("400");
    await page.getByRole("dialog").getByRole("button", { name: "Change retention" }).click();
    await gone(page);
    await page.getByText("400 days", { exact: true }).waitFor();
    await expectAccessible(page);
    await picture(page, "administration-deployment");
    await leave();
  });

  it("begins a renewal of secrets, which waits for somebody, and stops it", { timeout: LONG_MS }, async () => {
    const rotations = async () => {
      const query = `{ credentialRotations(endpoint: "erp-archive") { nodes { state reason trigger } } endpoint(key: "erp-archive") { credential { rotating } } }`;
      const { credentialRotations, endpoint } = await server.ask<{
        readonly credentialRotations: { readonly nodes: readonly { readonly state: string; readonly reason: string | null }[] };
        readonly endpoint: { readonly credential: { readonly rotating: boolean } | null };
      }>(query);
      return { nodes: credentialRotations.nodes, isRotating: endpoint.credential?.rotating };
    };
    const page = await arrive("/endpoints/erp-archive");
    await page.getByRole("button", { name: "Renew secrets", exact: true }).press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("yearly");
    await dialog.getByRole("button", { name: "Renew secrets" }).press("Enter");
    await gone(page);
    // A token that a person was given cannot be asked for: new values are waited for.
    await page.getByText("Waits for new values").waitFor();
    expect(await rotations()).toMatchObject({ isRotating: true, nodes: [{ state: "AWAITING", reason: "yearly", trigger: "MANUAL" }] });
    await expectAccessible(page);
    await picture(page, "administration-renewal");
    await page.getByRole("button", { name: "Stop the renewal", exact: true }).press("Enter");
    await dialog.getByRole("button", { name: "Stop the renewal" }).press("Enter");
    await dialog.getByText("This is needed.").waitFor();
    await dialog.getByLabel("Reason", { exact: true }).fill("asked by mistake");
    await dialog.getByRole("button", { name: "Stop the renewal" }).press("Enter");
    await gone(page);
    await page.getByRole("button", { name: "Renew secrets", exact: true }).waitFor();
    const after = await rotations();
    expect(after.isRotating).toBe(false);
    expect(after.nodes.map(({ state }) => state)).toEqual(["FAILED"]);
    await leave();
  });

  it("seals with the current master key what an older one has sealed", { timeout: LONG_MS }, async () => {
    const keys = async () =>
      (
        await server.ask<{ readonly masterKey: { readonly current: string; readonly remaining: number } }>(
          `{ masterKey { current remaining } }`,
        )
      ).masterKey;
    const before = await keys();
    expect(before.remaining).toBeGreaterThan(0);
    const page = await arrive("/deployment");
    await page.getByText(new RegExp(`^${before.current} seals\\. `)).waitFor();
    await page.getByRole("button", { name: "Seal with the current key", exact: true }).press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/(?:is|are) sealed again\. When none is left, the other keys can be thrown away\./).waitFor();
    await dialog.getByRole("textbox").fill("the yearly change");
    await dialog.getByRole("button", { name: "Seal with the current key" }).press("Enter");
    await gone(page);
    await page.getByText("Nothing is sealed by another one.", { exact: false }).waitFor();
    await page.getByRole("button", { name: "Seal with the current key" }).waitFor({ state: "detached" });
    expect((await keys()).remaining).toBe(0);
    const [entry] = await server.app.database.sql`select reason from audit_entry where action = 'control.master-key-rotated'`;
    expect(entry?.["reason"]).toBe("the yearly change");
    await expectAccessible(page);
    await leave();
  });

  it("lets dispatch go on after the clock jumped, when somebody says that it can be trusted", { timeout: LONG_MS }, async () => {
    const { sql } = server.app.database;
    const step = async () =>
      (await server.ask<{ readonly control: { readonly clockStep: object | null } }>(`{ control { clockStep { byMs server } } }`)).control
        .clockStep;
    await sql`update control set clock_stepped_at = app_now(), clock_step = '{"byMs": 7200000, "server": "node-a"}'`;
    const page = await arrive("/deployment");
    await page.getByText(/The database’s clock jumped by 2 h .* seen by node-a/).waitFor();
    await expectAccessible(page);
    await picture(page, "administration-clock");
    await page.getByRole("button", { name: "The clock can be trusted" }).press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason", { exact: true }).fill("looked at the machine");
    await dialog.getByRole("button", { name: "The clock can be trusted" }).press("Enter");
    await gone(page);
    await page.getByRole("button", { name: "The clock can be trusted" }).waitFor({ state: "detached" });
    expect(await step()).toBeNull();
    await leave();
  });

  it("tells whoever may not look what is missing, in the language of the page", { timeout: LONG_MS }, async () => {
    const { secret } = await createToken(server.context, { name: "lobby", role: "viewer" });
    const visitor = await openVisitor(browser, { language: "es" });
    visitors.push(visitor);
    const { page } = visitor;
    await page.goto(`${server.url}/administration/tokens`);
    await page.getByLabel("O con un token de API").fill(secret);
    await page.getByRole("button", { name: "Entrar con el token" }).click();
    await page.getByText("QSC_ACCESS_DENIED").waitFor();
    await picture(page, "administration-denied");
    await page.getByText("Su cuenta no tiene un rol que permita esto aquí.", { exact: false }).waitFor();
    await expectAccessible(page);
    await leave();
  });
});
