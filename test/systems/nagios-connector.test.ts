import { nagiosConnector } from "@quiesce/connectors";
import type { Alert, Connector, Context, Cursor, Downtime } from "@quiesce/sdk";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rejection, runContext } from "../connectors/run-context.js";
import { freePort } from "../lifecycle/free-port.js";
import { suiteRuns } from "./server-process.js";
import { waitUntil } from "./wait-until.js";
import { NAGIOS, startNagios, type Nagios } from "./nagios.js";

const SECONDS = 1_000;

describe.runIf(suiteRuns("Nagios", NAGIOS))("the nagios connector on a real Nagios 4", () => {
  const connector: Connector = nagiosConnector;
  let nagios: Nagios;
  let byForm: Context;
  let byFifo: Context;

  beforeAll(async () => {
    nagios = await startNagios({ dateFormat: "euro" });
    byForm = await context({});
    byFifo = await context({ commandFile: nagios.commandFile });
  });
  afterAll(async () => nagios?.remove());
  afterEach(async () => {
    await nagios.setOrdersApi(0);
    for (const one of await listed(byFifo)) if (one.windowId !== undefined) await settled(() => withdraw(byFifo, one.windowId ?? ""));
  });

  async function context(more: Record<string, unknown>, account: { user?: string; password?: string } = {}): Promise<Context> {
    return runContext(connector, {
      config: { url: nagios.url, user: account.user ?? nagios.user, statusDelaySeconds: 5, ...more },
      secrets: { password: account.password ?? nagios.password },
    });
  }

  async function pull(cursor: Cursor | null): Promise<{ alerts: readonly Alert[]; cursor: Cursor | null }> {
    for await (const page of connector.alerts?.pull?.(byForm, { cursor }) ?? []) {
      expect(page).toMatchObject({ snapshot: true, more: false });
      return page;
    }
    throw new Error("no page");
  }

  const listed = async (x: Context) => (await connector.downtime?.list(x)) ?? [];
  const announce = async (x: Context, downtime: Downtime) => connector.downtime?.announce(x, downtime);
  const withdraw = async (x: Context, windowId: string) => connector.downtime?.withdraw(x, windowId);
  const ofWindow = async (x: Context, windowId: string) => (await listed(x)).filter((one) => one.windowId === windowId);
  /** Nagios's own view: ids are numbers as soon as the status file shows the downtime. */
  const shown = async (windowId: string) => (await ofWindow(byForm, windowId)).filter((one) => /^\d+$/u.test(one.id));
  const settled = async (call: () => Promise<unknown>) =>
    waitUntil(
      async () =>
        call().then(
          () => true,
          (error: { kind?: string }) => (error.kind === "transient" ? false : Promise.reject(error)),
        ),
      {
        withinMs: 15 * SECONDS,
      },
    );

  function window(windowId: string, more: Partial<Downtime> = {}): Downtime {
    const start = Date.now() + 60 * SECONDS;
    return {
      windowId,
      start: new Date(start).toISOString(),
      end: new Date(start + 3_600 * SECONDS).toISOString(),
      resources: ["erp!orders-api", "shop"],
      title: "ERP — monthly; maintenance, año 2",
      suppress: "notifications",
      ...more,
    };
  }

  test("is up with its version; refuses a wrong password, a user who sees nothing, and addresses that are no Nagios", async () => {
    expect(await connector.check?.(byForm)).toEqual({
      status: "up",
      version: expect.stringMatching(/^4\./u),
      identity: { principal: nagios.user },
    });
    const failing = async (more: Record<string, unknown>, account = {}) =>
      rejection(Promise.resolve(connector.check?.(await context(more, account))));
    expect(await failing({}, { password: "wrong" })).toMatchObject({ kind: "auth" });
    expect(await failing({}, { user: nagios.stranger })).toMatchObject({ kind: "permission" });
    expect(await failing({ url: `${nagios.url}/nowhere` })).toMatchObject({ kind: "config", info: { field: "url" } });
    expect(await failing({ url: `http://127.0.0.1:${await freePort()}/cgi-bin/nagios4` })).toMatchObject({ kind: "unavailable" });
  });

  test("an outage is one firing alert with what it lies behind, and one resolved", async () => {
    await waitUntil(async () => (await pull(null)).alerts.length === 0, { withinMs: 15 * SECONDS });
    let { cursor } = await pull(null);
    const began = Date.now();
    await nagios.setOrdersApi(2);
    const firing: Alert[] = [];
    const resolved: Alert[] = [];
    const look = async (): Promise<void> => {
      const page = await pull(cursor);
      cursor = page.cursor;
      firing.push(...page.alerts.filter((one) => one.status === "firing"));
      resolved.push(...page.alerts.filter((one) => one.status === "resolved"));
    };
    await waitUntil(async () => (await look().then(() => firing.length)) > 0, { withinMs: 15 * SECONDS });
    await nagios.setOrdersApi(0);
    await waitUntil(async () => (await look().then(() => resolved.length)) > 0, { withinMs: 20 * SECONDS });
    await look();
    expect(firing[0]).toMatchObject({
      id: "erp!orders-api",
      fingerprint: "erp!orders-api",
      severity: "critical",
      title: "erp!orders-api: CRITICAL",
      resource: { kind: "service", name: "erp!orders-api", parents: ["erp"] },
    });
    expect(new Set(firing.map((one) => `${one.fingerprint} ${one.startsAt}`)).size).toBe(1);
    // Hard only after its third check, one a second: a soft state is no alert.
    expect(Date.parse(firing[0]?.startsAt ?? "") - began).toBeGreaterThan(1 * SECONDS);
    expect(resolved).toHaveLength(1);
    expect(resolved[0]).toMatchObject({ fingerprint: "erp!orders-api" });
    // The status and the log note it one after the other, in whole seconds.
    const apart = Date.parse(resolved[0]?.startsAt ?? "") - Date.parse(firing[0]?.startsAt ?? "");
    expect(Math.abs(apart)).toBeLessThanOrEqual(5 * SECONDS);
    expect(Date.parse(resolved[0]?.endsAt ?? "")).toBeGreaterThan(Date.parse(firing[0]?.startsAt ?? ""));
  });

  test("an alert of what is in a downtime says which one keeps it quiet, and who took it", async () => {
    await announce(byFifo, window("quiet@1", { start: new Date(Date.now() - SECONDS).toISOString(), resources: ["shop"] }));
    await waitUntil(async () => (await shown("quiet@1")).length === 1, { withinMs: 10 * SECONDS });
    await nagios.command("PROCESS_SERVICE_CHECK_RESULT;shop;passive-import;1;WARNING - import is late");
    let found: Alert | undefined;
    const look = async (): Promise<Alert | undefined> =>
      (found = (await pull(null)).alerts.find((one) => one.id === "shop!passive-import"));
    await waitUntil(async () => (await look())?.suppressedBy !== undefined, { withinMs: 15 * SECONDS });
    const [downtime] = await shown("quiet@1");
    expect(found).toMatchObject({
      severity: "warning",
      suppressedBy: [`downtime ${downtime?.id}`],
      resource: { parents: ["shop", "erp"] },
    });
    await connector.alerts?.acknowledge?.(byForm, "shop!passive-import", "looking; into it");
    await waitUntil(async () => (await look())?.acknowledgedBy === "Nagios", { withinMs: 15 * SECONDS });
    await nagios.command("PROCESS_SERVICE_CHECK_RESULT;shop;passive-import;0;OK");
    await waitUntil(async () => (await look()) === undefined, { withinMs: 15 * SECONDS });
  });

  for (const way of ["cmd.cgi", "the FIFO"] as const) {
    test(`by ${way}: announces once, keeps, changes the end, adds and drops a resource, withdraws, and twice is as once`, async () => {
      const x = way === "cmd.cgi" ? byForm : byFifo;
      const id = way === "cmd.cgi" ? "form@2026-01-04T02:00" : "fifo@2026-01-04T02:00";
      const downtime = window(id);
      await announce(x, downtime);
      // At once, before Nagios shows anything.
      await announce(x, downtime);
      expect((await ofWindow(x, id)).map((one) => one.resources)).toEqual([["erp!orders-api"], ["shop"]]);
      await waitUntil(async () => (await shown(id)).length === 2, { withinMs: 10 * SECONDS });
      const [one] = await shown(id);
      expect(one).toMatchObject({
        title: "ERP - monthly maintenance, ano 2",
        start: `${downtime.start.slice(0, 19)}.000Z`,
        end: `${downtime.end.slice(0, 19)}.000Z`,
        author: nagios.user,
      });
      const again = await announce(x, downtime);
      expect(again?.ids).toEqual((await shown(id)).map((found) => found.id));

      const longer = {
        ...downtime,
        end: new Date(Date.parse(downtime.end) + 1_800 * SECONDS).toISOString(),
        resources: ["shop", "shop!passive-import"],
      };
      await announce(x, longer);
      await waitUntil(
        async () =>
          (await shown(id))
            .map((found) => `${found.resources[0]} ${found.end}`)
            .toSorted()
            .join() === longer.resources.map((name) => `${name} ${longer.end.slice(0, 19)}.000Z`).join(),
        { withinMs: 10 * SECONDS },
      );
      await settled(() => withdraw(x, id));
      await settled(() => withdraw(x, id));
      expect(await ofWindow(x, id)).toEqual([]);
      await waitUntil(async () => (await shown(id)).length === 0, { withinMs: 10 * SECONDS });
      await withdraw(x, id);
    });
  }

  test("a doubled downtime is made one again; one that somebody else made is listed and left alone", async () => {
    const now = Math.floor(Date.now() / SECONDS);
    await nagios.command(`SCHEDULE_HOST_DOWNTIME;shop;${now};${now + 600};1;0;600;admin;disk swap`);
    const downtime = window("twice@1", { resources: ["shop"] });
    await announce(byFifo, downtime);
    const [start, end] = [downtime.start, downtime.end].map((text) => Math.floor(Date.parse(text) / SECONDS));
    await nagios.command(`SCHEDULE_HOST_DOWNTIME;shop;${start};${end};1;0;600;quiesce;[quiesce twice@1] again`);
    await waitUntil(async () => (await shown("twice@1")).length === 2, { withinMs: 10 * SECONDS });
    await announce(byForm, downtime);
    await waitUntil(async () => (await shown("twice@1")).length === 1, { withinMs: 10 * SECONDS });
    const theirs = (await listed(byForm)).find((one) => one.windowId === undefined);
    expect(theirs).toMatchObject({ resources: ["shop"], title: "disk swap", author: "admin" });
  });

  test("keeps no name in its state, which hosts take for secrets and strike out of answers", async () => {
    const kept: string[] = [];
    const state = { ...byForm.state, set: async (name: string, value: unknown) => void kept.push(name, JSON.stringify(value)) };
    await announce({ ...byForm, state }, window("kept@2026-01-04T02:00"));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.join()).not.toMatch(/kept@|orders-api|ERP/u);
    await waitUntil(async () => (await shown("kept@2026-01-04T02:00")).length === 2, { withinMs: 10 * SECONDS });
  });

  test("says which resource Nagios does not have, and schedules none of the window", async () => {
    const error = await rejection(Promise.resolve(announce(byForm, window("bad@1", { resources: ["shop", "erp!nothing"] }))));
    expect(error).toMatchObject({ kind: "not_found", message: expect.stringContaining("erp!nothing"), info: { field: "resources" } });
    expect(await ofWindow(byForm, "bad@1")).toEqual([]);
  });

  test("refuses to schedule when the zone of the form is not the configured one, and when the user may not command", async () => {
    const wrongZone = await context({ timeZone: "Asia/Tokyo" });
    expect(await rejection(Promise.resolve(announce(wrongZone, window("zone@1"))))).toMatchObject({
      kind: "config",
      info: { field: "timeZone" },
    });
    const stranger = await context({}, { user: nagios.stranger });
    expect(await rejection(Promise.resolve(connector.alerts?.acknowledge?.(stranger, "shop", "mine")))).toMatchObject({
      kind: "permission",
    });
  });

  test("lists hosts with what they lie behind, and services with their host", async () => {
    const items = [];
    for await (const page of connector.catalog?.(byForm, { cursor: null }) ?? []) items.push(...page.items);
    expect(items).toEqual([
      { id: "erp", kind: "host", name: "erp", dependsOn: [], attributes: { address: "127.0.0.1" } },
      { id: "erp!orders-api", kind: "service", name: "orders-api on erp", dependsOn: ["erp"] },
      { id: "shop", kind: "host", name: "shop", dependsOn: ["erp"], attributes: { address: "127.0.0.1" } },
      { id: "shop!passive-import", kind: "service", name: "passive-import on shop", dependsOn: ["shop"] },
    ]);
  });

  test("a dead daemon behind living pages is unavailable: by its old status, and by a FIFO that nobody reads", async () => {
    await nagios.kill();
    const strict = await context({ staleSeconds: 2 });
    await waitUntil(async () => rejectedAs(connector.check?.(strict), "unavailable"), { withinMs: 15 * SECONDS });
    expect(await rejection(Promise.resolve(connector.downtime?.list(strict)))).toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining("has not written its status"),
    });
    // The status is younger than two minutes, so only the FIFO tells.
    expect(await rejectedAs(connector.alerts?.acknowledge?.(byFifo, "shop", "mine"), "unavailable")).toBe(true);
    await nagios.start();
    await nagios.stop();
    // Stopped in order it takes its files away, and the pages answer with nothing.
    expect(await rejectedAs(connector.check?.(byForm), "unavailable")).toBe(true);
    await nagios.start();
    await waitUntil(async () => !(await rejectedAs(connector.check?.(strict), "unavailable")), { withinMs: 15 * SECONDS });
  });
});

async function rejectedAs(call: Promise<unknown> | undefined, kind: string): Promise<boolean> {
  return Promise.resolve(call).then(
    () => false,
    (error: { kind?: string }) => error.kind === kind,
  );
}
