/** So many incidents of one root within {@link recurringWithinMs} are a problem of their own. */
export const recurringIncidents = 3;
export const recurringWithinMs = 30 * 86_400_000;

/** Whether incidents of one root come again and again: when they were opened, epoch milliseconds, the newest among them. */
export function isRecurring(openedAt: readonly number[], now: number): boolean {
  return openedAt.filter((at) => at > now - recurringWithinMs && at <= now).length >= recurringIncidents;
}
