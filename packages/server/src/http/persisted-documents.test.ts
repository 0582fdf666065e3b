import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type GraphqlAnswer, type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createPersistedDocuments } from "../graphql/persisted-documents.js";

const MODE = "query Mode { control { mode } }";
const LIVE = "subscription ($after: String) { liveEvents(after: $after) { kind } }";
const idOf = (text: string) => createHash("sha256").update(text).digest("hex");
const documents = new Map(
  [MODE, LIVE, 'mutation { setMode(input: { mode: OBSERVE, reason: "x" }) { mode } }'].map((text) => [idOf(text), text]),
);

let api: StartedApi;
let locked: StartedApi;
beforeAll(async () => {
  api = await startApi({ documents: createPersistedDocuments({ documents, only: false }) });
  locked = await startApi({ documents: createPersistedDocuments({ documents, only: true }) });
});
afterAll(async () => {
  await Promise.all([api.stop(), locked.stop()]);
});

const headersOf = (to: StartedApi, accept = "application/json") => ({
  authorization: `Bearer ${to.tokens.admin}`,
  "content-type": "application/json",
  accept,
});
const post = async (to: StartedApi, body: object) => {
  const response = await fetch(`${to.url}/graphql`, { method: "POST", headers: headersOf(to), body: JSON.stringify(body) });
  return (await response.json()) as GraphqlAnswer;
};
const get = async (to: StartedApi, params: Record<string, string>) => {
  const response = await fetch(`${to.url}/graphql?${new URLSearchParams(params).toString()}`, { headers: headersOf(to) });
  return (await response.json()) as GraphqlAnswer;
};
const codeOf = ({ errors }: GraphqlAnswer) => errors?.[0]?.extensions.code;

/** The first message that answers an operation on a socket. */
async function overSocket(to: StartedApi, payload: object): Promise<string> {
  const socket = new WebSocket(`${to.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  try {
    return await new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("open", () =>
        socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${to.tokens.admin}` } })),
      );
      socket.on("message", (data: Buffer) => {
        const text = data.toString("utf8");
        if (text.includes("connection_ack")) socket.send(JSON.stringify({ id: "1", type: "subscribe", payload }));
        else resolve(text);
      });
    });
  } finally {
    socket.terminate();
  }
}

async function overStream(to: StartedApi, body: object): Promise<string> {
  const response = await fetch(`${to.url}/graphql`, {
    method: "POST",
    headers: headersOf(to, "text/event-stream"),
    body: JSON.stringify(body),
  });
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString("utf8");
    if (text.includes("event: next")) break;
  }
  return text;
}

describe("a registered document", () => {
  it("is executed by its id over HTTP, POST and GET", async () => {
    const answer = { data: { control: { mode: "ENFORCE" } } };
    expect(await post(api, { documentId: idOf(MODE) })).toEqual(answer);
    expect(await post(api, { documentId: `sha256:${idOf(MODE)}`, query: "" })).toEqual(answer);
    expect(await get(api, { documentId: idOf(MODE) })).toEqual(answer);
    expect(codeOf(await post(api, { documentId: idOf("another") }))).toBe("QSC_GRAPHQL_DOCUMENT_UNKNOWN");
    expect(codeOf(await get(api, { documentId: "unknown" }))).toBe("QSC_GRAPHQL_DOCUMENT_UNKNOWN");
  });

  it("does not make a mutation of a GET", async () => {
    const [, , mutation] = [...documents.keys()];
    expect((await get(api, { documentId: mutation ?? "" })).data ?? null).toBeNull();
    expect(await post(api, { documentId: idOf(MODE) })).toEqual({ data: { control: { mode: "ENFORCE" } } });
  });

  it("is executed by its id over a WebSocket and server-sent events, queries and subscriptions", async () => {
    const after = (await api.ask("{ eventCursor }")).data?.["eventCursor"];
    await api.ask('mutation { pause(input: { scope: { all: true }, reason: "seen" }) { key } }');
    const live = { query: "", documentId: idOf(LIVE), variables: { after } };
    expect(await overSocket(api, { query: "", documentId: idOf(MODE) })).toContain("ENFORCE");
    expect(await overSocket(api, live)).toContain("hold.created");
    expect(await overStream(api, live)).toContain("hold.created");
    expect(await overSocket(api, { query: "", documentId: "unknown" })).toContain("QSC_GRAPHQL_DOCUMENT_UNKNOWN");
    expect(await overStream(api, { documentId: "unknown" })).toContain("QSC_GRAPHQL_DOCUMENT_UNKNOWN");
  });
});

describe("a server that takes only registered documents", () => {
  it("refuses every other over every transport, introspection included", async () => {
    const other = "{ control { mode } }";
    expect(codeOf(await locked.ask(other))).toBe("QSC_GRAPHQL_DOCUMENT_ONLY");
    expect(codeOf(await locked.ask("{ __schema { queryType { name } } }"))).toBe("QSC_GRAPHQL_DOCUMENT_ONLY");
    expect(codeOf(await get(locked, { query: other }))).toBe("QSC_GRAPHQL_DOCUMENT_ONLY");
    expect(await overSocket(locked, { query: other })).toContain("QSC_GRAPHQL_DOCUMENT_ONLY");
    expect(await overSocket(locked, { query: "subscription { liveEvents { at } }" })).toContain("QSC_GRAPHQL_DOCUMENT_ONLY");
    expect(await overStream(locked, { query: "subscription { liveEvents { at } }" })).toContain("QSC_GRAPHQL_DOCUMENT_ONLY");
  });

  it("executes the registered ones, by id or by their whole text", async () => {
    expect(await post(locked, { documentId: idOf(MODE) })).toEqual({ data: { control: { mode: "ENFORCE" } } });
    expect(await locked.ask(MODE)).toEqual({ data: { control: { mode: "ENFORCE" } } });
  });
});
