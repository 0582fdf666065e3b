import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** How the server answers: a status with a body and headers, or by hand. */
export type Answer =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly json?: unknown; readonly text?: string }
  | ((response: ServerResponse) => void);

/** A real HTTP server on a free loopback port that answers by a function and remembers what it was asked. */
export interface ShopServer {
  readonly url: string;
  readonly seen: SeenRequest[];
  answer: (request: SeenRequest) => Answer;
  close(): Promise<void>;
}

export async function startShopServer(answer: (request: SeenRequest) => Answer): Promise<ShopServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const seen: SeenRequest = {
        method: request.method ?? "",
        url: new URL(request.url ?? "/", "http://server"),
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      shop.seen.push(seen);
      const given = shop.answer(seen);
      if (typeof given === "function") return given(response);
      response.writeHead(given.status ?? 200, { "content-type": "application/json", ...given.headers });
      response.end(given.text ?? (given.json === undefined ? "" : JSON.stringify(given.json)));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const shop: ShopServer = {
    url: `http://127.0.0.1:${address.port}`,
    seen: [],
    answer,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return shop;
}
