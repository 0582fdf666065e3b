import { trytonConnector } from "@quiesce/connectors";
import { afterEach, describe, expect, test } from "vitest";
import { FakeTryton } from "./fake-tryton.js";
import { readPages, rejection, runContext, writeItem } from "./run-context.js";
import { startShopServer, type Answer, type ShopServer } from "./shop-server.js";

let server: ShopServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A Tryton whose calls of one name are answered by hand; an exception's words come in a 200, as trytond sends them. */
async function endpoint(broken: { readonly method: string; readonly answer: Answer }) {
  const tryton = new FakeTryton();
  const started = await startShopServer((request) => {
    const { method } = JSON.parse(request.body) as { readonly method: string };
    return method.endsWith(broken.method) ? broken.answer : tryton.handle(request);
  });
  server = started;
  const config = {
    url: started.url,
    database: "erp",
    user: "admin",
    streams: [{ name: "parties", model: "party.party", fields: ["code", "name"], overlapSeconds: 0, codeField: "code" }],
  };
  const x = await runContext(trytonConnector, { config, secrets: { password: "good" } });
  const calls = () =>
    started.seen.map(({ body }) => (JSON.parse(body) as { readonly method: string }).method).filter((name) => name.endsWith(broken.method))
      .length;
  return { tryton, x, calls };
}

const exception = (words: string): Answer => ({ json: { id: 1, error: [words, ""] } });

const LOST = [
  "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.\n",
  'could not connect to server: Connection refused\n\tIs the server running on host "db" (10.0.0.2) and accepting\n\tTCP/IP connections on port 5432?\n',
  'connection to server at "db" (10.0.0.2), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n',
  "terminating connection due to administrator command\nSSL connection has been closed unexpectedly\n",
  "connection already closed",
  "cursor already closed",
  "FATAL:  the database system is starting up\n",
  "FATAL:  sorry, too many clients already\n",
  "canceling statement due to statement timeout\n",
  "cannot execute INSERT in a read-only transaction\n",
];

describe("a Tryton that has lost its own database", () => {
  test.each(LOST)("is unavailable while it is read: %j", async (words) => {
    const { x } = await endpoint({ method: ".search_read", answer: exception(words) });
    expect(await rejection(readPages(trytonConnector, x, { stream: "parties" }))).toMatchObject({ kind: "unavailable" });
  });

  test.each(LOST)("leaves a batch in doubt, and is not asked record by record: %j", async (words) => {
    const { x, calls } = await endpoint({ method: ".create", answer: exception(words) });
    const items = ["C1", "C2", "C3"].map((key) => writeItem(key, { name: key }));
    const results = await trytonConnector.write?.apply(x, "parties", items);
    expect(results).toMatchObject(items.map(({ key }) => ({ key, ok: false, error: { kind: "unavailable", ambiguous: true } })));
    expect(calls()).toBe(1);
  });

  test("does not send the rest of a batch", async () => {
    const { tryton, x, calls } = await endpoint({ method: ".write", answer: exception("connection already closed") });
    for (const code of ["C1", "C2"]) tryton.put(undefined, new Date(0), { code, name: "old" });
    const items = ["C1", "C2"].map((key) => writeItem(key, { name: "new" }));
    const results = await trytonConnector.write?.apply(x, "parties", items);
    expect(results).toMatchObject([
      { ok: false, error: { kind: "unavailable", ambiguous: true } },
      { ok: false, error: { kind: "unavailable", ambiguous: undefined } },
    ]);
    expect(calls()).toBe(1);
  });

  test.each<[string, Answer]>([
    ["in words", exception("FATAL:  the database system is shutting down\n")],
    ["with 404, its answer to whatever it cannot connect to", { status: 404, text: "Not Found" }],
  ])("is unavailable when it is logged in to: %s", async (_how, answer) => {
    const { x } = await endpoint({ method: "common.db.login", answer });
    expect(await rejection(readPages(trytonConnector, x, { stream: "parties" }))).toMatchObject({ kind: "unavailable" });
  });
});

describe("a Tryton that refuses", () => {
  test("a record whose text speaks of a lost connection refuses a record", async () => {
    const refusal: Answer = { json: { id: 1, error: ["UserError", ["The server closed the connection unexpectedly is no name.", ""]] } };
    const { x, calls } = await endpoint({ method: ".create", answer: refusal });
    const results = await trytonConnector.write?.apply(
      x,
      "parties",
      ["C1", "C2"].map((key) => writeItem(key, { name: key })),
    );
    expect(results).toMatchObject([
      { ok: false, error: { kind: "invalid" } },
      { ok: false, error: { kind: "invalid" } },
    ]);
    // Together, and then each by itself.
    expect(calls()).toBe(3);
  });

  test("any other exception is no lost database", async () => {
    const { x } = await endpoint({ method: ".create", answer: exception("null value in column name violates not-null constraint") });
    const results = await trytonConnector.write?.apply(x, "parties", [writeItem("C1", { name: "x" })]);
    expect(results).toMatchObject([{ ok: false, error: { kind: "invalid" } }]);
  });
});
