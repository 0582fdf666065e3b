import type { JobSchedule } from "@quiesce/core";
import type postgres from "postgres";

/** A small catalogue written straight into the tables, for tests below the catalogue's own commands. */
export interface SeedJob {
  readonly key: string;
  readonly integration: string;
  readonly schedule?: JobSchedule;
  readonly catchUp?: "skip" | "coalesce" | "all";
}

export interface SeedIntegration {
  readonly key: string;
  readonly systems?: readonly string[];
  readonly tags?: readonly string[];
  readonly idempotent?: boolean;
}

export interface SeedSystem {
  readonly key: string;
  readonly dependsOn?: readonly { readonly system: string; readonly strength: "hard" | "soft" }[];
  readonly maxConcurrentRuns?: number;
  readonly resumeSpacingMs?: number;
}

/** Writes systems, integrations and jobs; a job's schedule is valid from the database's current time on. */
export async function seedCatalogue(
  sql: postgres.Sql,
  input: { readonly systems?: readonly SeedSystem[]; readonly integrations: readonly SeedIntegration[]; readonly jobs: readonly SeedJob[] },
): Promise<void> {
  for (const system of input.systems ?? []) {
    await sql`insert into system (key, name, max_concurrent_runs, resume_spacing_ms)
      values (${system.key}, ${system.key}, ${system.maxConcurrentRuns ?? null}, ${system.resumeSpacingMs ?? 0})`;
  }
  for (const system of input.systems ?? []) {
    for (const needed of system.dependsOn ?? []) {
      await sql`insert into system_dependency (system_id, depends_on_id, strength)
        select a.id, b.id, ${needed.strength} from system as a, system as b where a.key = ${system.key} and b.key = ${needed.system}`;
    }
  }
  for (const integration of input.integrations) {
    await sql`insert into integration (key, name, tags, idempotent)
      values (${integration.key}, ${integration.key}, ${[...(integration.tags ?? [])]}::text[], ${integration.idempotent ?? true})`;
    for (const [index, system] of (integration.systems ?? []).entries()) {
      await sql`insert into integration_system (integration_id, system_id, role)
        select i.id, s.id, ${index === 0 ? "target" : "via"} from integration as i, system as s where i.key = ${integration.key} and s.key = ${system}`;
    }
  }
  for (const job of input.jobs) {
    const schedule = job.schedule === undefined ? null : JSON.stringify(job.schedule);
    await sql`
      with new_job as (
        insert into job (key, name, integration_id, schedule, catch_up, watermark, next_due_at)
        select ${job.key}, ${job.key}, id, ${schedule}::text::jsonb, ${job.catchUp ?? "coalesce"}, app_now(), case when ${schedule}::text is null then null else app_now() end
        from integration where key = ${job.integration}
        returning id, schedule, watermark)
      insert into job_schedule (job_id, version, schedule, valid_from) select id, 1, schedule, watermark from new_job`;
  }
}
