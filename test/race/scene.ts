import { ERROR_POLICIES } from "@quiesce/sdk";
import type { WindowInput } from "@quiesce/core";
import { type ClaimResult, claimRuns, type DueRun } from "../../packages/server/src/runs/claim.js";
import { finishRuns, type RunOutcome } from "../../packages/server/src/runs/finish.js";
import { materialiseRuns } from "../../packages/server/src/runs/materialise.js";
import { type Actor, Stage } from "./stage.js";

export const opensAt = Date.parse("2026-03-02T10:00:00Z");
export const minute = 60_000;

/** More integrations than a writer locks one by one: a hold on the tag `many` locks all of dispatch, one on `one` a single bucket. */
const numbers = [1, 2, 3, 4, 5, 6];

const workspace = {
  quiesce: 1,
  systems: [{ key: "erp", resumeSpacing: "0ms" }],
  integrations: numbers.map((n) => ({ key: `i${n}`, tags: ["many", ...(n === 1 ? ["one"] : [])] })),
  jobs: [
    ...numbers.map((n) => ({ key: `j${n}`, integration: `i${n}`, schedule: { every: "1m" }, catchUp: "all" })),
    { key: "by-hand", integration: "i1" },
  ],
};

/** A stage on which every job is due at `opensAt`, and claims wait for locks as long as a scene takes, unless it is about that. */
export async function openScene({ claims }: { readonly claims: "patient" | "as they are" } = { claims: "patient" }): Promise<Stage> {
  const stage = await Stage.open(opensAt, workspace);
  if (claims === "patient") await stage.makeClaimsPatient();
  await stage.database.sql`insert into worker (id, name, lease_until) values (${workerId}::uuid, 'scene', app_now() + interval '1 day')`;
  await materialiseRuns({ database: stage.database, zones: stage.actor("materialiser").context.zones });
  return stage;
}

/** Every claim of a scene is this worker's. */
const workerId = "00000000-0000-4000-8000-000000000001";

/** An integration with other tags than in the document, as `apply` takes it. */
export const tagged = (key: string, tags: readonly string[]) => ({ quiesce: 1, integrations: [{ key, tags }] });

/** A window from `opensAt`, or from some minutes later, for half an hour. */
export function windowOn(scope: WindowInput["scope"], afterMinutes = 0): WindowInput & { readonly key: string } {
  const local = (minutes: number) => new Date(opensAt + minutes * minute).toISOString().slice(0, 19);
  const series = { start: local(afterMinutes), end: local(afterMinutes + 30), timeZone: "UTC" };
  return { key: "patch", title: "Patch", scope, owner: "erp-team", reason: "patch", series };
}

/** The queued runs of an integration, the earliest first, or of all. */
export function queuedRuns(stage: Stage, integration: string | null = null): Promise<readonly (DueRun & { readonly job: string })[]> {
  return stage.database.sql<(DueRun & { readonly job: string })[]>`
    select r.id, r.due_at as "dueAt", r.ready_at as "readyAt", r.job_id as "jobId", j.key as job
    from run as r join integration as i on i.id = r.integration_id join job as j on j.id = r.job_id
    where r.state = 'queued' and (${integration}::text is null or i.key = ${integration}) order by r.due_at, i.id`;
}

export const claim = (actor: Actor, runs: readonly DueRun[]): Promise<ClaimResult> =>
  claimRuns(actor.database.sql, { workerId, runs, limit: 100 });

/** What a claim did, in figures. */
export const figures = (result: ClaimResult) => ({ started: result.claimed.length, held: result.held });

/** How many of these runs anybody can see in flight. */
export async function inFlight(stage: Pick<Stage, "database">, runs: readonly DueRun[]): Promise<number> {
  const [row] = await stage.database.sql<{ n: number }[]>`
    select count(*)::integer as n from run where state = 'running' and id = any (${runs.map((one) => one.id)}::uuid[])`;
  return row?.n ?? Number.NaN;
}

const succeeded: RunOutcome = { kind: "succeeded", figures: {} };
/** Refused credentials: the integration is held until a person looks. */
export const refused: RunOutcome = {
  kind: "failed",
  figures: {},
  failure: { kind: "auth", rule: ERROR_POLICIES.auth, retryAfterMs: null, ambiguous: false },
  error: { kind: "auth", message: "401" },
};

export function finish(actor: Actor, claimed: ClaimResult["claimed"], outcome: RunOutcome = succeeded): ReturnType<typeof finishRuns> {
  return finishRuns(actor.context, { workerId, runs: claimed.map((one) => ({ ...one, outcome, jitter: 0 })) });
}
