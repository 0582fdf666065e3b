import type { Health, Kpi } from "@quiesce/sdk";
import { openLink, type Link, type RabbitmqContext } from "./rabbitmq-link.js";

/** A check looks at no more queues than this. */
const MAX_CHECKED_QUEUES = 20;

/** Whether the server is there and lets these credentials in. */
export async function checkBroker(x: RabbitmqContext): Promise<Health> {
  const link = await openLink(x);
  try {
    const kpis = await queueDepths(x, link);
    const { version } = link.model.connection.serverProperties as { version?: unknown };
    return { status: "up", identity: { principal: x.config.user }, kpis, ...(typeof version === "string" ? { version } : {}) };
  } finally {
    await link.close();
  }
}

async function queueDepths(x: RabbitmqContext, link: Link): Promise<readonly Kpi[]> {
  const channel = await link.answer(link.model.createChannel());
  channel.on("error", () => undefined);
  const kpis: Kpi[] = [];
  for (const { queue } of x.config.streams.filter((stream) => stream.queue !== undefined).slice(0, MAX_CHECKED_QUEUES)) {
    if (queue === undefined) continue;
    const { messageCount } = await link.answer(channel.checkQueue(queue));
    kpis.push({ name: "queue_depth", value: messageCount, labels: { queue } });
  }
  return kpis;
}
