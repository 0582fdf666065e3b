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

const SECRET = "secret-of-the-webhook";

/** The shop needs the ERP; a monitor watches both, and the printer, which nothing depends on. */
const workspace = {
  quiesce: 1,
  teams: [
    { key: "erp-team", title: "ERP team" },
    { key: "network", title: "Network" },
  ],
  systems: [
    { key: "monitoring" },
    { key: "erp", name: "ERP", ownerTeam: "erp-team", monitoredBy: [{ endpoint: "alertmanager", resources: ["erp"] }] },
    {
      key: "shop",
      name: "Shop",
      dependsOn: [{ system: "erp" }],
      monitoredBy: [{ endpoint: "alertmanager", resources: ["shop"] }],
    },
    {
      key: "printer",
      name: "Printer",
      ownerTeam: "erp-team",
      monitoredBy: [{ endpoint: "alertmanager", resources: ["printer", "toner"] }],
    },
    { key: "archive", name: "Archive", monitoredBy: [{ endpoint: "alertmanager", resources: ["archive"] }] },
  ],
  endpoints: [
    {
      key: "alertmanager",
      name: "Alertmanager",
      system: "monitoring",
      connector: "alertmanager",
      config: { url: "https://alerts.example.com", resourceLabel: "system" },
      secrets: { webhookSecret: { value: SECRET } },
    },
  ],
};

const applyWorkspace = `mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }`;
const incidentsQuery = `{ incidents(first: 50) { nodes { key root state ownerTeam alertCount mergedInto { key } } } }`;

interface StoredIncident {
  readonly key: string;
  readonly root: string;
  readonly state: string;
  readonly ownerTeam: string | null;
  readonly alertCount: number;
  readonly mergedInto: { readonly key: string } | null;
}

