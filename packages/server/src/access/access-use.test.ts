import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { controlTime, type ControlledTime } from "../../../../test/database/control-time.js";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { type AccessUse, type AccessUser, createAccessUse } from "./access-use.js";

const PATIENCE = { timeout: 60_000 };
const DAY_MS = 86_400_000;
const silent = () => undefined;
const log = { info: silent, warn: silent, error: silent };
let api: StartedApi;
let time: ControlledTime;
let daysOn = 0;

beforeAll(async () => {
  let own: AccessUse | undefined;
  api = await startApi({ use: { used: (user, action) => own?.used(user, action), settled: async () => own?.settled() } });
  own = createAccessUse({ database: api.database, log, wallMs: () => 1_800_000_000_000 + daysOn * DAY_MS });
  // No day ends in the middle of a test.
  time = await controlTime(api.database.sql);
});
afterAll(async () => {
  await api.stop();
});
beforeEach(async () => {
  await api.database.sql`delete from access_use`;
});

const userOf = async (role: string): Promise<AccessUser> => {
  const [row] = await api.database.sql<{ id: number; principal: number }[]>`
    select id, principal_id as principal from api_token where name = ${`test-${role}`}`;
  return { credential: `token:${row?.id ?? 0}`, principalId: row?.principal ?? 0 };
};
const rows = () =>
  api.database.sql<{ token: string | null; action: string; days: number }[]>`
    select t.name as token, u.action, u.last_used_on - u.first_used_on as days
    from access_use as u left join api_token as t on t.id = u.token_id order by t.name, u.action`;
const age = (days: number) =>
  api.database.sql`update access_use set first_used_on = first_used_on - ${days}::integer, last_used_on = last_used_on - ${days}::integer`;

describe("the use of a right", () => {
  it("is written once a day, by token, and by account for sessions", async () => {
    const admin = await userOf("admin");
    let now = 1_800_000_000_000;
    const use = createAccessUse({ database: api.database, log, wallMs: () => now });
    use.used(admin, "runs.read");
    use.used({ ...admin, credential: "session:7" }, "runs.read");
    use.used({ ...admin, credential: "session:8" }, "runs.read");
    await use.settled();
    expect([...(await rows())]).toEqual([
      { token: "test-admin", action: "runs.read", days: 0 },
      { token: null, action: "runs.read", days: 0 },
    ]);
    // As if these had been yesterday's: of the same day nothing is written again, of the next it is.
    await age(1);
    for (let again = 0; again < 1_000; again += 1) use.used(admin, "runs.read");
    await use.settled();
    expect((await rows()).map(({ days }) => days)).toEqual([0, 0]);
    now += DAY_MS;
    use.used(admin, "runs.read");
    await use.settled();
    expect((await rows()).map(({ days }) => days)).toEqual([1, 0]);
  });

  it("of several servers on one day is one row that is left alone", async () => {
    const admin = await userOf("admin");
    const versions = () => api.database.sql<{ xmin: string }[]>`select xmin::text as xmin from access_use`;
    const servers = [1, 2].map(() => createAccessUse({ database: api.database, log }));
    servers[0]?.used(admin, "runs.read");
    await servers[0]?.settled();
    const before = await versions();
    servers[1]?.used(admin, "runs.read");
    await servers[1]?.settled();
    expect([...(await versions())]).toEqual([...before]);
  });

  it("that could not be written is tried again by the next one, and harms nobody", async () => {
    const admin = await userOf("admin");
    let works = false;
    const execute: StartedApi["database"]["db"]["execute"] = (statement) => {
      if (!works) throw new Error("The database is away.");
      return api.database.db.execute(statement);
    };
    const use = createAccessUse({ database: { ...api.database, db: Object.assign(Object.create(api.database.db), { execute }) }, log });
    use.used(admin, "runs.read");
    await use.settled();
    expect(await rows()).toHaveLength(0);
    works = true;
    use.used(admin, "runs.read");
    await use.settled();
    expect(await rows()).toHaveLength(1);
  });

  it("of somebody who is gone is left out", async () => {
    const admin = await userOf("admin");
    const use = createAccessUse({ database: api.database, log });
    use.used({ credential: "token:999999", principalId: admin.principalId }, "runs.read");
    use.used({ credential: "token:1", principalId: 999_999 }, "runs.read");
    use.used(admin, "runs.write");
    await use.settled();
    expect((await rows()).map(({ action }) => action)).toEqual(["runs.write"]);
  });
});

