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
import { firstFields, type PeopleSystems, peopleWorkspace, startPeopleSystems } from "./people-systems.js";
import { type BrowserServer, startBrowserServer } from "./start-server.js";

const createWindow = `mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { id key } }`;
const endWindow = `mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { id key } }`;
const runNow = `mutation ($job: String!) { runNow(input: { job: $job, reason: "a test" }) { id key } }`;
const runState = `query ($key: String!) { run(key: $key) { id state } }`;
const pauseErp = `mutation { pause(input: { scope: { systems: ["erp"] }, reason: "the ERP answers nonsense" }) { id key } }`;
const letGo = `mutation ($hold: ID!) { resume(input: { holdId: $hold, reason: "it is well again" }) { released { key } } }`;
const apply = `mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }`;

const looks = [
  { language: "en", theme: "light", size: "desk" },
  { language: "es", theme: "dark", size: "phone" },
  { language: "en", theme: "dark", size: "phone" },
  { language: "es", theme: "light", size: "desk" },
] as const;

describe.skipIf(!isChromiumThere)("the pages of integrations", () => {
  let server: BrowserServer;
  let browser: Browser;
  let people: PeopleSystems;
  let visitors: Visitor[] = [];

  beforeAll(async () => {
    people = await startPeopleSystems();
    for (let id = 1; id <= 5; id += 1) people.erp.set(String(id), { id: String(id), name: `Person ${id}`, town: "Soria" });
    [server, browser] = await Promise.all([startBrowserServer({ workspace: peopleWorkspace(people, firstFields) }), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await people?.stop();
  });

  const arrive = async (path: string, ...args: Parameters<typeof openVisitor> extends [unknown, ...infer Rest] ? Rest : never) => {
    const visitor = await openVisitor(browser, ...args);
    visitors.push(visitor);
    await signIn(visitor.page, await server.signInLink());
    await visitor.page.goto(server.url + path);
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
  /** Runs the copying job once and waits until its run is over. */
  const copy = async (): Promise<void> => {
    const { runNow: run } = await server.ask<{ readonly runNow: { readonly key: string } }>(runNow, { job: "people-sync" });
    const state = async () =>
      (await server.ask<{ readonly run: { readonly state: string } | null }>(runState, { key: run.key })).run?.state;
    await expect.poll(state, { timeout: PATIENCE_MS }).toMatch(/SUCCEEDED|FAILED|DEAD/);
  };
  /** Fills the dialog that asks why, and presses its button. */
  const confirm = async ({ page }: Visitor, button: string | RegExp): Promise<void> => {
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(/^(Reason|Motivo|Why|Por qué)/).fill("somebody mended it");
    await dialog.getByRole("button", { name: button }).click();
    await expect.poll(() => page.getByRole("dialog").count(), { timeout: PATIENCE_MS }).toBe(0);
  };
  const openWindow = async (): Promise<void> => {
    const at = (afterMs: number) => new Date(Date.now() + afterMs).toISOString().slice(0, 19);
    const series = { start: at(1_000), end: at(3 * 3_600_000), timeZone: "UTC" };
    const input = { key: "erp-patch", title: "ERP patch", owner: "Erika Ruiz", reason: "new release", scope: { systems: ["erp"] }, series };
    await server.ask(createWindow, { input });
  };
  const closeWindow = () => server.ask(endWindow, { input: { key: "erp-patch", reason: "done early" } });

  it("finds an integration by its search and filters, which are in the address", async () => {
    const visitor = await arrive("/integrations");
    const { page } = visitor;
    await heading(visitor, /^4 integrations: none fails, none is held\.$/);
    await page.getByLabel("Search by name, key, system or tag").fill("ware stock");
    await page.getByRole("link", { name: "Stock levels" }).waitFor();
    await expect
      .poll(() => page.getByRole("list", { name: "Integrations" }).getByRole("listitem").count(), { timeout: PATIENCE_MS })
      .toBe(1);
    await expect.poll(() => new URL(page.url()).searchParams.get("q"), { timeout: PATIENCE_MS }).toBe("ware stock");
    await page.goto(`${server.url}/integrations?team=sales-team&system=erp`);
    await page.getByText("2 of 4 are shown.").waitFor();
    expect(await page.getByLabel("Team").inputValue()).toBe("sales-team");
    await page.getByLabel("State").selectOption({ label: "running" });
    await page.getByText("None fits. Take a filter away.").waitFor();
    await page.getByRole("link", { name: "Show all" }).click();
    await page.getByRole("link", { name: "Invoices" }).waitFor();
    await page.getByRole("link", { name: "By system" }).click();
    await page.getByRole("link", { name: "3 integrations" }).click();
    await page.getByText("3 of 4 are shown.").waitFor();
    await leave();
  });

  it("shows who holds an integration and until when, in the list and on its page, without a reload", async () => {
    const [list, visitor] = [await arrive("/integrations"), await arrive("/integrations/invoices")];
    await heading(list, /none is held/);
    await heading(visitor, /^Invoices may run\. Next: /);
    await openWindow();
    await heading(visitor, /^Invoices is held by ERP patch \(Erika Ruiz\) until .*UTC\.$/);
    await heading(list, /^4 integrations: none fails, 3 are held\.$/);
    await visitor.page.getByText(/It would run now if the window ended early/).waitFor();
    await picture(list.page, "integrations-list-en-light-desk");
    await picture(visitor.page, "integration-held-en-light-desk");
    await expectAccessible(visitor.page);
    await closeWindow();
    await heading(visitor, /^Invoices may run\. Next: /);
    await heading(list, /none is held/);
    await leave();
  });

  it("pauses an integration and lifts the pause again; in the list no row moves before somebody wants it", async () => {
    const [visitor, list] = [await arrive("/integrations/stock"), await arrive("/integrations")];
    const { page } = visitor;
    const names = () => list.page.getByRole("list", { name: "Integrations" }).getByRole("link").allTextContents();
    await list.page.getByRole("link", { name: "Stock levels" }).waitFor();
    expect(await names()).toEqual(["Invoices", "Orders to the ERP", "People into the shop", "Stock levels"]);
    await page.getByRole("button", { name: "Pause" }).click();
    await confirm(visitor, "Pause");
    await heading(visitor, /^Stock levels is paused by .* until somebody lifts the pause\.$/);
    await heading(list, /1 is held/);
    await list.page.getByText("4 rows changed place.").waitFor();
    expect((await names())[3]).toBe("Stock levels");
    await list.page.getByRole("button", { name: "Update order" }).click();
    await expect.poll(async () => (await names())[0], { timeout: PATIENCE_MS }).toBe("Stock levels");
    await page.getByRole("button", { name: "Lift the pause" }).click();
    await confirm(visitor, "Lift the pause");
    await heading(visitor, /^Stock levels may run\./);
    await leave();
  });

  it("replays a record that its target refused and takes now, and follows it from hop to hop", async () => {
    people.refused.add("3");
    await copy();
    const visitor = await arrive("/integrations/people");
    const { page } = visitor;
    await page.getByRole("checkbox", { name: "Choose record 3" }).waitFor();
    await page.getByRole("button", { name: "Show the record 3" }).click();
    await page.getByRole("region", { name: "Record 3" }).getByText("Person 3").waitFor();
    await picture(page, "integration-letters-used");
    await expectAccessible(page);
    people.refused.clear();
    await page.getByRole("button", { name: "Replay the record" }).click();
    await page.getByRole("dialog").getByText("Deliver 1 record once more?").waitFor();
    await confirm(visitor, "Replay the record");
    await page.getByText("1 record is delivered once more.").waitFor();
    await page.getByText(/No record waits: everything could be delivered\./).waitFor();
    await expect.poll(() => people.shop.has("3"), { timeout: PATIENCE_MS }).toBe(true);
    await page.getByRole("tab", { name: "Trace" }).click();
    await page.getByLabel("Key of a record").fill("3");
    await page.getByRole("button", { name: "Follow" }).click();
    await page.getByText("could not be delivered").waitFor();
    await page.getByText("written", { exact: true }).waitFor();
    await picture(page, "integration-trace-used");
    await expectAccessible(page);
    await leave();
  });

  it("gives one chosen record up and keeps the other", async () => {
    for (const key of ["4", "5"]) {
      people.refused.add(key);
      people.erp.set(key, { id: key, name: `Person ${key}`, town: "" });
    }
    await copy();
    people.refused.clear();
    const visitor = await arrive("/integrations/people");
    const { page } = visitor;
    await page.getByRole("button", { name: "Replay all 2" }).waitFor();
    // The box is drawn beside the input, as labels are pressed.
    await page.getByRole("checkbox", { name: "Choose record 4" }).press("Space");
    await page.getByRole("button", { name: "Give 1 chosen up" }).click();
    await confirm(visitor, "Give 1 chosen up");
    await page.getByText("1 record was given up.").waitFor();
    await page.getByRole("button", { name: "Replay the record" }).waitFor();
    await page.getByLabel("Show", { exact: true }).selectOption({ label: "given up" });
    await page.getByText("4", { exact: true }).waitFor();
    await leave();
  });

  it("shows what a mapping makes of a record, and why one does not fit", async () => {
    const visitor = await arrive("/integrations/people?tab=mapping");
    const { page } = visitor;
    await page.getByRole("rowheader", { name: "town" }).waitFor();
    const mapping = { key: "id", fields: { ...firstFields, age: { from: "age", cast: "integer" } } };
    await page.getByRole("textbox", { name: "Mapping" }).fill(JSON.stringify(mapping));
    await page.getByLabel("Sample records").fill("not JSON");
    await page.getByRole("button", { name: "Show what it makes of them" }).click();
    await page.getByText(/JSON/).first().waitFor();
    const records = [
      { key: "7", data: { id: "7", name: "Ana", town: "Soria", age: 41 } },
      { key: "8", data: { id: "8", name: "Luis", town: "Soria", age: "old" } },
    ];
    await page.getByLabel("Sample records").fill(JSON.stringify(records));
    await page.getByRole("button", { name: "Show what it makes of them" }).click();
    await page.getByText("It could be saved. Nothing was.").waitFor();
    await page.getByText(/^age: expected .*, found .*old/).waitFor();
    await page.getByRole("region", { name: "Record 7 as it would be written" }).getByText('"age": 41').waitFor();
    await picture(page, "integration-mapping-used");
    await expectAccessible(page);
    await leave();
  });

  it("compares two versions and goes back to the former one", async () => {
    const document = peopleWorkspace(people, { ...firstFields, town: { const: "Madrid" } });
    await server.ask(apply, { input: { document: JSON.stringify(document) } });
    const visitor = await arrive("/integrations/people?tab=versions");
    const { page } = visitor;
    await page.getByRole("button", { name: /^Compare version 1 with 2$/ }).click();
    const back = /^Go back to version 1 \(.*\): \d+ fields? differs?\.$/;
    await page.getByRole("button", { name: back }).waitFor();
    await page.getByRole("rowheader", { name: /town/ }).first().waitFor();
    await picture(page, "integration-versions-used");
    await expectAccessible(page);
    await page.getByRole("button", { name: back }).click();
    await confirm(visitor, back);
    await page.getByText("What version 1 says is in force again.").waitFor();
    await page.getByText("Version 3").waitFor();
    const { integration } = await server.ask<{ readonly integration: { readonly streams: unknown } }>(
      `{ integration(key: "people") { id streams } }`,
    );
    expect(JSON.stringify(integration.streams)).not.toContain("Madrid");
    await leave();
  });

  it("compares both sides, shows what differs, and copies exactly that", async () => {
    await copy();
    people.shop.set("2", { id: "2", name: "Somebody else", town: "Soria" });
    people.shop.delete("1");
    const visitor = await arrive("/integrations/people?tab=compare");
    const { page } = visitor;
    await page.getByRole("button", { name: "Compare both sides" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Compare both sides" }).click();
    await page.getByText(/ 1 different, 1 only at the source/).waitFor();
    await page.getByRole("rowheader", { name: "2", exact: true }).waitFor();
    await picture(page, "integration-compare-used");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Copy these 2 records once more" }).click();
    await confirm(visitor, "Copy these 2 records once more");
    await page.getByText(/had the differences copied.*: done\./).waitFor();
    expect(people.shop.get("2")).toMatchObject({ name: "Person 2" });
    await page.getByRole("button", { name: "Compare both sides" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Compare both sides" }).click();
    await page.getByText("100 % equal").waitFor();
    await leave();
  });

  it("tries a former version from the page: a dry run to its end, and a shadow that somebody ends", async () => {
    const visitor = await arrive("/integrations/people?tab=versions");
    const { page } = visitor;
    interface Tried {
      readonly integration: {
        readonly trials: {
          readonly nodes: readonly { readonly kind: string; readonly state: string; readonly version: number; readonly records: number }[];
        };
      };
    }
    const trials = async () =>
      (await server.ask<Tried>(`{ integration(key: "people") { trials(first: 5) { nodes { kind state version records } } } }`)).integration
        .trials.nodes;
    const begin = async (words: RegExp, kind?: string) => {
      await page.getByRole("button", { name: /^Compare version 2 with 3$/ }).press("Enter");
      await page.getByRole("button", { name: "Try it first" }).press("Enter");
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("heading", { name: "Try version 2?" }).waitFor();
      if (kind !== undefined) await dialog.getByLabel("How").selectOption({ label: kind });
      await dialog.getByText(words).waitFor();
      await confirm(visitor, "Try it first");
      await page.getByText("The trial has begun; its result stands below the versions.").waitFor();
    };
    const row = (kind: string) => page.getByRole("listitem").filter({ has: page.getByText(kind, { exact: true }) });
    await begin(/Nothing is written\.$/);
    await expect.poll(async () => (await trials())[0]?.state, { timeout: PATIENCE_MS }).toBe("DONE");
    expect(await trials()).toMatchObject([{ kind: "DRY_RUN", version: 2, records: 5 }]);
    await row("Dry run on a sample").getByText(/done$/).waitFor();
    // Version 2 had a town for all: each of the five would be written with it.
    await row("Dry run on a sample").getByText("5 records: 0 the same, 5 different, 0 that do not fit.").waitFor();
    const differences = row("Dry run on a sample").getByRole("list").getByRole("listitem");
    await expect.poll(() => differences.count(), { timeout: PATIENCE_MS }).toBe(5);
    for (const line of await differences.allInnerTexts()) expect(line).toMatch(/^[1-5] fits data\.town: .*→ Madrid$/);
    await picture(page, "integration-trial-used");
    await expectAccessible(page);
    await begin(/What is in force is written\.$/, "Shadow of the next runs");
    await row("Shadow of the next runs")
      .getByText(/under way$/)
      .waitFor();
    expect(await trials()).toMatchObject([{ kind: "SHADOW", state: "RUNNING" }, { kind: "DRY_RUN" }]);
    await page.getByRole("button", { name: "End the trial" }).press("Enter");
    await confirm(visitor, "End the trial");
    await row("Shadow of the next runs")
      .getByText(/ended by somebody$/)
      .waitFor();
    expect((await trials())[0]).toMatchObject({ kind: "SHADOW", state: "CANCELLED" });
    // Nothing of it was written.
    expect([...people.shop.values()].some((one) => JSON.stringify(one).includes("Madrid"))).toBe(false);
    await leave();
  });

  it("replays what is perhaps delivered one by one, and only when somebody says that it is not there", async () => {
    people.refused.add("3");
    people.erp.set("3", { id: "3", name: "Person 3 once more", town: "Soria" });
    await copy();
    people.refused.clear();
    people.shop.delete("3");
    const { sql } = server.app.database;
    // As it stands when the connection broke between the write and its answer.
    await sql`update dead_letter set status = 'review' where record_key = '3' and status = 'open'`;
    const visitor = await arrive("/integrations/people");
    const { page } = visitor;
    const letters = async () =>
      [...(await sql<{ status: string }[]>`select status from dead_letter where record_key = '3' order by id`)]
        .map(({ status }) => status)
        .at(-1);
    const row = page.getByRole("listitem").filter({ hasText: "perhaps delivered" });
    await row.waitFor();
    // What is in doubt is in no "all".
    expect(await page.getByRole("button", { name: /^Replay (?:all|the record)/ }).count()).toBe(0);
    const button = row.getByRole("button", { name: "Record 3 is not at the target: replay it" });
    await button.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/^The write may have been applied before the answer was lost\. Look at the target first/).waitFor();
    await picture(page, "integration-doubt");
    await expectAccessible(page);
    // Whoever does not say why, or goes back, has written nothing.
    await dialog.getByRole("button", { name: "It is not there: replay" }).press("Enter");
    await dialog.getByText("This is needed.").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect([await letters(), people.shop.has("3")]).toEqual(["review", false]);
    await button.press("Enter");
    await confirm(visitor, "It is not there: replay");
    await page.getByText("1 record is delivered once more.").waitFor();
    await expect.poll(() => people.shop.has("3"), { timeout: PATIENCE_MS }).toBe(true);
    expect(people.shop.get("3")).toMatchObject({ name: "Person 3 once more" });
    await expect.poll(letters, { timeout: PATIENCE_MS }).not.toBe("review");
    const entries = await sql`select reason from audit_entry where action = 'dead-letter.replay' order by id desc limit 1`;
    expect(entries[0]?.["reason"]).toBe("somebody mended it");
    await leave();
  });

  it("says what was refused while the list was read, and reads it when somebody tries again", async () => {
    const visitor = await openVisitor(browser);
    visitors.push(visitor);
    const { page } = visitor;
    await signIn(page, await server.signInLink());
    let refusals = 0;
    // Of what passes by itself the page reads again by itself: here somebody has to.
    const fault = [{ message: "A fault of Quiesce. Its number is 7.", extensions: { code: "QSC_INTERNAL", details: { errorId: "7" } } }];
    await page.route("**/graphql", async (route) => {
      if (!(route.request().postData() ?? "").includes("CatalogueRows")) return route.fallback();
      refusals += 1;
      await route.fulfill({ status: 200, contentType: "application/json", body: JSON.stringify({ data: null, errors: fault }) });
    });
    await page.goto(`${server.url}/integrations`);
    const alert = page.getByRole("alert").filter({ hasText: "QSC_INTERNAL" });
    await alert.getByText("A fault of Quiesce. Its number is 7.").waitFor();
    expect(refusals).toBeGreaterThan(0);
    expect(await page.getByRole("link", { name: "Stock levels" }).count()).toBe(0);
    await picture(page, "integrations-refused");
    await expectAccessible(page);
    // Refused once more it says so still; then the server answers.
    const before = refusals;
    await alert.getByRole("button", { name: "Try again" }).press("Enter");
    await expect.poll(() => refusals, { timeout: PATIENCE_MS }).toBeGreaterThan(before);
    await alert.waitFor();
    await page.unroute("**/graphql");
    await alert.getByRole("button", { name: "Try again" }).press("Enter");
    await page.getByRole("link", { name: "Stock levels" }).waitFor();
    await heading(visitor, /^4 integrations: /);
    await alert.waitFor({ state: "detached" });
    await leave();
  });

  it("names the zone of the timeline's axis, and tells why it is held in the page's language", async () => {
    const { pause: hold } = await server.ask<{ readonly pause: { readonly id: string } }>(pauseErp);
    const visitor = await arrive("/integrations/stock", { language: "es", timeZone: "Asia/Tokyo" });
    const { page } = visitor;
    await page.getByText("Horas de Asia/Tokyo").waitFor();
    await page.goto(`${server.url}/integrations/invoices`);
    await page.getByText(/La abarca por el sistema erp\./).waitFor();
    await server.ask(letGo, { hold: hold.id });
    await leave();
  });

  it("chooses a run by keyboard and tells what is known of it", async () => {
    const visitor = await arrive("/integrations/people");
    const { page } = visitor;
    const lane = page.getByRole("listbox", { name: /^Runs of people-sync/ });
    await lane.focus();
    await page.keyboard.press("End");
    const panel = page.getByRole("complementary");
    await panel.getByText("succeeded").waitFor();
    const last = new URL(page.url()).searchParams.get("run");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => new URL(page.url()).searchParams.get("run"), { timeout: PATIENCE_MS }).not.toBe(last);
    await picture(page, "integration-run-en-light-desk");
    await expectAccessible(page);
    await leave();
  });

  it.each(looks)("are complete and accessible as lists in $language, $theme, on a $size", async ({ language, theme, size }) => {
    const { pause: hold } = await server.ask<{ readonly pause: { readonly id: string } }>(pauseErp);
    const visitor = await arrive("/integrations", { language, theme, size });
    const { page } = visitor;
    await heading(visitor, language === "en" ? /3 are held/ : /3 retenidas/);
    await page.getByRole("link", { name: "People into the shop" }).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await picture(page, `integrations-${language}-${theme}-${size}`);
    await page.goto(`${server.url}/integrations?by=system`);
    await page.getByRole("link", { name: "Warehouse" }).waitFor();
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await picture(page, `integrations-systems-${language}-${theme}-${size}`);
    await server.ask(letGo, { hold: hold.id });
    await leave();
  });

  it.each(looks)("is complete and accessible as a page in $language, $theme, on a $size", async ({ language, theme, size }) => {
    const { pause: hold } = await server.ask<{ readonly pause: { readonly id: string } }>(pauseErp);
    const visitor = await arrive("/integrations/people", { language, theme, size });
    const { page } = visitor;
    await heading(visitor, language === "en" ? /^People into the shop is paused/ : /^People into the shop está en pausa/);
    await page.getByRole("listbox").waitFor();
    for (const [index, tab] of ["letters", "trace", "mapping", "versions", "compare"].entries()) {
      await page.getByRole("tab").nth(index).click();
      await page.getByRole("tabpanel").locator(":scope > *").first().waitFor({ state: "attached" });
      await expect
        .poll(
          () =>
            page
              .getByRole("tabpanel")
              .getByText(/^(Loading|Cargando)/)
              .count(),
          { timeout: PATIENCE_MS },
        )
        .toBe(0);
      await expectAccessible(page);
      await expectNoSidewaysScroll(page);
      await picture(page, `integration-${tab}-${language}-${theme}-${size}`);
    }
    await server.ask(letGo, { hold: hold.id });
    await leave();
  });

  it("has words for an integration that is nobody's", async () => {
    const visitor = await arrive("/integrations/nobody");
    await heading(visitor, "There is no integration nobody, or you may not see it.");
    await expectAccessible(visitor.page);
    await leave();
  });
});

describe.skipIf(!isChromiumThere)("a long list of integrations", () => {
  it("is read page by page, drawn as far as the window reaches, and searched as a whole", async () => {
    const keys = Array.from({ length: 450 }, (_, index) => `flow-${String(index).padStart(3, "0")}`);
    const integrations = keys.map((key) => ({ key, name: `Flow ${key.slice(5)}`, via: ["hub"] }));
    const [server, browser] = await Promise.all([
      startBrowserServer({ workspace: { quiesce: 1, systems: [{ key: "hub", name: "Hub" }], integrations } }),
      startChromium(),
    ]);
    const { page, context, faults } = await openVisitor(browser);
    try {
      await signIn(page, await server.signInLink());
      await page.goto(`${server.url}/integrations`);
      await page.getByRole("heading", { level: 1, name: "450 integrations: none fails, none is held." }).waitFor();
      const list = page.getByRole("list", { name: "Integrations" });
      await list.getByRole("link", { name: "Flow 000" }).waitFor();
      expect(await list.getByRole("listitem").count()).toBeLessThan(60);
      await page.keyboard.press("End");
      await list.getByRole("link", { name: "Flow 449" }).waitFor();
      expect(await list.getByRole("listitem").count()).toBeLessThan(60);
      await page.getByLabel("Search by name, key, system or tag").fill("flow 321");
      await page.getByText("1 of 450 is shown.").waitFor();
      await list.getByRole("link", { name: "Flow 321" }).waitFor();
      expect(faults).toEqual([]);
    } finally {
      await context.close();
      await browser.close();
      await server.stop();
    }
  });
});
