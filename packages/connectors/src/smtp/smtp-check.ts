import type { Health } from "@quiesce/sdk";
import { openLink, type SmtpContext } from "./smtp-link.js";

/** Whether the server is there and lets these credentials in. */
export async function checkServer(x: SmtpContext): Promise<Health> {
  const link = await openLink(x);
  await link.close();
  return { status: "up", identity: { principal: x.config.user ?? "anonymous" } };
}
