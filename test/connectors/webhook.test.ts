import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { webhookConnector } from "@quiesce/connectors";
import { type Connector, parseSettings, type WriteResult, writeIdempotency } from "@quiesce/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { signedHeaders } from "../../packages/connectors/src/webhook/sign-message.js";
import { freePort } from "../lifecycle/free-port.js";
import { rejection, runContext, writeItem } from "./run-context.js";
import { inTime } from "./in-time.js";

const connector: Connector = webhookConnector;
const SECRET = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
const OLDER = `whsec_${Buffer.alloc(32, 2).toString("base64")}`;

interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
const received: Received[] = [];
/** What the next requests are answered with; 204 when it is empty. "hang" answers nothing, "reset" hangs up. */
const answers: (number | "hang" | "reset")[] = [];
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      received.push({ method: request.method, path: request.url, headers: request.headers, body });
      const answer = answers.shift() ?? 204;
      if (answer === "reset") request.socket.destroy();
      else if (answer !== "hang") response.writeHead(answer, { location: "https://elsewhere.example", "retry-after": "7" }).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/orders`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});
beforeEach(() => {
  received.length = 0;
  answers.length = 0;
});

type More = {
  readonly config?: object;
  readonly stream?: object;
  readonly secrets?: object;
  readonly signal?: AbortSignal;
  readonly now?: Date;
};
const endpoint = (more: More = {}) =>
  runContext(connector, {
    config: { url, ...more.config, streams: [{ name: "orders", type: "order.updated", deletedType: "order.deleted", ...more.stream }] },
    secrets: { signingSecret: SECRET, ...more.secrets },
    now: more.now ?? new Date("2026-11-20T08:00:00.500Z"),
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  });
type Items = Parameters<NonNullable<typeof connector.write>["apply"]>[2];
const send = async (items: Items, more: More = {}): Promise<readonly WriteResult[]> =>
  (await connector.write?.apply(await endpoint(more), "orders", items)) ?? [];
/** The signature by the words of the specification, not by the library that made it. */
const expectedSignature = (secret: string, { headers, body }: Received): string => {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  return `v1,${createHmac("sha256", key).update(signed, "utf8").digest("base64")}`;
};

test("signs as the standard's own example does", () => {
  const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", sentAt: new Date(1_614_265_330_000), body: '{"test": 2432232314}' };
  expect(signedHeaders(message, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])).toEqual({
    "webhook-id": message.id,
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

describe("the webhook connector", () => {
  test("posts a signed message for each record, with the same id for the same change", async () => {
    const items = [writeItem("1", { id: 1, name: "Grüße" }), writeItem("2", {}, { op: "delete", at: "2026-11-19T00:00:00Z" })];
    const results = await send(items);
    expect(results).toEqual(received.map(({ headers }, index) => ({ key: String(index + 1), ok: true, remoteId: headers["webhook-id"] })));
    expect(received.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { type: "order.updated", timestamp: "2026-11-20T08:00:00.500Z", key: "1", data: { id: 1, name: "Grüße" } },
      { type: "order.deleted", timestamp: "2026-11-19T00:00:00Z", key: "2", data: {} },
    ]);
    for (const message of received) {
      expect(message).toMatchObject({ method: "POST", path: "/hooks/orders" });
      expect(message.headers["webhook-timestamp"]).toBe("1795161600");
      expect(message.headers["webhook-signature"]).toBe(expectedSignature(SECRET, message));
    }
    const ids = received.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^msg_[\w-]+$/u);
    await send(items, { now: new Date("2026-11-20T09:00:00Z") });
    expect(received.slice(2).map(({ headers }) => headers["webhook-id"])).toEqual(ids);
    expect(received[2]?.headers["webhook-signature"]).not.toBe(received[0]?.headers["webhook-signature"]);
  });

  test("signs with both secrets while the receiver changes over, and to the stream's own path", async () => {
    await send([writeItem("1", {})], { secrets: { previousSigningSecret: OLDER }, stream: { path: "/other?x=1" } });
    const [message] = received;
    if (message === undefined) throw new Error("nothing was received");
    expect(message.path).toBe("/other?x=1");
    expect(message.headers["webhook-signature"]).toBe(`${expectedSignature(SECRET, message)} ${expectedSignature(OLDER, message)}`);
  });

  test("a bad record alone, and stops at what concerns the receiver", async () => {
    answers.push(400, 503);
    const deletion = writeItem("3", {}, { op: "delete" });
    const results = await send([writeItem("1", {}), deletion, writeItem("4", {}), writeItem("5", {})], {
      stream: { deletedType: undefined },
    });
    expect(results).toMatchObject([
      { error: { kind: "invalid", status: 400 } },
      { error: { kind: "invalid", message: expect.stringContaining("no deletedType") } },
      { error: { kind: "unavailable", status: 503 } },
      { error: { kind: "unavailable" } },
    ]);
    expect(received).toHaveLength(2);
  });

  test.each([
    [410, "config"],
    [302, "config"],
    [401, "auth"],
    [429, "rate_limited"],
    [500, "transient"],
  ] as const)("an answer of %d as %s", async (status, kind) => {
    answers.push(status);
    expect(await send([writeItem("1", {})])).toMatchObject([{ ok: false, error: { kind, status } }]);
    expect(received).toHaveLength(1);
  });

  test("an answer that does not come as a doubt: repeated with its id if receivers know repetitions, else never", async () => {
    answers.push("reset", "hang");
    expect(await send([writeItem("1", {})])).toMatchObject([{ error: { kind: "unavailable", ambiguous: true } }]);
    expect(await send([writeItem("1", {})], { config: { timeoutSeconds: 1 } })).toMatchObject([
      { error: { kind: "timeout", ambiguous: true } },
    ]);
    if (connector.write === undefined) throw new Error("no write");
    expect(writeIdempotency(connector.write, (await endpoint()).config, "orders")).toBe("key");
    expect(writeIdempotency(connector.write, (await endpoint({ config: { repeats: "in-doubt" } })).config, "orders")).toBe("none");
  });

  test("a stop as cancelled, within 250 ms", async () => {
    answers.push("hang");
    const stop = new AbortController();
    const sending = send([writeItem("1", {}), writeItem("2", {})], { signal: stop.signal });
    await expect.poll(() => received.length).toBe(1);
    stop.abort({ why: "window" });
    expect(await inTime(sending)).toMatchObject([{ error: { kind: "cancelled", ambiguous: true } }, { error: { kind: "cancelled" } }]);
  });

  test("checks without sending a message", async () => {
    answers.push(405, 503);
    expect(await connector.check?.(await endpoint())).toEqual({ status: "up" });
    expect(await rejection(Promise.resolve(connector.check?.(await endpoint())))).toMatchObject({
      kind: "unavailable",
      info: { status: 503 },
    });
    expect(received.map(({ method }) => method)).toEqual(["HEAD", "HEAD"]);
    const closed = await endpoint({ config: { url: `http://127.0.0.1:${await freePort()}/` } });
    expect(await rejection(Promise.resolve(connector.check?.(closed)))).toMatchObject({ kind: "unavailable" });
  });

  test.each(["secret", "whsec_", "whsec_c2hvcnQ=", `whsec_${Buffer.alloc(65).toString("base64")}`])(
    "refuses the secret %s",
    async (signingSecret) => {
      expect(await parseSettings(connector.secrets, { signingSecret })).toMatchObject({
        ok: false,
        issues: expect.arrayContaining([expect.objectContaining({ path: "signingSecret" })]),
      });
    },
  );
});
