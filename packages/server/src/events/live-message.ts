const SOCKET_END = Buffer.from("}");
const SSE_START = Buffer.from("event: next\ndata: ");
const SSE_END = Buffer.from("\n\n");

/** One result of a subscription, written out once for everybody who gets it. */
export class LiveMessage {
  /** The place in the log that it continues after. */
  readonly position: number;
  /** When what it tells of happened, epoch milliseconds; 0 when it tells of a state. */
  readonly at: number;
  /** True for a sign of life, which may repeat the position before it. */
  readonly isSignOfLife: boolean;
  readonly #json: Buffer;
  #forSocket: Buffer | null = null;
  #forStream: Buffer | null = null;

  constructor(input: { readonly position: number; readonly at: number; readonly isSignOfLife: boolean; readonly json: string }) {
    this.position = input.position;
    this.at = input.at;
    this.isSignOfLife = input.isSignOfLife;
    this.#json = Buffer.from(input.json, "utf8");
  }

  get bytes(): number {
    return this.#json.length;
  }

  /** The end of a graphql-transport-ws message: it begins with the subscription's own id. */
  get forSocket(): Buffer {
    this.#forSocket ??= Buffer.concat([this.#json, SOCKET_END]);
    return this.#forSocket;
  }

  /** A whole server-sent event. */
  get forStream(): Buffer {
    this.#forStream ??= Buffer.concat([SSE_START, this.#json, SSE_END]);
    return this.#forStream;
  }
}
