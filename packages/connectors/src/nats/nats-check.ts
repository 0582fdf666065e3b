import type { Health } from "@quiesce/sdk";
import { openLink, type NatsContext } from "./nats-link.js";

/** Whether the server is there and lets these credentials in. */
export async function checkServer(x: NatsContext): Promise<Health> {
  const link = await openLink(x);
  try {
    // Answered by JetStream itself, so it is there and these credentials may use it.
    await link.answer(link.manager.getAccountInfo());
    const version = link.connection.info?.version;
    const principal = x.config.user ?? "nats client";
    return { status: "up", identity: { principal }, ...(version === undefined ? {} : { version }) };
  } finally {
    await link.close();
  }
}
