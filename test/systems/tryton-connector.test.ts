import { trytonConnector } from "@quiesce/connectors";
import type { Connector, Context, Cursor } from "@quiesce/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listKeys, readPages, readResumed, rejection, runContext, writeItem } from "../connectors/run-context.js";
import { startTryton, trytonInstalled, type Tryton } from "./tryton.js";
import { inTime } from "../connectors/in-time.js";

const PARTIES = 5_000;
const installed = trytonInstalled();
if (!installed && process.env["CI"] !== "true") {
  console.log("Skipped: Tryton is not installed (apt-get install tryton-server tryton-modules-party). CI=true makes this a failure.");
}

describe.runIf(installed || process.env["CI"] === "true")("the tryton connector on a real Tryton 6.0", () => {
  const connector: Connector = trytonConnector;
  let tryton: Tryton;
  let x: Context;

  beforeAll(async () => {
    tryton = await startTryton({ parties: PARTIES });
    x = await context({});
  });
  afterAll(async () => tryton?.remove());

  async function context(more: {
    password?: string;
    stream?: Record<string, unknown>;
    config?: Record<string, unknown>;
    signal?: AbortSignal;
  }): Promise<Context> {
    const { url, database, user, password } = tryton;
    const stream = {
      name: "parties",
      model: "party.party",
      fields: ["code", "name", "active", "lang", "addresses"],
      overlapSeconds: 0,
      codeField: "code",
      ...more.stream,
    };
    const config = { url, database, user, streams: [stream], ...more.config };
    return runContext(connector, {
      config,
      secrets: { password: more.password ?? password },
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    });
  }

  const read = (cursor: Cursor | null, pageSize = 1000) => readPages(connector, x, { stream: "parties", cursor, pageSize });

  test("is up, with the version and who we are, and tells the streams' types", async () => {
    expect(await connector.check?.(x)).toEqual({
      status: "up",
      version: expect.stringMatching(/^6\.0\./u),
      identity: { principal: "admin" },
    });
    const [stream] = (await connector.streams?.(x)) ?? [];
    expect(stream).toMatchObject({
      key: ["id"],
      cursor: "incremental",
      deletes: "snapshot",
      schema: { properties: { active: { type: "boolean" }, addresses: { type: "array" } } },
    });
  });

  test("reads 5,000 parties once each, though records of one call share their time", async () => {
    const whole = await read(null, 333);
    expect(whole.complete).toBe(true);
    expect(whole.records.map((record) => record.data["name"])).toEqual(
      Array.from({ length: PARTIES }, (_, index) => `P${String(index + 1).padStart(5, "0")}`),
    );
    expect(new Set(whole.records.map((record) => record.at)).size).toBeLessThanOrEqual(10);
    expect(whole.records[0]).toMatchObject({ key: "1", data: { id: 1, active: true, lang: null, addresses: [] } });
    // A new reader for every page, as after a kill at every page border.
    const resumed = await readResumed(connector, x, { stream: "parties", pageSize: 700 });
    expect(resumed.map((record) => record.key)).toEqual(whole.records.map((record) => record.key));
  });

  test("reads only what was created or written since, also a second write, a deactivation and a burst that shares one time", async () => {
    const { cursor } = await read(null);
    expect((await read(cursor)).records).toEqual([]);
    await tryton.run("_ = Party.create([{'name': 'New %d' % i} for i in range(25)])\nParty.write([Party(7)], {'name': 'Seven'})");
    await tryton.run("Party.write(Party.browse(range(100, 130)), {'active': False})");
    const second = await read(cursor, 10);
    expect(second.records).toHaveLength(25 + 1 + 30);
    expect(second.records.filter((record) => record.data["active"] === false)).toHaveLength(30);
    await tryton.run("Party.write([Party(7)], {'name': 'Seven again'})");
    const third = await read(second.cursor);
    expect(third.records.map((record) => record.data["name"])).toEqual(["Seven again"]);
    expect((await read(third.cursor)).records).toEqual([]);
  });

  test("a record written after the created pass went by comes in the written pass, not in neither", async () => {
    const begun = await readPages(connector, x, { stream: "parties", pageSize: 2000, stopAfter: 1 });
    const name = "written between two pages";
    await tryton.run(`Party.write([Party(4900)], {'name': '${name}'})`);
    const rest = await readPages(connector, x, { stream: "parties", cursor: begun.cursor, pageSize: 2000 });
    expect(rest.records.filter((record) => record.key === "4900").map((record) => record.data["name"])).toEqual([name]);
  });

  test("with an overlap, reads again what is newer than the last round less the overlap, and nothing else", async () => {
    const overlapping = await context({ stream: { overlapSeconds: 3600 } });
    const { cursor } = await readPages(connector, overlapping, { stream: "parties", pageSize: 1000 });
    // Everything was created within the hour.
    expect((await readPages(connector, overlapping, { stream: "parties", cursor, pageSize: 1000 })).records.length).toBeGreaterThanOrEqual(
      PARTIES,
    );
    const later: Cursor = { ...cursor, seen: "2100-01-01T00:00:00.000000" };
    expect((await readPages(connector, overlapping, { stream: "parties", cursor: later, pageSize: 1000 })).records).toEqual([]);
  });

  test("creates, writes and deletes made while the server was down arrive after it is back; deletions by the keys", async () => {
    const { cursor } = await read(null);
    const before = await listKeys(connector, x, "parties", 999);
    await tryton.stop();
    expect(await rejection(read(cursor))).toMatchObject({ kind: "unavailable" });
    expect(await rejection(Promise.resolve(connector.check?.(x)))).toMatchObject({ kind: "unavailable" });
    await tryton.changeWhileDown(
      "_ = Party.create([{'name': 'Down %d' % i} for i in range(3)])\nParty.write(Party.browse([11, 12]), {'name': 'Down too'})\nParty.delete(Party.browse(range(200, 220)))",
    );
    await tryton.start();
    const after = await read(cursor);
    expect(after.records.map((record) => record.data["name"])).toEqual(["Down 0", "Down 1", "Down 2", "Down too", "Down too"]);
    const keys = new Set(await listKeys(connector, x, "parties", 999));
    const gone = before.filter((key) => !keys.has(key));
    expect(gone).toEqual(Array.from({ length: 20 }, (_, index) => String(200 + index)));
  });

  test("logs in again when the session is gone, and only once when that does not help", async () => {
    await x.state.set("session", Buffer.from("admin:1:of-yesterday").toString("base64"));
    expect((await listKeys(connector, x, "parties", 10_000)).length).toBeGreaterThan(4_000);
    const wrong = await context({ password: "wrong" });
    await wrong.state.set("session", "b2xk");
    const seen: string[] = [];
    const counting: Context = {
      ...wrong,
      fetch: (url, options) => {
        seen.push(JSON.stringify(options?.body));
        return wrong.fetch(url, options);
      },
    };
    expect(await rejection(listKeys(connector, counting, "parties"))).toMatchObject({ kind: "auth", info: { status: 401 } });
    expect(seen.filter((body) => body.includes("common.db.login"))).toHaveLength(1);
    expect(JSON.stringify(await rejection(listKeys(connector, wrong, "parties")))).not.toContain("wrong");
  });

  test("says what is wrong: a field, a model, a database, a stream", async () => {
    const failing = async (more: Parameters<typeof context>[0]) =>
      rejection(readPages(connector, await context(more), { stream: "parties" }));
    expect(await failing({ stream: { fields: ["name", "nofield"] } })).toMatchObject({ kind: "invalid", info: { field: "nofield" } });
    expect(await failing({ stream: { model: "party.nothing" } })).toMatchObject({ kind: "invalid", info: { field: "party.nothing" } });
    expect(await failing({ stream: { domain: [["nofield", "=", 1]] } })).toMatchObject({ kind: "invalid", info: { field: "nofield" } });
    expect(await failing({ config: { database: "nowhere" } })).toMatchObject({ kind: "config" });
    expect(await failing({ stream: { name: "others" } })).toMatchObject({
      kind: "config",
      message: expect.stringContaining("it has others"),
    });
  });

  test("stops at once when it is told to", async () => {
    const stop = new AbortController();
    const stopped = await context({ signal: stop.signal });
    const reading = rejection(readPages(connector, stopped, { stream: "parties", pageSize: 5000 }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    stop.abort({ why: "window" });
    expect(await inTime(reading)).toMatchObject({ kind: "cancelled" });
  });

  test("writes by code: creates, changes, leaves alone what is the same, deletes; a repetition doubles nothing", async () => {
    const items = [writeItem("W-1", { code: "W-1", name: "One" }), writeItem("W-2", { name: "Two", active: false })];
    const first = await connector.write?.apply(x, "parties", items);
    expect(first).toMatchObject([
      { key: "W-1", ok: true, remoteId: expect.any(String) },
      { key: "W-2", ok: true },
    ]);
    expect(await connector.write?.apply(x, "parties", items)).toMatchObject([{ unchanged: true }, { unchanged: true }]);
    const third = await connector.write?.apply(x, "parties", [
      writeItem("W-1", { name: "One more" }),
      writeItem("W-2", {}, { op: "delete" }),
      writeItem("W-3", {}, { op: "delete" }),
      writeItem("W-4", { name: "Four", nofield: 1 }),
      writeItem("W-5", { name: "Five", code: "W-6" }),
    ]);
    expect(third).toMatchObject([
      { key: "W-1", ok: true },
      { key: "W-2", ok: true },
      { key: "W-3", ok: true, unchanged: true },
      { key: "W-4", ok: false, error: { kind: "invalid", field: "nofield" } },
      { key: "W-5", ok: false, error: { kind: "invalid", field: "code" } },
    ]);
    const printed = await tryton.run("print('found', [(p.code, p.name) for p in Party.search([('code', 'like', 'W-%')])])");
    expect(printed).toContain("found [('W-1', 'One more')]");
  });

  test("a code that comes to be there between the look and the write, as by the request of a killed process, is no refusal and no double", async () => {
    const items = [writeItem("R-1", { name: "One" }), writeItem("R-2", { name: "Two" }), writeItem("R-3", { name: "Three" })];
    let isOvertaken = false;
    const overtaken: Context = {
      ...x,
      fetch: async (url, options) => {
        if (!isOvertaken && JSON.stringify(options?.body ?? "").includes(".create")) {
          isOvertaken = true;
          const first = [writeItem("R-1", { name: "One" }), writeItem("R-2", { name: "Not two" })];
          expect(await connector.write?.apply(x, "parties", first)).toMatchObject([{ ok: true }, { ok: true }]);
        }
        return x.fetch(url, options);
      },
    };
    expect(await connector.write?.apply(overtaken, "parties", items)).toMatchObject([
      { key: "R-1", ok: true, unchanged: true },
      { key: "R-2", ok: true },
      { key: "R-3", ok: true },
    ]);
    const printed = await tryton.run("print('found', sorted((p.code, p.name) for p in Party.search([('code', 'like', 'R-%')])))");
    expect(printed).toContain("found [('R-1', 'One'), ('R-2', 'Two'), ('R-3', 'Three')]");
  });
});
