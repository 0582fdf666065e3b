import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createStreamTicket } from "../access/stream-tickets.js";
import { createToken, revokeToken } from "../access/tokens.js";
import { appendEvents } from "../events/append-events.js";

/** A busy machine takes its time; what is waited for comes by an event. */
const soon = (look: () => unknown): Promise<unknown> => vi.waitFor(look, { timeout: 60_000 });

const logged: unknown[] = [];
let api: StartedApi;
beforeAll(async () => {
  const keep = (fields: object, message: string) => void logged.push(fields, message);
  api = await startApi({ log: { info: keep, warn: keep, error: keep } });
});
afterAll(async () => {
  await api.stop();
});

const LIVE = "subscription ($after: String) { liveEvents(after: $after) { kind subjectKey } }";
const ticketOf = async (token = api.tokens.viewer) => {
  const { data } = await api.ask("mutation { createStreamTicket { ticket expiresAt } }", {}, token);
  const made = data?.["createStreamTicket"] as { readonly ticket: string } | undefined;
  return made?.ticket ?? "";
};
const emit = (subjectKey: string, subjectKind: "system" | "token" = "system") =>
  api.database.db.transaction((tx) => appendEvents(tx, [{ kind: `${subjectKind}.touched`, subjectKind, subjectKey }]));
const cursorNow = async () => (await api.ask("{ eventCursor }")).data?.["eventCursor"] as string;

/** As EventSource asks: a GET without a header of one's own. */
function open(
  ticket: string,
  options: { readonly query?: string; readonly after?: string; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  const address = new URL(`${api.url}/graphql/stream`);
  address.searchParams.set("ticket", ticket);
  address.searchParams.set("query", options.query ?? LIVE);
  if (options.after !== undefined) address.searchParams.set("variables", JSON.stringify({ after: options.after }));
  return fetch(address, { headers: { accept: "text/event-stream" }, signal: options.signal ?? null });
}
const refusalOf = async (response: Response) => {
  const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
  return [response.status, errors[0]?.extensions.code];
};

describe("a stream by ticket", () => {
  it("brings events with the rights of the token that made the ticket", async () => {
    const after = await cursorNow();
    const leaving = new AbortController();
    const response = await open(await ticketOf(), { after, signal: leaving.signal });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    await emit("hidden", "token");
    await emit("seen");
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString("utf8");
      if (text.includes("seen")) break;
    }
    expect(text).toContain('event: next\ndata: {"data":{"liveEvents":{"kind":"system.touched","subjectKey":"seen"}}}\n\n');
    expect(text).not.toContain("hidden");
    leaving.abort();
  });

  it("opens once: used, unknown and expired tickets get the same 401", async () => {
    const ticket = await ticketOf();
    const answers = await Promise.all([open(ticket), open(ticket), open(ticket)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401]);
    for (const answer of answers) if (answer.status === 200) await answer.body?.cancel();
    const refused = [401, "QSC_ACCESS_TICKET_INVALID"];
    expect(await refusalOf(await open(ticket))).toEqual(refused);
    expect(await refusalOf(await open(`qst_${"a".repeat(43)}`))).toEqual(refused);
    expect(await refusalOf(await open(api.tokens.viewer))).toEqual(refused);
    const late = await ticketOf();
    await api.database.sql`update stream_ticket set expires_at = app_now()`;
    expect(await refusalOf(await open(late))).toEqual(refused);
  });

  it("is refused when the token was revoked in between, and ends when it is revoked later", async () => {
    const token = await createToken(api.context, { name: "short", role: "viewer" });
    const [before, after] = [await ticketOf(token.secret), await ticketOf(token.secret)];
    const stream = await open(before);
    expect(stream.status).toBe(200);
    await revokeToken(api.context, { id: token.id });
    expect(await refusalOf(await open(after))).toEqual([401, "QSC_ACCESS_TICKET_INVALID"]);
    expect(await stream.text()).not.toContain("complete");
  });

  it("carries subscriptions only, and a ticket opens no other address", async () => {
    expect(await refusalOf(await open(await ticketOf(), { query: "{ control { mode } }" }))).toEqual([400, "QSC_GRAPHQL_STREAM_ONLY"]);
    const pause = 'mutation { pause(input: { scope: { all: true }, reason: "by ticket" }) { key } }';
    expect(await refusalOf(await open(await ticketOf(api.tokens.admin), { query: pause }))).toEqual([400, "QSC_GRAPHQL_STREAM_ONLY"]);
    expect((await api.database.sql`select from hold where reason = 'by ticket'`).length).toBe(0);
    const ticket = await ticketOf();
    expect((await api.ask("{ control { mode } }", {}, ticket)).errors?.[0]?.extensions.code).toBe("QSC_ACCESS_TOKEN_INVALID");
    expect((await fetch(`${api.url}/graphql?ticket=${ticket}&query={control{mode}}`)).status).toBe(401);
  });

  it("says in the stream why it cannot begin, because EventSource reads nothing else", async () => {
    const text = await (await open(await ticketOf(), { after: "nonsense" })).text();
    expect(text).toContain("QSC_EVENTS_CURSOR_MALFORMED");
    expect(text.endsWith("event: complete\ndata:\n\n")).toBe(true);
    expect(await (await open(await ticketOf(), { query: "subscription { nothing }" })).text()).toContain("QSC_GRAPHQL_INVALID");
  });

  it("leaves its ticket neither in the database nor in a log", async () => {
    const ticket = await ticketOf();
    const rows = await api.database.sql`select to_jsonb(t)::text as row from stream_ticket as t`;
    expect(rows.length).toBeGreaterThan(0);
    await (await open(ticket)).body?.cancel();
    await open(ticket, { query: "{" });
    for (const text of [JSON.stringify(rows), JSON.stringify(logged)]) expect(text).not.toContain(ticket);
  });
});

describe("the tickets of a token", () => {
  it("are at most a hundred that nobody used, also when they are asked for at once", async () => {
    const token = await createToken(api.context, { name: "many", role: "viewer" });
    const made = await Promise.allSettled(Array.from({ length: 110 }, () => createStreamTicket(api.context, `token:${token.id}`)));
    expect(made.filter(({ status }) => status === "fulfilled").length).toBe(100);
    const [refused] = made.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
    expect(refused).toMatchObject({ code: "QSC_ACCESS_TICKET_LIMIT" });
    await api.database.sql`update stream_ticket set expires_at = app_now() where token_id = ${token.id}`;
    await soon(async () => expect((await createStreamTicket(api.context, `token:${token.id}`)).secret).toMatch(/^qst_/));
  });
});
