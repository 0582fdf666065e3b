import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createVisibleDatabases, type VisibleDatabases } from "../access/visible-database.js";
import { applyWorkspace } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import type { LoggedEvent } from "./event-log.js";
import { type SeesEvent, visibleEvents } from "./visible-events.js";

let api: StartedApi;
let visible: VisibleDatabases;
let sees: SeesEvent;

const window = (key: string, systems: readonly string[]) => ({
  key,
  title: key,
  start: "2099-01-05T02:00",
  duration: "PT1H",
  timeZone: "Europe/Madrid",
  scope: { systems },
  owner: "o",
  reason: "r",
});

beforeAll(async () => {
  api = await startApi();
  visible = createVisibleDatabases(api.database);
  await applyWorkspace(
    { ...api.context, keys: { current: masterKeyOf(Buffer.alloc(32, 1)), previous: [] } },
    {
      quiesce: 1,
      systems: [{ key: "payroll" }],
      integrations: [{ key: "salaries", name: "Salaries", via: ["payroll"] }],
      endpoints: [
        { key: "payroll-api", system: "payroll", connector: "http" },
        { key: "erp-api", system: "erp", connector: "http" },
      ],
      windows: [window("both", ["erp", "payroll"]), window("theirs", ["payroll"])],
    },
  );
  const principal = { name: "crew", grants: [{ role: "operator", scope: { kind: "system", name: "erp" } }] } as const;
  sees = visibleEvents(visible.of(principal));
});
afterAll(async () => {
  await visible?.close();
  await api?.stop();
});

const eventOf = (kind: string, payload: LoggedEvent["payload"], subjectKey = "both"): LoggedEvent => ({
  position: 1,
  at: 0,
  kind,
  subjectKind: "window",
  subjectKey,
  integrationKey: null,
  payload,
});

describe("an event of a window that reaches further than its reader", () => {
  it("names what the reader sees, and nothing else", async () => {
    const scope = { systems: ["payroll", "erp"], integrations: ["salaries", "orders"], tags: ["nightly"] };
    expect((await sees(eventOf("window.updated", { title: "Patch", scope, integrations: 3 })))?.payload).toEqual({
      title: "Patch",
      scope: { systems: ["erp"], integrations: ["orders"], tags: ["nightly"] },
      integrations: 3,
    });
    const reheld = await sees(eventOf("window.reheld", { systems: ["payroll", "erp"], reason: "first runs failed" }));
    expect(reheld?.payload).toEqual({ systems: ["erp"], reason: "first runs failed" });
    const plain = eventOf("window.opened", { title: "Patch" });
    expect(await sees(plain)).toEqual(plain);
  });

  it("is not told where it is about an endpoint or a window out of reach", async () => {
    for (const [field, near, far] of [
      ["endpoint", "erp-api", "payroll-api"],
      ["change", "both", "theirs"],
      ["freeze", "both", "theirs"],
    ] as const) {
      expect((await sees(eventOf("window.readiness-checked", { [field]: near })))?.payload).toEqual({ [field]: near });
      expect(await sees(eventOf("window.readiness-checked", { [field]: far }))).toBeNull();
    }
    expect(await sees(eventOf("window.opened", {}, "theirs"))).toBeNull();
  });
});
