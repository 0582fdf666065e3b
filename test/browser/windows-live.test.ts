import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, isChromiumThere, openVisitor, PATIENCE_MS, picture, signIn, startChromium, type Visitor } from "./chromium.js";
import { type BrowserServer, browserWorkspace, startBrowserServer } from "./start-server.js";

const HOUR_MS = 3_600_000;
const LONG_MS = 6 * PATIENCE_MS;
const planWindow = `mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }`;
const endWindow = `mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { key } }`;
const apply = `mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { __typename } }`;
const lastRuns = `query ($states: [RunState!]) { runs(first: 5, filter: { job: "journal-often", states: $states }) { nodes { id } } }`;

/** A job that copies a file out of the ERP every two seconds and makes up for each due time that was held. */
function workspaceIn(folder: string): object {
  const stream = (name: string) => ({ name, path: `${name}.jsonl`, format: "jsonl", write: "upsert", key: ["id"] });
  const endpoint = (key: string, system: string) => ({ key, system, connector: "file", config: { folder, streams: [stream(key)] } });
  const mapping = { key: "id", fields: { id: { from: "id" } } };
  const journal = { key: "journal", name: "Journal", source: "sold", target: "kept" };
  return {
    ...browserWorkspace,
    endpoints: [endpoint("sold", "erp"), endpoint("kept", "warehouse")],
    integrations: [...browserWorkspace.integrations, { ...journal, streams: [{ stream: "sold", target: "kept", mapping }] }],
    jobs: [...browserWorkspace.jobs, { key: "journal-often", integration: "journal", schedule: { every: "2s" }, catchUp: "all" }],
  };
}

describe.skipIf(!isChromiumThere)("a window over a system with running jobs", () => {
  let server: BrowserServer;
  let browser: Browser;
  let folder: string;
  let visitors: Visitor[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "quiesce-files-"));
    await writeFile(join(folder, "sold.jsonl"), '{"id":1}\n{"id":2}\n');
    [server, browser] = await Promise.all([startBrowserServer(), startChromium()]);
    await server.ask(apply, { input: { document: JSON.stringify(workspaceIn(folder)) } });
  }, LONG_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const arrive = async (path: string, looks: Parameters<typeof openVisitor>[1] = {}): Promise<Page> => {
    const visitor = await openVisitor(browser, looks);
    visitors.push(visitor);
    const { page } = visitor;
    await signIn(page, await server.signInLink());
    await page.goto(`${server.url}${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    // Gone with a reload.
    await page.evaluate(() => (document.documentElement.dataset["seen"] = "here"));
    return page;
  };
  /** Every page is the one that it was: nobody has loaded it anew. */
  const leave = async (): Promise<void> => {
    for (const { context, page, faults } of visitors) {
      expect(await page.evaluate(() => document.documentElement.dataset["seen"])).toBe("here");
      expect(faults).toEqual([]);
      await context.close();
    }
    visitors = [];
  };
  const heading = (page: Page, name: RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();
  const open = async (key: string) => {
    const local = (afterMs: number) => new Date(Date.now() + afterMs).toISOString().slice(0, 16);
    const series = { start: local(-HOUR_MS), end: local(3 * HOUR_MS), timeZone: "UTC" };
    const input = { key, title: `Window ${key}`, owner: "Erika Ruiz", reason: "patch", scope: { systems: ["erp"] }, series };
    await server.ask(planWindow, { input });
  };
  const some = async (states: readonly string[]) => {
    const { runs } = await server.ask<{ readonly runs: { readonly nodes: readonly object[] } }>(lastRuns, { states });
    return runs.nodes.length > 0;
  };

  it("is seen to drain, to be quiet, and to let go what it held, by two people at once", { timeout: LONG_MS }, async () => {
    await expect.poll(() => some(["SUCCEEDED"]), { timeout: PATIENCE_MS }).toBe(true);
    const lease = await server.gate("invoices/enter", { leaseSeconds: 3_600 });
    await open("live");
    const [first, second] = [
      await arrive("/windows/live"),
      await arrive("/windows/live", { language: "es", theme: "dark", size: "phone" }),
    ];
    await Promise.all([
      heading(first, /^Window live is draining: 1 run in flight/),
      heading(second, /^Window live .*1 ejecución en curso/),
    ]);
    await first.getByRole("link", { name: "Invoices" }).first().waitFor();
    await picture(first, "windows-live-draining");
    await server.gate(`runs/${String(lease["runId"])}/leave`, { leaseToken: lease["leaseToken"], outcome: "succeeded" });
    await Promise.all([heading(first, /^Window live is quiet since .*work may begin/), heading(second, /^Window live en reposo desde/)]);
    // What falls due is held, and counted before everybody's eyes.
    await Promise.all([
      first.getByText(/^(?:[89]|\d\d+) due times are held/).waitFor(),
      second.getByText(/^(?:[89]|\d\d+) vencimientos retenidos/).waitFor(),
    ]);
    await picture(first, "windows-live-quiesced");
    await expectAccessible(second);
    await server.ask(endWindow, { input: { key: "live", reason: "done early" } });
    const released = /^Window live: \d+ of \d+ released/;
    await Promise.all([heading(first, released), heading(second, /^Window live: \d+ de \d+ liberadas/)]);
    await picture(first, "windows-live-resuming");
    await Promise.all([heading(first, /^Window live (?:ended at|is over)/), heading(second, /^Window live (?:acabó|ha terminado)/)]);
    expect(await some(["FAILED", "DEAD", "LOST"])).toBe(false);
    await leave();
  });

  it("is shown as it is after the network was lost, on the list and on its page, without a gap", { timeout: LONG_MS }, async () => {
    await open("unseen");
    const [page, list] = [await arrive("/windows/unseen"), await arrive("/windows")];
    await heading(page, /^Window unseen is quiet since/);
    await list.getByRole("link", { name: "Window unseen" }).waitFor();
    server.wire.cut();
    await Promise.all([page, list].map((one) => one.getByText(/Connection lost at \d\d:\d\d:\d\d/).waitFor()));
    await open("meanwhile");
    await server.ask(endWindow, { input: { key: "unseen", reason: "while nobody looked" } });
    server.wire.mend();
    await heading(page, /^Window unseen(?:: \d+ of \d+ released| ended at| is over)/);
    await list.getByRole("link", { name: "Window meanwhile" }).waitFor();
    await expect.poll(() => page.getByText("Connection lost").count(), { timeout: PATIENCE_MS }).toBe(0);
    await server.ask(endWindow, { input: { key: "meanwhile", reason: "seen it" } });
    const line = list.getByRole("listitem").filter({ hasText: "Window meanwhile" });
    await line.getByText("over", { exact: true }).waitFor();
    await leave();
  });
});
