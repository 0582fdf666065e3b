import { workspaceProblem, type WorkspaceProblem } from "./workspace-problem.js";
import type { IntegrationEntry, JobEntry } from "./workspace-schema.js";

interface Pushing {
  readonly integrations: readonly IntegrationEntry[];
  readonly jobs: readonly JobEntry[];
}

/** What is pushed for an integration is delivered by exactly one job of it, which has no schedule: it is queued when something was pushed. */
export function pushProblems(document: Pushing, standing: Pushing | undefined): readonly WorkspaceProblem[] {
  const facts = factsOf(document, standing);
  return [
    ...document.integrations.flatMap((integration, index) => {
      const at = integration.streams.findIndex((stream) => stream.push);
      if (at < 0 || facts.pushJobsOf(integration.key).length > 0) return [];
      return [
        workspaceProblem(
          ["integrations", index, "streams", at, "push"],
          `Records are pushed for integration "${integration.key}", but no job delivers them. Give it a job with push: true and no schedule.`,
        ),
      ];
    }),
    ...document.jobs.flatMap((job, index) => {
      const message = job.push ? pushJobProblem(job, facts) : lastJobProblem(job, facts);
      return message === undefined ? [] : [workspaceProblem(["jobs", index, "push"], message)];
    }),
  ];
}

/** Looked up by key: a workspace may hold a hundred thousand of each. */
interface Facts {
  readonly integrations: ReadonlyMap<string, IntegrationEntry>;
  readonly given: ReadonlySet<string>;
  pushJobsOf(integration: string): readonly JobEntry[];
  isPushed(integration: string): boolean;
}

function factsOf(document: Pushing, standing: Pushing | undefined): Facts {
  const integrations = merged(standing?.integrations, document.integrations);
  const pushJobs = new Map<string, JobEntry[]>();
  for (const job of merged(standing?.jobs, document.jobs).values()) {
    if (!job.push) continue;
    const list = pushJobs.get(job.integration);
    if (list === undefined) pushJobs.set(job.integration, [job]);
    else list.push(job);
  }
  return {
    integrations,
    given: new Set(document.integrations.map((integration) => integration.key)),
    pushJobsOf: (integration) => pushJobs.get(integration) ?? [],
    isPushed: (integration) => integrations.get(integration)?.streams.some((stream) => stream.push) === true,
  };
}

function pushJobProblem(job: JobEntry, facts: Facts): string | undefined {
  if (job.reconcile) return `Job "${job.key}" has push: true and reconcile: true, expected at most one of them. Make two jobs of it.`;
  if (job.schedule !== null) return `Job "${job.key}" delivers what is pushed, and is queued when something was. Take its schedule away.`;
  if (facts.integrations.has(job.integration) && !facts.isPushed(job.integration))
    return `Job "${job.key}" delivers what is pushed, but integration "${job.integration}" has no stream with push: true. Mark the stream, or leave push out of the job.`;
  const other = facts.pushJobsOf(job.integration).find((one) => one.key !== job.key);
  if (other === undefined) return undefined;
  return `Found "${job.key}" and "${other.key}": only one job delivers what is pushed for integration "${job.integration}", or its order would be lost. Keep one.`;
}

/** A job that delivers no more, of an integration that stands and is not in the document itself: that would be told of its own missing job. */
function lastJobProblem(job: JobEntry, facts: Facts): string | undefined {
  if (facts.given.has(job.integration) || !facts.isPushed(job.integration) || facts.pushJobsOf(job.integration).length > 0)
    return undefined;
  return `Records are pushed for integration "${job.integration}", but no job delivers them. Keep push: true here, or take it from the integration's streams too.`;
}

function merged<T extends { readonly key: string }>(standing: readonly T[] | undefined, given: readonly T[]): ReadonlyMap<string, T> {
  return new Map([...(standing ?? []), ...given].map((one) => [one.key, one]));
}
