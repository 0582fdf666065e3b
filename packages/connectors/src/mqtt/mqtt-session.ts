import { ConnectorError, isConnectorError, type Context } from "@quiesce/sdk";
import { generate, type IConnackPacket, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import { tlsOptionsOf } from "../network/connection-settings.js";
import { openSocket } from "../network/open-socket.js";
import { untilStopped } from "../network/until-stopped.js";
import type { MqttConfig, MqttSecrets } from "./mqtt-config.js";
import { refusal, refusedConnection } from "./mqtt-error.js";

/** A call of this connector. */
export type MqttContext = Context<MqttConfig, MqttSecrets>;

/** How a session begins. */
export interface SessionOptions {
  /** Empty lets the broker give one. */
  readonly clientId: string;
  /** How long the broker keeps the session, in seconds; 0 for one that ends with its connection. */
  readonly keptSeconds: number;
  /** So many messages at most are given to us before we acknowledge one. */
  readonly receiveMaximum?: number;
}

/** A connection to the broker. */
export interface Session {
  readonly where: string;
  readonly opened: IConnackPacket;
  /** Sends a packet. */
  send(packet: Packet): void;
  /** Sends a packet and waits for the one that answers it. */
  request(packet: Packet): Promise<Packet>;
  /** As {@link request}, but without a limit of its own: for many at once, under one {@link answer}. */
  exchange(packet: Packet): Promise<Packet>;
  /** Waits for answers. Errors come classified; an aborted signal and a broker that is silent too long cut the connection. */
  readonly answer: <T>(work: Promise<T>) => Promise<T>;
  /** Takes the messages that arrived, at most so many. */
  take(count: number): readonly IPublishPacket[];
  /** Says goodbye after all that was sent. */
  close(): Promise<void>;
}

const CLOSE_MS = 2_000;
const ANSWERS: { readonly [cmd: string]: Packet["cmd"] } = {
  connect: "connack",
  subscribe: "suback",
  publish: "puback",
  pingreq: "pingresp",
};

/**
 * Opens a session. The packets are coded by the library of the MQTT.js project; its client is not used, because it takes the next message only when
 * the one before is acknowledged, and so could not wait for the commit of a page.
 */
export async function openSession(x: MqttContext, options: SessionOptions): Promise<Session> {
  const { config, secrets, signal } = x;
  const where = `MQTT ${config.host}:${config.port}`;
  const protocolVersion = config.version === "5" ? 5 : 4;
  const socket = await openSocket(x, { ...config, tls: tlsOptionsOf(config, secrets), where });
  const inbox: IPublishPacket[] = [];
  const waiting = new Map<string, { readonly resolve: (packet: Packet) => void; readonly reject: (error: unknown) => void }>();
  let ended: ConnectorError | undefined;
  const end = (error: ConnectorError): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
    socket.destroy();
  };
  const reader = parser({ protocolVersion });
  reader.on("packet", (packet) => {
    if (packet.cmd === "publish") inbox.push(packet);
    else if (packet.cmd === "disconnect")
      end(refusal(where, "to go on", { code: packet.reasonCode ?? 0x80, text: packet.properties?.reasonString }));
    else settle(waiting, packet);
  });
  reader.on("error", (error: unknown) =>
    end(new ConnectorError("contract", `${where} does not speak MQTT ${config.version}: ${String(error)}`)),
  );
  socket.on("data", (bytes: Buffer) => void reader.parse(bytes));
  socket.on("close", () => end(new ConnectorError("unavailable", `${where} ended the connection.`, { ambiguous: true })));
  const send = (packet: Packet): void => {
    // What was not sent is not in doubt.
    if (ended !== undefined) throw new ConnectorError(ended.kind, ended.message);
    socket.write(generate(packet, { protocolVersion }));
  };
  const exchange = (packet: Packet): Promise<Packet> =>
    new Promise((resolve, reject) => {
      const answer = ANSWERS[packet.cmd] ?? packet.cmd;
      send(packet);
      waiting.set(nameOf(answer, packet.messageId), { resolve, reject });
    });
  const answer = <T>(work: Promise<T>): Promise<T> =>
    untilStopped({ signal, where, limitMs: config.answerTimeoutSeconds * 1_000, release: () => void socket.destroy() }, work);
  const request = (packet: Packet): Promise<Packet> => answer(exchange(packet));
  try {
    const opened = await request(connectPacket(x, options, protocolVersion));
    if (opened.cmd !== "connack") throw new ConnectorError("contract", `${where} answered with ${opened.cmd} where connack was due.`);
    const code = opened.reasonCode ?? opened.returnCode ?? 0;
    if (code !== 0) throw refusedConnection(where, { code, text: opened.properties?.reasonString });
    return {
      where,
      opened,
      send,
      request,
      exchange,
      answer,
      take: (count) => inbox.splice(0, count),
      close: async () => {
        if (ended === undefined) socket.end(generate({ cmd: "disconnect", reasonCode: 0 }, { protocolVersion }));
        const closed = new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));
        await untilStopped({ signal, where, limitMs: CLOSE_MS }, closed).catch(() => undefined);
        socket.destroy();
      },
    };
  } catch (thrown) {
    socket.destroy();
    throw beforeWelcome(thrown, where);
  }
}

function connectPacket({ config, secrets }: MqttContext, options: SessionOptions, protocolVersion: 4 | 5): Packet {
  const { clientId, keptSeconds, receiveMaximum } = options;
  const limits = receiveMaximum === undefined ? {} : { receiveMaximum };
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion,
    clientId,
    // In version 5 this asks for the old session, and the expiry keeps the new one.
    clean: keptSeconds === 0,
    // The engine may take long over a page, and says nothing to the broker meanwhile.
    keepalive: 0,
    ...(config.user === undefined ? {} : { username: config.user }),
    ...(secrets.password === undefined ? {} : { password: Buffer.from(secrets.password, "utf8") }),
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: keptSeconds, ...limits } } : {}),
  };
}

function settle(waiting: Map<string, { readonly resolve: (packet: Packet) => void }>, packet: Packet): void {
  const name = nameOf(packet.cmd, packet.messageId);
  waiting.get(name)?.resolve(packet);
  waiting.delete(name);
}

function nameOf(cmd: string, messageId: number | undefined): string {
  return `${cmd} ${messageId ?? 0}`;
}

/** Nothing was sent yet but who we are, so nothing is in doubt. */
function beforeWelcome(thrown: unknown, where: string): unknown {
  if (!isConnectorError(thrown) || thrown.kind !== "unavailable") return thrown;
  return new ConnectorError("unavailable", `${where} ended the connection before it welcomed us.`, { cause: thrown });
}
