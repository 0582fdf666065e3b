import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Downtime, defineConnector, type RemoteDowntime, z } from "@quiesce/sdk";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";
import { clock } from "../../clock.js";

const atMonitor: RemoteDowntime[] = [];
const monitor = defineConnector({
  apiVersion: 1,
  id: "memory-monitor",
  version: "1.0.0",
  displayName: "Monitor",
  stability: "experimental",
  config: z.object({}),
  secrets: z.object({}),
  egress: () => [],
  downtime: {
    async announce(_x, { windowId, start, end, resources, title }: Downtime) {
      if (resources.includes("nowhere")) throw new Error("a bug of the connector");
      atMonitor.push({ id: "d1", windowId, start, end, resources, title });
      return { ids: ["d1"] };
    },
    withdraw: async (_x, windowId) => {
      const at = atMonitor.findIndex((one) => one.windowId === windowId);
      if (at >= 0) atMonitor.splice(at, 1);
    },
    list: async () => atMonitor.map((one) => ({ ...one })),
  },
});

let server: CommandLineServer;
beforeAll(async () => {
  server = await commandLineServer({ name: "announcements", connectors: [monitor] });
});
afterAll(() => server.close());

const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const rows = async (...args: readonly string[]) =>
  JSON.parse((await quiesce("window", "announcements", "--json", ...args)).out) as readonly { readonly [name: string]: unknown }[];

it("shows what monitors are told of windows, what went wrong, and what others told them", async () => {
  const now = clock.wallMs();
  const hour = (offset: number): string => new Date(now + offset * 3_600_000).toISOString();
  atMonitor.push({ id: "t1", start: hour(-1), end: hour(1), resources: ["disk"], title: "disk swap", author: "admin" });
  const systems = [
    { key: "erp", monitoredBy: [{ endpoint: "watch", resources: ["erp", "erp!api"] }] },
    { key: "crm", monitoredBy: [{ endpoint: "watch", resources: ["nowhere"] }] },
    { key: "monitoring" },
  ];
  const file = join(server.folder, "workspace.json");
  const endpoints = [{ key: "watch", system: "monitoring", connector: "memory-monitor" }];
  await writeFile(file, JSON.stringify({ quiesce: 1, systems, endpoints }));
  expect(await quiesce("apply", "-f", file, "--yes")).toMatchObject({ code: 0 });
  expect(await quiesce("window", "announcements")).toMatchObject({ code: 0, err: expect.stringContaining("No monitor is told anything.") });
  const plan = ["--zone", "UTC", "--start", hour(0.1).slice(0, 16), "--duration", "PT1H", "--owner", "o", "--reason", "r", "--yes"];
  expect(await quiesce("window", "create", "--key", "patch", "--title", "Patch", "--system", "erp", ...plan)).toMatchObject({ code: 0 });
  await vi.waitUntil(async () => (await rows("patch"))[0]?.["state"] === "ANNOUNCED", { timeout: 60_000, interval: 200 });
  const told = await quiesce("window", "announcements", "patch");
  expect(told.out).toMatch(/^MONITOR +WINDOW +FROM +UNTIL +STATE +ABOUT +PROBLEM/u);
  expect(told.out).toMatch(/watch +patch .* announced +erp, erp!api/u);
  const theirs = await quiesce("window", "announcements", "--theirs", "--endpoint", "watch");
  expect(theirs.out).toMatch(/watch .* admin +disk +disk swap/u);

  expect(await quiesce("window", "create", "--key", "crm", "--title", "CRM", "--system", "crm", ...plan)).toMatchObject({ code: 0 });
  await vi.waitUntil(async () => typeof (await rows("crm"))[0]?.["problem"] === "string", { timeout: 60_000, interval: 200 });
  expect(await rows("crm")).toMatchObject([{ state: "PENDING", problem: "a bug of the connector" }]);

  // The one that cannot be told keeps none of the others.
  expect(await quiesce("window", "cancel", "patch", "--reason", "not needed")).toMatchObject({ code: 0 });
  await vi.waitUntil(async () => (await rows("patch", "--all"))[0]?.["state"] === "WITHDRAWN", { timeout: 60_000, interval: 200 });
  expect(await rows("patch")).toEqual([]);
  expect(atMonitor.map((one) => one.id)).toEqual(["t1"]);
  expect((await quiesce("window", "announcements", "--limit", "0")).code).not.toBe(0);
});
