import { ERROR_POLICIES, type Health, isConnectorError } from "@quiesce/sdk";

/** Whether a check's answer says that the system works. */
export function isThere({ status }: Health): boolean {
  return status === "up" || status === "degraded";
}

/** What a check says to an open breaker: only no answer, and one that the system is down, leave it open. */
export async function probeOf(check: () => Promise<Health>): Promise<{ readonly isThere: boolean | null; readonly reason: string | null }> {
  try {
    const health = await check();
    if (health.status === "unknown") return { isThere: null, reason: null };
    return isThere(health)
      ? { isThere: true, reason: null }
      : { isThere: false, reason: health.message ?? `The system says that it is ${health.status}.` };
  } catch (error) {
    if (!isConnectorError(error)) throw error;
    if (ERROR_POLICIES[error.kind].feedsBreaker) return { isThere: false, reason: `${error.kind}: ${error.message}` };
    // Refused credentials are an answer; a fault of the connector is none, and the runs will say more.
    return { isThere: error.kind === "bug" || error.kind === "cancelled" ? null : true, reason: null };
  }
}
