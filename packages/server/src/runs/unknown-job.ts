import { DomainError, nearestName } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** So many jobs are compared with what was written, and as many of an integration are named. */
const maxCompared = 10_000;
const maxNamed = 5;

/** There is no such job: the error, with the jobs of the integration that was named instead, or the job whose name is written almost so. */
export async function unknownJob(tx: Tx, key: string): Promise<DomainError> {
  const jobs = await tx.execute<{ key: string; mine: boolean }>(sql`
    select j.key, i.key = ${key} as mine from job as j join integration as i on i.id = j.integration_id order by mine desc, j.key limit ${maxCompared}`);
  const own = jobs.filter(({ mine }) => mine).map((one) => one.key);
  const near = nearestName(
    key,
    jobs.map((one) => one.key),
  );
  const more = own.length > maxNamed ? ` and ${own.length - maxNamed} more` : "";
  const hint =
    own.length > 0
      ? ` "${key}" is an integration: its ${own.length === 1 ? "job is" : "jobs are"} ${own.slice(0, maxNamed).join(", ")}${more}.`
      : near === undefined
        ? ""
        : ` Did you mean "${near}"?`;
  return new DomainError("QSC_JOB_NOT_FOUND", `There is no job "${key}".${hint}`, {
    field: "job",
    details: { jobs: own.length > 0 ? own.slice(0, maxNamed) : near === undefined ? [] : [near] },
  });
}
