import { once } from "node:events";
import { createServer, connect, type Socket } from "node:net";

/**
 * What goes wrong with connections.
 * - `delay`: every piece of an answer comes so many milliseconds later. - `reset`: each new connection is cut at once.
 * - `black-hole`: connections are taken, and nothing is ever said. - `cut`: after so many bytes of answers the connection is cut, or says nothing more.
 */
export type ProxyFault =
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "reset" | "black-hole" }
  | { readonly kind: "cut"; readonly afterBytes: number; readonly how: "reset" | "stall" };

/** A TCP proxy on a free loopback port, for connectors with sockets of their own. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** Bytes of answers that came from the system since the last `inject` or `clear`. */
  readonly answerBytes: number;
  /** Goes wrong so from now on, for connections that are made from now on. */
  readonly inject: (fault: ProxyFault) => void;
  /** Nothing goes wrong any more. */
  readonly clear: () => void;
  /** Resolves when the injected fault has met a connection. */
  readonly met: () => Promise<void>;
  /** Ends all connections. Bears a second call. */
  readonly stop: () => Promise<void>;
}

interface Connection {
  readonly client: Socket;
  readonly system: Socket;
  readonly fault: ProxyFault | undefined;
  /** How many bytes of answers came before this piece. */
  readonly count: (chunk: Buffer) => number;
  readonly meet: () => void;
}

/** Starts a proxy before a system. */
export async function startFaultProxy(target: { readonly host: string; readonly port: number }): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  let fault: ProxyFault | undefined;
  let answerBytes = 0;
  let meet = (): void => undefined;
  let met = new Promise<void>((resolve) => (meet = resolve));
  const change = (next: ProxyFault | undefined): void => {
    fault = next;
    answerBytes = 0;
    met = new Promise<void>((resolve) => (meet = resolve));
  };
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    // Connections that end badly are what this is for.
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };
  const count = (chunk: Buffer): number => {
    answerBytes += chunk.byteLength;
    return answerBytes - chunk.byteLength;
  };
  const server = createServer((client) => {
    keep(client);
    if (fault?.kind === "reset") client.resetAndDestroy();
    else if (fault?.kind === "black-hole") client.resume();
    else return passOn({ client, system: keep(connect(target.port, target.host)), fault, count, meet: () => meet() });
    meet();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    host: "127.0.0.1",
    port: typeof address === "object" && address !== null ? address.port : 0,
    get answerBytes() {
      return answerBytes;
    },
    inject: change,
    clear: () => change(undefined),
    met: async () => met,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

/** Joins client and system until the fault meets them. */
function passOn({ client, system, fault, count, meet }: Connection): void {
  let cut = false;
  client.pipe(system);
  system.on("data", (chunk: Buffer) => {
    const before = count(chunk);
    if (cut) return;
    if (fault?.kind === "delay") {
      setTimeout(() => client.write(chunk), fault.ms);
      return meet();
    }
    if (fault?.kind !== "cut" || before + chunk.byteLength <= fault.afterBytes) return void client.write(chunk);
    cut = true;
    client.write(chunk.subarray(0, Math.max(fault.afterBytes - before, 0)));
    // What the client has sent by then is done by the system, though nobody is told.
    if (fault.how === "reset") client.destroySoon();
    meet();
  });
  system.on("end", () => (cut ? undefined : client.end()));
  client.on("close", () => system.destroy());
  system.on("close", () => (cut ? undefined : client.destroy()));
}
