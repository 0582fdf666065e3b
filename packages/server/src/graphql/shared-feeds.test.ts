import { packagedZoneData, type Role } from "@quiesce/core";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import type { Authenticated } from "../access/authenticate.js";
import { type Database, openDatabase } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { encodeCursor, readHead } from "../events/event-log.js";
import { createLiveBus, type LiveBus } from "../events/live-bus.js";
import type { LiveMessage } from "../events/live-message.js";
import { createSequencer, type Sequencer } from "../events/sequencer.js";
import { createApi } from "./create-yoga.js";
import { createPersistedDocuments } from "./persisted-documents.js";
import { type OperationParams, prepareOperation } from "./prepare-operation.js";
import { createSharedFeeds, type LiveStream, type SharedFeeds } from "./shared-feeds.js";

/** A busy machine takes its time; what is waited for comes by an event. */
const soon = (look: () => unknown): Promise<unknown> => vi.waitFor(look, { timeout: 60_000 });

const documents = createPersistedDocuments({ documents: new Map(), only: false });
let fresh: FreshDatabase;
let database: Database;
let sequencer: Sequencer;
let bus: LiveBus;
let api: ReturnType<typeof createApi>;
let feeds: SharedFeeds;
let open: LiveStream[] = [];

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "shared-feeds-test" });
  sequencer = createSequencer(database, silentLog);
  sequencer.start();
  bus = createLiveBus(database, silentLog);
  await bus.start();
  api = createApi({ database, zones: packagedZoneData(), bus, log: silentLog, version: "0", catalogue: {} as never, documents });
  feeds = createSharedFeeds({ bus, log: silentLog });
});
afterEach(async () => {
  for (const stream of open) stream.close();
  await Promise.all(open.map(({ ended }) => ended));
  open = [];
  await soon(() => expect([feeds.size, bus.subscribers]).toEqual([0, 0]));
});
afterAll(async () => {
  await bus.stop();
  await sequencer.stop();
  await database.close();
  await fresh.drop();
});

const callerOf = (role: Role, tokenId = 1): Authenticated => ({
  credential: `token:${tokenId}`,
  principalId: tokenId,
  principal: { name: `${role}-${tokenId}`, grants: [{ role, scope: { kind: "all" } }] },
  expiresAt: null,
});
const LIVE = "subscription ($after: String, $kinds: [String!]) { liveEvents(after: $after, kinds: $kinds) { cursor kind subjectKey } }";

async function subscribe(params: OperationParams, caller = callerOf("viewer")) {
  const operation = await prepareOperation(api, { documents, caller, params, log: silentLog });
  if (!("document" in operation)) throw operation[0];
  const messages: LiveMessage[] = [];
  const stream = await feeds.subscribe(operation, {
    caller,
    sink: { isReady: () => true, write: (message) => void messages.push(message) },
  });
  if (!("ended" in stream)) throw stream[0];
  open.push(stream);
  const answers = () =>
    messages.map((message) => JSON.parse(message.forStream.toString("utf8").slice(18)) as { data: Record<string, { subjectKey: string }> });
  return { stream, messages, answers, keys: () => answers().map(({ data }) => data["liveEvents"]?.subjectKey) };
}

async function emit(keys: readonly string[], subjectKind: "system" | "token" = "system"): Promise<void> {
  await database.db.transaction((tx) =>
    appendEvents(
      tx,
      keys.map((subjectKey) => ({ kind: `${subjectKind}.touched`, subjectKind, subjectKey })),
    ),
  );
  sequencer.poke();
}

