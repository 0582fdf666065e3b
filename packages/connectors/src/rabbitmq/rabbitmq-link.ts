import { connect as connectSocket } from "node:net";
import type { Context } from "@quiesce/sdk";
import { connect, type ChannelModel } from "amqplib";
import { checkedLookup } from "../network/checked-lookup.js";
import { tlsOptionsOf } from "../network/connection-settings.js";
import { untilStopped } from "../network/until-stopped.js";
import type { RabbitmqConfig, RabbitmqSecrets } from "./rabbitmq-config.js";
import { rabbitmqError } from "./rabbitmq-error.js";

/** A call of this connector. */
export type RabbitmqContext = Context<RabbitmqConfig, RabbitmqSecrets>;

/** One connection for one call. */
export interface Link {
  readonly where: string;
  readonly model: ChannelModel;
  /** Waits for an answer of the broker. Errors come classified; an aborted signal and a broker that is silent too long cut the connection. */
  readonly answer: <T>(work: Promise<T>) => Promise<T>;
  /** Says goodbye in order, so that what was acknowledged is so. */
  close(): Promise<void>;
  cut(): void;
}

const HEARTBEAT_SECONDS = 30;
/** A goodbye that takes longer is none. */
const CLOSE_MS = 2_000;

/** Opens a connection that dies with `x.signal`. */
export async function openLink(x: RabbitmqContext): Promise<Link> {
  const { config, secrets, signal } = x;
  const { host, port } = config;
  const where = `RabbitMQ ${host}:${port}${config.vhost}`;
  const limitMs = config.connectTimeoutSeconds * 1_000;
  const tls = tlsOptionsOf(config, secrets);
  const lookup = await checkedLookup(x, host);
  // The client has no other way to end at once: its own one waits for the broker.
  const cutting = new AbortController();
  const socket = { lookup, signal: cutting.signal };
  const release = (): void => cutting.abort();
  const place = { hostname: host, port, username: config.user, password: secrets.password, vhost: encodeURIComponent(config.vhost) };
  const options = {
    timeout: limitMs,
    noDelay: true,
    clientProperties: { connection_name: "quiesce" },
    ...(tls === undefined ? socket : { ...tls, host, socket: connectSocket({ host, port, ...socket }) }),
  };
  let model: ChannelModel;
  try {
    const opening = connect({ ...place, protocol: tls === undefined ? "amqp" : "amqps", heartbeat: HEARTBEAT_SECONDS }, options);
    opening.then(listen).catch(() => undefined);
    model = await untilStopped({ signal, where, limitMs, release }, opening);
  } catch (thrown) {
    release();
    throw rabbitmqError(thrown, where, { signal, opening: true });
  }
  return {
    where,
    model,
    cut: release,
    answer: async (work) => {
      try {
        return await untilStopped({ signal, where, limitMs: config.answerTimeoutSeconds * 1_000, release }, work);
      } catch (thrown) {
        throw rabbitmqError(thrown, where, { signal });
      }
    },
    close: async () => {
      const goodbye = untilStopped({ signal, where, limitMs: CLOSE_MS }, model.close());
      await goodbye.catch(() => undefined);
      release();
    },
  };
}

/** An error of a connection that nobody waits for just now is met by its next use; unheard it would end the process. */
function listen(model: ChannelModel): void {
  model.on("error", () => undefined);
}
