import type { Tx } from "../db/client.js";
import type { SchedulerCheck } from "../scheduler/scheduler-health.js";
import { credentialProblems } from "./queries.js";

/** So many problems the health check names. */
const maxNamed = 5;

/** Whether credentials of endpoints end within a week or are older than they should be, and whether one is awaited from a person. */
export async function credentialHealth(tx: Tx): Promise<SchedulerCheck> {
  const name = "credentials";
  const problems = await credentialProblems(tx);
  if (problems.length === 0) return { name, status: "pass" };
  const detail = `${problems.slice(0, maxNamed).join(" ")} See: quiesce credential list`;
  return { name, status: "warn", detail, observed: { credentials: problems.length } };
}
