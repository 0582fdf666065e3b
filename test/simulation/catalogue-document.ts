import { formatDuration, type JobSchedule, scheduleTextOf } from "@quiesce/core";
import { approvalPolicies } from "./approvals.js";
import type { IntegrationModel, JobModel, SystemModel, World } from "./world.js";

/** The story's catalogue as a workspace, written down by the product's own command. */
export function catalogueDocument(world: World) {
  return {
    quiesce: 1,
    systems: [...world.systems.values()].map(systemEntry),
    approvals: approvalPolicies,
    endpoints: [...world.systems.keys()].map((key) => ({ key: `at-${key}`, system: key, connector: "http" })),
    integrations: [...world.integrations.values()].map(integrationEntry),
    jobs: [...world.jobs.values()].map((job) => jobEntry(job, job.history.at(-1)?.schedule ?? null)),
  };
}

export function systemEntry(system: SystemModel) {
  return {
    key: system.key,
    dependsOn: system.dependsOn,
    maxConcurrentRuns: system.maxConcurrentRuns,
    resumeSpacing: formatDuration(system.resumeSpacingMs),
  };
}

export function integrationEntry(integration: IntegrationModel) {
  const { key, target, via, tags, idempotent } = integration;
  return { key, target: `at-${target}`, via, tags, idempotent };
}

export function jobEntry(job: JobModel, schedule: JobSchedule | null) {
  return {
    key: job.key,
    integration: job.integration,
    schedule: schedule === null ? null : scheduleTextOf(schedule),
    catchUp: job.catchUp,
    catchUpMaxAge: job.catchUpMaxAgeSeconds === null ? null : formatDuration(job.catchUpMaxAgeSeconds * 1_000),
    retry: { attempts: job.maxAttempts },
  };
}