describe("a subscription of many", () => {
  it("is executed once, and the same message goes to all, whatever cursor each began from", async () => {
    const place = await readHead(database.sql);
    await emit(["past"]);
    await soon(() => expect(bus.tail.position).toBeGreaterThan(place.position));
    const first = await subscribe({ query: LIVE });
    const late = await subscribe({ query: LIVE, variables: { after: encodeCursor(place) } }, callerOf("viewer", 2));
    await soon(() => expect(late.keys()).toEqual(["past"]));
    expect(feeds.size).toBe(1);
    await emit(["a", "b"]);
    await soon(() =>
      expect([first.keys(), late.keys()]).toEqual([
        ["a", "b"],
        ["past", "a", "b"],
      ]),
    );
    expect(late.messages[1]).toBe(first.messages[0]);
    expect(late.messages[2]).toBe(first.messages[1]);
  });

  it("is executed apart for another document, other variables, another right", async () => {
    await subscribe({ query: LIVE });
    await subscribe({ query: `${LIVE} ` });
    await subscribe({ query: LIVE, variables: { kinds: ["run.*"] } });
    await subscribe({ query: LIVE, variables: { kinds: ["run.*"], unused: 1 } });
    await subscribe({ query: LIVE }, callerOf("operator"));
    expect(feeds.size).toBe(4);
  });

  it("is executed apart where the cursor changes what is answered", async () => {
    const place = await readHead(database.sql);
    const query = "subscription ($after: String, $other: String!) { liveEvents(after: $after, subjects: [$other]) { kind cursor } }";
    const echoed = "subscription ($after: String!) { liveEvents(after: $after, subjects: [$after]) { kind } }";
    await subscribe({ query, variables: { other: "system:a" } });
    await subscribe({ query, variables: { other: "system:b" } });
    expect(feeds.size).toBe(2);
    // A cursor is no subject, so only its place in the key is looked at here.
    await expect(subscribe({ query: echoed, variables: { after: encodeCursor(place) } })).rejects.toMatchObject({
      extensions: { code: "QSC_EVENTS_FILTER_INVALID" },
    });
  });

  it("works with the field inside a fragment", async () => {
    const query = "subscription ($after: String) { ...Live } fragment Live on Subscription { liveEvents(after: $after) { subjectKey } }";
    const after = encodeCursor(await readHead(database.sql));
    const one = await subscribe({ query, variables: { after } });
    await emit(["inside"]);
    await soon(() => expect(one.keys()).toEqual(["inside"]));
  });

  it("shows each what its own rights allow", async () => {
    const [viewer, auditor] = [await subscribe({ query: LIVE }), await subscribe({ query: LIVE }, callerOf("auditor"))];
    await emit(["t1"], "token");
    await emit(["s1"]);
    await soon(() => expect([viewer.keys(), auditor.keys()]).toEqual([["s1"], ["t1", "s1"]]));
  });

  it("goes on under narrowed rights without a gap, a repeat, or anything that is no longer allowed", async () => {
    const narrowed = await subscribe({ query: LIVE }, callerOf("auditor"));
    const untouched = await subscribe({ query: LIVE }, callerOf("auditor", 2));
    await emit(["t1"], "token");
    await emit(["s1"]);
    await soon(() => expect(narrowed.keys()).toEqual(["t1", "s1"]));
    narrowed.stream.pause();
    await emit(["t2"], "token");
    await emit(["s2"]);
    await soon(() => expect(untouched.keys()).toEqual(["t1", "s1", "t2", "s2"]));
    expect(narrowed.keys()).toEqual(["t1", "s1"]);
    narrowed.stream.resume(callerOf("viewer"));
    await emit(["t3"], "token");
    await emit(["s3"]);
    await soon(() => expect(narrowed.keys()).toEqual(["t1", "s1", "s2", "s3"]));
  });
});

describe("a state that many watch", () => {
  const SUMMARY = "subscription { statusSummary { cursor integrations } }";

  it("is shown at once to who joins, and then read once an interval for all, also for who joined between two reads", async () => {
    const watchers = [await subscribe({ query: SUMMARY })];
    await soon(() => expect(watchers[0]?.messages.length).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 400));
    watchers.push(await subscribe({ query: SUMMARY }), await subscribe({ query: SUMMARY }));
    const allHave = (count: number) => soon(() => expect(watchers.map(({ messages }) => messages.length)).toEqual([count, count, count]));
    await allHave(1);
    expect(feeds.size).toBe(1);
    await emit(["something"]);
    await allHave(2);
    // From now on they are due together.
    await emit(["something else"]);
    await allHave(3);
    expect(new Set(watchers.map(({ messages }) => messages[2])).size).toBe(1);
  });

  it("is not sent again when nothing happened", async () => {
    const early = await subscribe({ query: SUMMARY });
    await soon(() => expect(early.messages.length).toBe(1));
    const late = await subscribe({ query: SUMMARY });
    await soon(() => expect(late.messages.length).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect([early.messages.length, late.messages.length]).toEqual([1, 1]);
  });
});
