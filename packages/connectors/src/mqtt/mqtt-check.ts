import type { Health } from "@quiesce/sdk";
import { openSession, type MqttContext } from "./mqtt-session.js";

/** Whether the server is there and lets these credentials in. */
export async function checkBroker(x: MqttContext): Promise<Health> {
  const session = await openSession(x, { clientId: x.config.clientId ?? "", keptSeconds: 0 });
  await session.close();
  return { status: "up", identity: { principal: x.config.user ?? "anonymous" } };
}
