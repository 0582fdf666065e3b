import { pushedRecords } from "@quiesce/core";
import { acceptRecords, type PushAnswer } from "../../packages/server/src/inbox/commands.js";
import { type InboxView, inboxesOf } from "../../packages/server/src/inbox/queries.js";
import { memorySource } from "./memory-source.js";
import { type BenchEndpoint, type PipelineBench, pipelineBench } from "./pipeline-bench.js";

/** The pipeline's bench with an integration whose records are pushed. */
export interface PushBench extends PipelineBench {
  push(records: unknown, options?: { readonly idempotencyKey?: string }): Promise<PushAnswer>;
  inbox(): Promise<InboxView>;
  runs(): Promise<readonly { readonly state: string; readonly trigger: string; readonly attempt: number; readonly readyAt: number }[]>;
  /** Claims, executes and ends whatever is queued and ready until nothing is; answers how many attempts that took. */
  settle(most?: number): Promise<number>;
}

export async function pushBench(options: {
  readonly target: BenchEndpoint;
  readonly pageSize?: number;
  readonly deletes?: "ignore" | "apply";
}): Promise<PushBench> {
  const bench = await pipelineBench({
    source: memorySource(),
    target: options.target,
    stream: { push: true, deletes: options.deletes ?? "ignore" },
    pageSize: options.pageSize ?? 500,
  });
  const { database } = bench;
  await database.sql`update job set push = true, retry = '{"maxAttempts": 3, "backoffSeconds": 0, "maxBackoffSeconds": 0}'`;
  const integration = (await database.sql<{ id: number }[]>`select id from integration`)[0]?.id ?? 0;
  return {
    ...bench,
    push: (records, { idempotencyKey } = {}) =>
      acceptRecords(bench.context, {
        integration: "orders",
        records: pushedRecords(records),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      }),
    async inbox() {
      const view = (await inboxesOf(database.db, [integration]))[0];
      if (view === undefined) throw new Error("The integration takes no pushed records.");
      return view;
    },
    runs: async () => database.sql`select state, trigger, attempt, ready_at as "readyAt" from run order by due_at, id`,
    async settle(most = 30) {
      for (let attempts = 0; ; attempts += 1) {
        const ready = await database.sql`select from run where state = 'queued' and ready_at <= app_now()`;
        if (ready.length === 0) return attempts;
        if (attempts === most) throw new Error(`Still something queued after ${most} attempts.`);
        await bench.attempt();
      }
    },
  };
}
