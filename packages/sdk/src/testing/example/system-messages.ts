import type { FakeAnswer, SeenRequest } from "../fault-server.js";

interface StoredMessage {
  readonly id: string;
  readonly key: string;
  readonly text: string;
  readonly thread: string;
}

const CHANNELS = ["operations"];

/** What people of the example's system have been told. A message with a key that it knows is the one that it has. */
export class SystemMessages {
  readonly shown: StoredMessage[] = [];

  handle({ headers, body }: SeenRequest): FakeAnswer {
    const { text, thread, channel } = JSON.parse(body) as { text: string; thread: string; channel: string };
    if (!CHANNELS.includes(channel)) return { status: 404, json: { message: "no such channel" } };
    const key = headers["idempotency-key"];
    const present = this.shown.find((message) => message.key === key);
    if (present !== undefined) return { json: { id: present.id } };
    const made = { id: String(this.shown.length + 1), key: typeof key === "string" ? key : `none ${this.shown.length}`, text, thread };
    this.shown.push(made);
    return { json: { id: made.id } };
  }
}