describe.skipIf(!isChromiumThere)("the pages of incidents", () => {
  let server: BrowserServer;
  let browser: Browser;
  let visitors: Visitor[] = [];

  beforeAll(async () => {
    [server, browser] = await Promise.all([startBrowserServer(), startChromium()]);
    await server.ask(applyWorkspace, { input: { document: JSON.stringify(workspace), reason: "a monitor" } });
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

  /** What a monitor sends: `name` is wrong with `system`, or no longer. */
  const says = async (system: string, name: string, more: { readonly status?: "firing" | "resolved"; readonly severity?: string } = {}) => {
    const { status = "firing", severity = "critical" } = more;
    const at = new Date();
    const alert = {
      status,
      fingerprint: `${system} ${name}`,
      labels: { alertname: name, system, severity },
      annotations: { summary: `${system} does not answer` },
      startsAt: started.get(`${system} ${name}`) ?? at.toISOString(),
      ...(status === "resolved" ? { endsAt: at.toISOString() } : {}),
    };
    started.set(`${system} ${name}`, alert.startsAt);
    const response = await fetch(`${server.app.url}/hooks/alertmanager`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${SECRET}` },
      body: JSON.stringify({ version: "4", alerts: [alert] }),
    });
    expect(response.status).toBe(202);
  };
  const started = new Map<string, string>();
  const stored = async () =>
    (await server.ask<{ readonly incidents: { readonly nodes: readonly StoredIncident[] } }>(incidentsQuery)).incidents.nodes;
  const liveAt = async (root: string) =>
    (await stored()).find((one) => one.root === root && !["CLOSED", "MERGED", "RESOLVED"].includes(one.state));
  /** The number of the incident with its root there, once it is open: half a minute after its first alert. */
  const opened = async (root: string): Promise<string> => {
    await expect.poll(async () => (await liveAt(root))?.key, { timeout: PATIENCE_MS * 2, interval: 500 }).toBeDefined();
    return (await liveAt(root))?.key ?? "";
  };

  it(
    "shows an outage in two browsers, from its root to its end, without a reload",
    async () => {
      const [first, second] = [await arrive(), await arrive({ language: "es", theme: "dark" })];
      await go(first.page, "/incidents");
      await heading(first.page, /^No open incident/);
      await expectAccessible(first.page);
      await picture(first.page, "incidents-none");
      await says("erp", "Down");
      await says("shop", "Slow", { severity: "warning" });
      // The list hears of it by itself.
      await first.page.getByRole("link", { name: /^Down: erp does not answer/ }).waitFor({ timeout: PATIENCE_MS * 2 });
      const key = await opened("erp");
      await expect.poll(async () => (await liveAt("erp"))?.alertCount, { timeout: PATIENCE_MS }).toBe(2);
      await first.page.getByRole("link", { name: /^Down: erp does not answer/ }).click();
      await Promise.all([
        heading(first.page, /^Down: erp does not answer, since .*3 integrations pass/),
        go(second.page, `/incidents/${key}`),
      ]);
      // The directed way of the symptom, the alerts by system, and what is quiet with its reason.
      const paths = first.page.getByRole("list", { name: "The ways by which symptoms lead to the root" });
      await expect.poll(async () => (await paths.innerText()).replaceAll(/\s+/g, " ")).toMatch(/Shop.*needs.*ERP/);
      const graph = first.page.getByRole("group", { name: "The probable root and what leads to it" });
      await graph.getByRole("button", { name: /^ERP root, 1 alert/ }).waitFor();
      await graph.getByRole("button", { name: /^Shop 1 alert/ }).waitFor();
      await first.page.getByRole("button", { name: /ERP root 1 alert/ }).waitFor();
      await first.page.getByText(/1 alert is a symptom of erp/).waitFor();
      await first.page.getByRole("button", { name: "Acknowledge" }).focus();
      await first.page.keyboard.press("Enter");
      await first.page.getByRole("button", { name: "Start work" }).waitFor();
      await second.page.getByRole("button", { name: "Empezar a trabajar" }).waitFor();
      await second.page.getByRole("button", { name: "Empezar a trabajar" }).click();
      await first.page.getByText("It is in progress.").first().waitFor();
      await first.page.getByRole("textbox", { name: "Note" }).fill("the disk is full");
      await first.page.getByRole("button", { name: "Add note" }).click();
      await second.page.getByText("the disk is full").waitFor();
      await expectAccessible(first.page);
      await picture(first.page, "incident-in-progress");
      // Alerts are on the timeline on demand alone.
      expect(await first.page.getByText("Alert: Down: erp does not answer").count()).toBe(0);
      await first.page.getByRole("switch", { name: "Show alerts and failed runs too" }).press("Space");
      await first.page.getByText("Alert: Down: erp does not answer").waitFor();
      // It fires: to resolve it all the same, somebody says why.
      await first.page.getByRole("button", { name: "Resolve", exact: true }).click();
      const dialog = first.page.getByRole("dialog");
      await dialog.getByText(/2 of its alerts still fire/).waitFor();
      await dialog.getByRole("button", { name: "Keep as it is" }).click();
      await says("shop", "Slow", { status: "resolved", severity: "warning" });
      await says("erp", "Down", { status: "resolved" });
      await Promise.all([heading(first.page, /: over\. It lasted/), heading(second.page, /: terminado\. Duró/)]);
      await picture(second.page, "incident-over-es");
      await second.page.getByRole("button", { name: "Cerrar", exact: true }).click();
      await first.page.getByText("It is closed.").first().waitFor();
      await leave();
    },
    PATIENCE_MS * 6,
  );

  it(
    "is transferred when the other team accepts, merged, and split again",
    async () => {
      await says("printer", "Paper");
      await says("printer", "Toner", { severity: "minor" });
      await says("archive", "Full");
      const [printer, archive] = [await opened("printer"), await opened("archive")];
      await expect.poll(async () => (await liveAt("printer"))?.alertCount, { timeout: PATIENCE_MS }).toBe(2);
      const { page } = await arrive();
      await go(page, `/incidents/${printer}`);
      await page.getByRole("button", { name: "Transfer" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("button", { name: /Team/ }).click();
      await page.getByRole("option", { name: "Network" }).click();
      await dialog.getByRole("textbox", { name: "Reason" }).fill("it is a cable");
      await dialog.getByRole("button", { name: "Transfer" }).click();
      const offer = page.getByRole("region", { name: "Offered to another team" });
      await offer.getByText(/offers it to network: it is a cable/).waitFor();
      expect((await liveAt("printer"))?.ownerTeam).toBe("erp-team");
      await expectAccessible(page);
      await picture(page, "incident-offered");
      await offer.getByRole("button", { name: "Accept for network" }).click();
      await offer.waitFor({ state: "detached" });
      expect((await liveAt("printer"))?.ownerTeam).toBe("network");
      // Merged into the archive's, which the page goes on to.
      await page.getByRole("button", { name: "Merge" }).click();
      await dialog.getByRole("button", { name: /Into/ }).click();
      await page.getByRole("option", { name: new RegExp(`^No\\. ${archive}:`) }).click();
      await dialog.getByRole("textbox", { name: "Reason" }).fill("one power supply");
      await dialog.getByRole("button", { name: "Merge" }).click();
      await heading(page, /^Full: archive does not answer/);
      await expect.poll(async () => (await stored()).find(({ key }) => key === printer)?.mergedInto?.key).toBe(archive);
      // Two of its three alerts are split off again, chosen by the keyboard.
      await page.getByRole("button", { name: /Printer/ }).press("Enter");
      for (const name of ["Paper", "Toner"]) await page.getByRole("checkbox", { name: new RegExp(`split off: ${name}`) }).press("Space");
      await page.getByRole("button", { name: "Split off 2 alerts" }).click();
      await dialog.getByRole("textbox", { name: "Reason" }).fill("two causes after all");
      await picture(page, "incident-split");
      await dialog.getByRole("button", { name: "Split off 2 alerts" }).click();
      await expect.poll(async () => (await liveAt("printer"))?.alertCount, { timeout: PATIENCE_MS }).toBe(2);
      expect((await liveAt("archive"))?.alertCount).toBe(1);
      await leave();
    },
    PATIENCE_MS * 6,
  );

  it("tries rules on what was recorded, says what they would have made of it, and saves them with a reason", async () => {
    const { page } = await arrive();
    await go(page, "/correlation-rules");
    await page.getByText("Everything else: one incident for what has one cause.").waitFor();
    const rules = page.getByRole("textbox", { name: "Rules as JSON, in their order" });
    await rules.fill("[ nonsense");
    await page.getByText(/^This is no JSON/).waitFor();
    await rules.fill(JSON.stringify([{ id: "toner", match: { title: ["Toner*"] }, action: "SUPPRESS" }]));
    await page.getByRole("button", { name: "Try on history" }).click();
    await page.getByText(/^Would have made \d+ incidents? of \d+ alerts?; hides no critical\.$/).waitFor();
    await expectAccessible(page);
    await picture(page, "incident-rules");
    await page.getByRole("button", { name: "Put into force" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Reason" }).fill("nobody mends it at night");
    await dialog.getByRole("button", { name: "Put into force" }).click();
    await page.getByText("Alerts with title = Toner*: kept quiet unless critical.").waitFor();
    await leave();
  });

  it("says so when a number is nobody's", async () => {
    const { page } = await arrive();
    for (const key of ["999999", "nonsense"]) {
      await go(page, `/incidents/${key}`);
      await heading(page, `There is no incident ${key}`);
    }
    await leave();
  });

  it.each([
    { language: "en", theme: "light", size: "desk" },
    { language: "es", theme: "dark", size: "desk" },
    { language: "en", theme: "dark", size: "phone" },
    { language: "es", theme: "light", size: "phone" },
  ] as const)("has pages that are complete and accessible in $language, $theme, on a $size", async (looks) => {
    const incident = (await stored()).at(-1)?.key ?? "";
    const { page } = await arrive(looks);
    for (const path of ["/incidents?show=all", `/incidents/${incident}`, "/alerts?show=all", "/problems", "/correlation-rules"]) {
      await go(page, path);
      await expect
        .poll(
          () =>
            page
              .getByRole("status")
              .filter({ hasText: /Loading|Cargando/ })
              .count(),
          { timeout: PATIENCE_MS },
        )
        .toBe(0);
      if (path === `/incidents/${incident}`)
        await page
          .getByRole("group", { name: /^The probable root|^La causa probable/ })
          .getByRole("button", { name: /^Shop/ })
          .waitFor();
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
      await picture(page, `incidents-${looks.language}-${looks.theme}-${looks.size}${path.replaceAll(/[^a-z]+/g, "-")}`);
    }
    await leave();
  });
});
