import type { ConnectorError, Health } from "@quiesce/sdk";
import { openLink, type RedisContext } from "./redis-link.js";

/** Whether the server is there and lets these credentials in. */
export async function checkServer(x: RedisContext): Promise<Health> {
  const link = await openLink(x);
  try {
    await link.answer(link.command("PING"));
    // A user may lack the right to ask for the version; the streams are what counts.
    const info = await link.answer(link.command("INFO", "server")).catch((error: ConnectorError) => {
      if (error.kind === "permission") return null;
      throw error;
    });
    const version = /redis_version:(\S+)/u.exec(Buffer.isBuffer(info) ? info.toString("utf8") : "")?.[1];
    return { status: "up", identity: { principal: x.config.user ?? "default" }, ...(version === undefined ? {} : { version }) };
  } finally {
    link.close();
  }
}