describe("the API", () => {
  const usedBy = async (role: string) => (await rows()).filter(({ token }) => token === `test-${role}`).map(({ action }) => action);

  it("notes what was allowed and done, over GraphQL and REST, and not what was refused", async () => {
    await api.ask("{ runs { nodes { id } } tokens { nodes { name } } }", {}, api.tokens.operator);
    await api.ask('mutation { pause(input: { scope: { systems: ["shop"] }, reason: "look" }) { key } }', {}, api.tokens.operator);
    await fetch(`${api.url}/gate/orders`, { headers: { authorization: `Bearer ${api.tokens.operator}` } });
    await fetch(`${api.url}/health`, { headers: { authorization: `Bearer ${api.tokens.operator}` } });
    await expect
      .poll(() => usedBy("operator"), PATIENCE)
      .toEqual(["control.read", "gate.read", "holds.write", "runs.read", "windows.read"]);
    await fetch(`${api.url}/gate/orders/enter`, { method: "POST", headers: { authorization: `Bearer ${api.tokens.viewer}` } });
    await api.ask("{ me { name } }", {}, api.tokens.auditor);
    await api.ask("{ tokens { nodes { name } } }", {}, api.tokens.auditor);
    await expect.poll(() => usedBy("auditor"), PATIENCE).toEqual(["tokens.read"]);
    expect(await usedBy("viewer")).toEqual([]);
  });

  it("notes that a freeze was overridden only where one was met", async () => {
    const series = (hour: string) => ({ start: `2027-03-02T${hour}:00`, end: `2027-03-02T${hour}:30`, timeZone: "UTC" });
    const plan = (input: object) =>
      api.ask(
        "mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }",
        { input },
        api.tokens.approver,
      );
    const common = { scope: { systems: ["shop"] }, owner: "sales-team", reason: "r" };
    await plan({ ...common, title: "Frozen", kind: "FREEZE", series: series("10") });
    await plan({ ...common, title: "Free", kind: "CHANGE", series: series("12") });
    await expect.poll(() => usedBy("approver"), PATIENCE).toContain("windows.write");
    expect(await usedBy("approver")).not.toContain("windows.override-freeze");
    await plan({ ...common, title: "Bold", kind: "CHANGE", series: series("10"), overrideFreeze: "it must be" });
    await expect.poll(() => usedBy("approver"), PATIENCE).toContain("windows.override-freeze");
  });

  it("notes a stream of events every day that it is open", async () => {
    const leave = new AbortController();
    const response = await fetch(`${api.url}/graphql`, {
      method: "POST",
      signal: leave.signal,
      headers: {
        authorization: `Bearer ${api.tokens["connector-author"]}`,
        "content-type": "application/json",
        accept: "text/event-stream",
      },
      body: JSON.stringify({ query: "subscription { liveEvents { kind } }" }),
    });
    try {
      expect(response.status).toBe(200);
      const days = async () =>
        (await rows()).filter(({ token }) => token === "test-connector-author").map((row) => `${row.action} ${row.days}`);
      await expect.poll(days, PATIENCE).toEqual(["events.read 0"]);
      daysOn += 1;
      await time.advance(DAY_MS);
      await expect.poll(days, PATIENCE).toEqual(["events.read 1"]);
    } finally {
      leave.abort();
    }
  });
});
