import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

/** A message that a receiver was sent, with a signature that fits. */
export interface ReceivedWebhook {
  readonly path: string;
  readonly id: string;
  readonly message: { readonly type: string; readonly timestamp: string; readonly data: { readonly [name: string]: unknown } };
}

export interface WebhookReceiver {
  readonly origin: string;
  /** What the next requests are answered with. */
  answer: { readonly status: number; readonly headers?: { readonly [name: string]: string }; readonly body?: string };
  /** While it is set, an answer waits for it. */
  hold: Promise<void> | null;
  close(): Promise<void>;
}

/**
 * A receiver of webhooks on this machine that puts what comes into `received` before it answers. It asks the library for the signature of the time
 * that was sent: verify() would want that time to be now, and tests have other times. What is signed otherwise is answered with 401 and left out.
 */
export async function startReceiver(options: { readonly secret: string; readonly received: ReceivedWebhook[] }): Promise<WebhookReceiver> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const content = Buffer.concat(chunks).toString("utf8");
      const { status, headers, body } = receiver.answer;
      const held = receiver.hold;
      const id = String(request.headers["webhook-id"]);
      const at = new Date(Number(request.headers["webhook-timestamp"]) * 1_000);
      if (new Webhook(options.secret).sign(id, at, content) !== request.headers["webhook-signature"]) {
        response.writeHead(401).end();
        return;
      }
      options.received.push({ path: String(request.url), id, message: JSON.parse(content) as ReceivedWebhook["message"] });
      await held;
      response.writeHead(status, headers).end(body);
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const receiver: WebhookReceiver = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: { status: 204 },
    hold: null,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}
