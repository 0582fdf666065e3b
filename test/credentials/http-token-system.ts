import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type TokenCall = "issue" | "check" | "revoke";

/** Where a call stops: before the system has done it, or when it has and nobody knows. `nth` counts the calls of this kind since the stop was set. */
export interface Stop {
  readonly call: TokenCall;
  readonly nth: number;
  readonly when: "asked" | "done";
}

/** A system that gives out tokens over HTTP, and can be made to fall silent in the middle of any call. */
export interface HttpTokenSystem {
  readonly url: string;
  /** Ids and tokens that are good. */
  readonly alive: ReadonlyMap<string, string>;
  /** What was asked of it with a token that was not good, and tokens that ended themselves. */
  readonly faults: readonly string[];
  /** Falls silent at the next call that fits; resolves when it has. */
  stopAt(stop: Stop): Promise<void>;
  /** Answers again. */
  goOn(): void;
  close(): Promise<void>;
}

export const FIRST_ID = "t0";
export const FIRST_TOKEN = "first-token-canary-0000";

export async function startHttpTokenSystem(): Promise<HttpTokenSystem> {
  const alive = new Map([[FIRST_ID, FIRST_TOKEN]]);
  /** As many systems do: the same key gets the same token again. */
  const issued = new Map<string, string>();
  const faults: string[] = [];
  let silent: {
    readonly stop: Stop;
    left: number;
    readonly reached: () => void;
    readonly wait: Promise<void>;
    readonly end: () => void;
  } | null = null;

  const pass = async (call: TokenCall, when: Stop["when"]): Promise<void> => {
    if (silent === null || silent.stop.call !== call || silent.stop.when !== when) return;
    silent.left -= 1;
    if (silent.left > 0) return;
    silent.reached();
    await silent.wait;
  };

  const answer = async (request: IncomingMessage): Promise<readonly [number, object]> => {
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    const [, place, id = ""] = (request.url ?? "").split("/");
    const call: TokenCall = place === "me" ? "check" : request.method === "POST" ? "issue" : "revoke";
    await pass(call, "asked");
    if (![...alive.values()].includes(token)) {
      faults.push(`${call} with ${token}`);
      return [401, {}];
    }
    if (call === "revoke" && alive.get(id) === token) faults.push(`${token} ended itself`);
    let body = {};
    if (call === "revoke") alive.delete(id);
    if (call === "issue") {
      const key = String(request.headers["idempotency-key"]);
      const newId = issued.get(key) ?? `t${issued.size + 1}`;
      issued.set(key, newId);
      alive.set(newId, `issued-token-canary-${newId}`);
      body = { id: newId, token: alive.get(newId) };
    }
    await pass(call, "done");
    return [200, body];
  };

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    alive,
    faults,
    stopAt: (stop) =>
      new Promise((reached) => {
        let end: () => void = () => undefined;
        const wait = new Promise<void>((resolve) => (end = resolve));
        silent = { stop, left: stop.nth, reached, wait, end };
      }),
    goOn() {
      silent?.end();
      silent = null;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
