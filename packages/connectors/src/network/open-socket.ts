import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { networkError, type Context } from "@quiesce/sdk";
import { checkedLookup } from "./checked-lookup.js";
import type { TlsOptions } from "./connection-settings.js";
import { untilStopped } from "./until-stopped.js";

/** Where to, and how. */
export interface SocketTarget {
  readonly host: string;
  readonly port: number;
  /** Undefined: without encryption, or it comes later (STARTTLS). */
  readonly tls: TlsOptions | undefined;
  readonly connectTimeoutSeconds: number;
  /** The system, for messages. */
  readonly where: string;
}

/** Opens a socket to a checked address. Rejects with ConnectorErrors: unavailable, timeout, config (certificate), permission (address), cancelled. */
export async function openSocket(x: Pick<Context, "signal" | "resolveHost">, target: SocketTarget): Promise<Socket> {
  const { host, port, tls, where } = target;
  const place = { host, port, lookup: await checkedLookup(x, host) };
  const socket = tls === undefined ? connectPlain(place) : connectTls({ ...place, ...tls });
  // An error when nobody waits is met by the next use; unheard it would end the process.
  socket.on("error", () => undefined);
  const release = (): void => void socket.destroy();
  const opened = once(socket, tls === undefined ? "connect" : "secureConnect");
  try {
    await untilStopped({ signal: x.signal, where, limitMs: target.connectTimeoutSeconds * 1_000, release }, opened);
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    return socket;
  } catch (thrown) {
    release();
    throw networkError(thrown, where, x.signal);
  }
}
