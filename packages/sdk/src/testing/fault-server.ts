import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** As text. */
  readonly body: string;
}

/** What a system answers. `json` wins over `text`; nothing of both is an empty body. */
export interface FakeAnswer {
  /** 200 if absent. */
  readonly status?: number;
  readonly headers?: { readonly [name: string]: string };
  readonly json?: unknown;
  readonly text?: string;
}

/**
 * What goes wrong with a request.
 * - `answer`: answered with this instead, and the system is not asked. - `delay`: answered so many milliseconds later.
 * - `reset`: the connection is cut, the system is not asked. - `lost-answer`: the system has done it, then the connection is cut.
 * - `black-hole`: never answered. - `slow-loris`: head and first byte, then nothing. - `truncated`: the system has done it, the answer breaks off in its middle.
 * - `html`: 200 with a page for people. - `huge-body`: 12 MiB. - `gzip-bomb`: 64 MiB in 64 KiB.
 * - `redirect`: 302 to `to`.
 */
export type Fault =
  | { readonly kind: "answer"; readonly answer: FakeAnswer }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "reset" | "lost-answer" | "black-hole" | "slow-loris" | "truncated" | "html" | "huge-body" | "gzip-bomb" }
  | { readonly kind: "redirect"; readonly to: string };

/** Which requests go wrong; `index` counts from 0 since the fault was injected. */
export type FaultCondition = (request: SeenRequest, index: number) => boolean;

/** An HTTP server on a free loopback port that answers by a function, and makes go wrong what one tells it to. */
export interface FaultServer {
  readonly url: string;
  /** Every request since the start, in order of arrival. */
  readonly seen: readonly SeenRequest[];
  /** All requests go wrong so from now on, or those that meet the condition. Replaces an earlier fault. */
  readonly inject: (fault: Fault, when?: FaultCondition) => void;
  /** Nothing goes wrong any more. */
  readonly clear: () => void;
  /** Resolves when the injected fault has met a request. */
  readonly met: () => Promise<void>;
  /** Ends all connections. Bears a second call. */
  readonly stop: () => Promise<void>;
}

const HUGE_BYTES = 12 * 1024 * 1024;
const BOMB_BYTES = 64 * 1024 * 1024;
const BOMB_PART_BYTES = 1024 * 1024;
const PAGE = "<!doctype html><html><body><h1>Sign in</h1></body></html>";

interface Injected {
  readonly fault: Fault;
  readonly when: FaultCondition;
  count: number;
  readonly met: Promise<void>;
  readonly meet: () => void;
}

/** Starts the server. `answer` is the system behind it. */
export async function startFaultServer(answer: (request: SeenRequest) => FakeAnswer | Promise<FakeAnswer>): Promise<FaultServer> {
  const seen: SeenRequest[] = [];
  let injected: Injected | undefined;
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    // A client that goes away is what half of the tests are about.
    incoming.on("error", () => undefined);
    response.on("error", () => undefined);
    incoming.on("end", () => {
      const request: SeenRequest = {
        method: incoming.method ?? "GET",
        url: new URL(incoming.url ?? "/", url()),
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      seen.push(request);
      void respond(request, response).catch((thrown: unknown) => {
        send(response, { status: 500, text: `The fake system threw: ${String(thrown)}` });
      });
    });
  });
  const url = (): string => {
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  };
  const respond = async (request: SeenRequest, response: ServerResponse): Promise<void> => {
    const current = injected;
    const index = current?.count ?? 0;
    if (current !== undefined) current.count += 1;
    if (current === undefined || !current.when(request, index)) return send(response, await answer(request));
    await goWrong(current.fault, response, async () => answer(request));
    current.meet();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = url();
  return {
    url: address,
    seen,
    inject: (fault, when = () => true) => {
      let meet = (): void => undefined;
      const met = new Promise<void>((resolve) => (meet = resolve));
      injected = { fault, when, count: 0, met, meet };
    },
    clear: () => (injected = undefined),
    met: async () => injected?.met,
    stop: async () => {
      server.closeAllConnections();
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

async function goWrong(fault: Fault, response: ServerResponse, answer: () => Promise<FakeAnswer>): Promise<void> {
  const json = { "content-type": "application/json" };
  switch (fault.kind) {
    case "answer":
      return send(response, fault.answer);
    case "delay":
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      return send(response, await answer());
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "lost-answer":
      await answer();
      response.socket?.resetAndDestroy();
      return;
    case "black-hole":
      return;
    case "slow-loris":
      response.writeHead(200, { ...json, "content-length": "1000" }).write("[");
      return;
    case "truncated":
      await answer();
      response.writeHead(200, { ...json, "content-length": "1000" });
      response.write('{"a":', () => response.socket?.destroy());
      return;
    case "html":
      return send(response, { headers: { "content-type": "text/html; charset=utf-8" }, text: PAGE });
    case "huge-body":
      response.writeHead(200, json).end(Buffer.alloc(HUGE_BYTES, 0x20));
      return;
    case "gzip-bomb":
      response.writeHead(200, { ...json, "content-encoding": "gzip" }).end(bomb());
      return;
    case "redirect":
      return send(response, { status: 302, headers: { location: fault.to } });
  }
}

let packed: Buffer | undefined;

function bomb(): Buffer {
  if (packed === undefined) {
    const part = gzipSync(Buffer.alloc(BOMB_PART_BYTES, 0x20));
    // A file of gzip may consist of many: to pack all of it at once takes a busy machine seconds, in the middle of a request.
    packed = Buffer.concat(Array.from({ length: BOMB_BYTES / BOMB_PART_BYTES }, () => part));
  }
  return packed;
}

function send(response: ServerResponse, answer: FakeAnswer): void {
  const body = answer.json === undefined ? answer.text : JSON.stringify(answer.json);
  response.writeHead(answer.status ?? 200, {
    ...(answer.json === undefined ? {} : { "content-type": "application/json" }),
    ...answer.headers,
  });
  response.end(body);
}
