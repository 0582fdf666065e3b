import { webhookConnector } from "@quiesce/connectors";
import { conformance, fake, type FakeAnswer, type FakeSystem, type SeenRequest } from "@quiesce/sdk/testing";
import { describe, it } from "vitest";

const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** A receiver that knows a repetition by its webhook-id, as the standard asks. */
class Receiver implements FakeSystem {
  readonly messages = new Map<string, string>();

  handle({ method, headers, body }: SeenRequest): FakeAnswer {
    if (method !== "POST") return { status: 405, json: {} };
    const message = JSON.parse(body) as { key: string; data: { n?: number } };
    if ((message.data.n ?? 0) >= 1_000) return { status: 422, json: { message: "n is too large" } };
    this.messages.set(String(headers["webhook-id"]), message.key);
    return { status: 202, json: {} };
  }
}

conformance(webhookConnector, {
  describe,
  it,
  server: fake(() => new Receiver()),
  config: {
    valid: ({ url }) => ({ url, timeoutSeconds: 2, streams: [{ name: "written", type: "order.updated", deletedType: "order.deleted" }] }),
    invalid: [{}, { url: "ftp://x", streams: [{ name: "s", type: "t" }] }],
  },
  secrets: { valid: { signingSecret: SIGNING_SECRET } },
  except: {
    "check: check with wrong secrets is auth": "only a message is signed, and a check sends none",
    "check: check: a page for people instead of JSON is contract": "a receiver may answer what it likes",
  },
  write: {
    stream: "written",
    item: (n) => ({ key: `order ${n}`, data: { n } }),
    bad: (n) => ({ key: `order ${n}`, data: { n: 5_000 } }),
    stored: (receiver) => [...receiver.messages.values()],
  },
});
