import { connect, followEvents, type Connection, type LiveEvent, type Refusal } from "@quiesce/client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { appendEvents } from "../../packages/server/src/events/append-events.js";
import { encodeCursor } from "../../packages/server/src/events/event-log.js";
import { type StartedApi, startApi } from "../server/start-api.js";
import { type OpenWire, openWire } from "../server/wire.js";

/** The machine may be loaded fifteen times over. */
const patience = { timeout: 60_000 };

let api: StartedApi;
let wire: OpenWire;
let connection: Connection;
beforeEach(async () => {
  [api, wire] = await Promise.all([startApi(), openWire()]);
  wire.lead(Number(new URL(api.url).port));
  connection = open(api.tokens.operator);
});
afterEach(async () => {
  connection.close();
  wire.cut();
  await api.stop();
  await wire.close();
});

const open = (token: string) =>
  connect({ url: `${wire.url}/graphql`, token, webSocketImpl: WebSocket, retryWaitMs: () => 20, pingMs: 500 });
const emit = (key: string) =>
  api.database.db.transaction((tx) => appendEvents(tx, [{ kind: "system.touched", subjectKind: "system", subjectKey: key }]));
const touched = (events: readonly LiveEvent[]) => events.map(({ subjectKey }) => subjectKey);

function follow(after?: string) {
  const events: LiveEvent[] = [];
  const gaps: Refusal[] = [];
  const refusals: Refusal[] = [];
  const followed = followEvents(connection, {
    after,
    kinds: ["system.*"],
    onEvent: (event) => events.push(event),
    onGap: (refusal) => gaps.push(refusal),
    onRefused: (refusal) => refusals.push(refusal),
  });
  return { events, gaps, refusals, followed };
}

describe("followed events", () => {
  it("come each once and in order across connections that are cut, also what happened meanwhile", async () => {
    const { events, gaps, followed } = follow();
    await expect.poll(() => connection.live.status.get().kind, patience).toBe("live");
    const wanted: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      for (const part of ["before", "while"]) {
        if (part === "while") wire.cut();
        for (let n = 0; n < 10; n += 1) {
          wanted.push(`${round}-${part}-${n}`);
          await emit(`${round}-${part}-${n}`);
        }
      }
      if (round % 2 === 0) await expect.poll(() => connection.live.status.get().kind, patience).toBe("lost");
      wire.mend();
    }
    await expect.poll(() => events.length, patience).toBeGreaterThanOrEqual(wanted.length);
    expect(touched(events)).toEqual(wanted);
    expect(gaps).toEqual([]);
    followed.stop();
  });

  it("lose nothing when the connection is lost before the first of them", async () => {
    const { events, followed } = follow();
    await expect.poll(() => followed.cursor, patience).not.toBeNull();
    wire.cut();
    await emit("early");
    wire.mend();
    await expect.poll(() => touched(events), patience).toEqual(["early"]);
    followed.stop();
  });

  it("tell of a gap when the log was replaced by a backup's, and go on from there", async () => {
    const foreign = encodeCursor({ epoch: "00000000-0000-4000-8000-000000000000", position: 3 });
    const { events, gaps, followed } = follow(foreign);
    await expect.poll(() => gaps.map(({ code }) => code), patience).toEqual(["QSC_EVENTS_CURSOR_FOREIGN"]);
    await emit("after the gap");
    await expect.poll(() => touched(events), patience).toEqual(["after the gap"]);
    expect(gaps).toHaveLength(1);
    followed.stop();
  });

  it("go on from a cursor of before", async () => {
    const first = follow();
    await expect.poll(() => first.followed.cursor, patience).not.toBeNull();
    await emit("one");
    await expect.poll(() => touched(first.events), patience).toEqual(["one"]);
    const { cursor } = first.followed;
    first.followed.stop();
    await emit("two");
    const second = follow(cursor ?? undefined);
    await expect.poll(() => touched(second.events), patience).toEqual(["two"]);
    expect(touched(first.events)).toEqual(["one"]);
    second.followed.stop();
  });

  it("end with the token, which is said", async () => {
    connection.close();
    connection = open("qsc_nobody");
    const { refusals, followed } = follow();
    await expect.poll(() => refusals.length, patience).toBe(1);
    expect(connection.live.status.get()).toMatchObject({ kind: "signed-out", refusal: { code: "QSC_ACCESS_TOKEN_INVALID" } });
    followed.stop();
  });

  it("end when the token is revoked while they are followed", async () => {
    const { refusals, followed } = follow();
    await expect.poll(() => connection.live.status.get().kind, patience).toBe("live");
    await api.database.sql`update api_token set revoked_at = app_now() where name = 'test-operator'`;
    await expect.poll(() => refusals.map(({ code }) => code), patience).toEqual(["QSC_ACCESS_SESSION_OVER"]);
    expect(connection.live.status.get().kind).toBe("signed-out");
    followed.stop();
  });
});
