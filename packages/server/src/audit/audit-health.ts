import type { Tx } from "../db/client.js";
import type { SchedulerCheck } from "../scheduler/scheduler-health.js";
import { chainState, unsealedTail } from "./chain-store.js";

/** Entries wait for their place a second; so long only when nobody seals. */
const unsealedTooLongMs = 60_000;

/** Whether the audit trail is whole and sealed. It is no reason to keep anybody from this server. */
export async function auditHealth(tx: Tx): Promise<SchedulerCheck> {
  const name = "audit.chain";
  const { position, checkedAt, broken } = await chainState(tx);
  const { count, oldestAt, now } = await unsealedTail(tx);
  const observed = { sealed: position, unsealed: count, checkedAt: checkedAt === null ? null : new Date(checkedAt).toISOString() };
  if (broken !== null)
    return {
      name,
      status: "fail",
      detail: `The audit trail was changed beside Quiesce. ${broken.message} See all of it with: quiesce audit verify`,
      observed: { ...observed, broken: { kind: broken.kind, position: broken.position, entry: broken.entryId } },
      servesAllTheSame: true,
    };
  if (oldestAt !== null && now - oldestAt > unsealedTooLongMs)
    return {
      name,
      status: "warn",
      detail: `${count} audit entries wait to be sealed, the oldest since ${new Date(oldestAt).toISOString()}. Is a server with the role dispatcher running?`,
      observed,
    };
  return { name, status: "pass", observed };
}
