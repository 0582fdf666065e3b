import { z } from "zod";
import { operation } from "../graphql-client.js";
import { GATE_HOLD_FIELDS, gateHoldShape, RUN_FIELDS, runShape } from "./shapes.js";

const listedRunShape = runShape.extend({
  connectors: z.array(
    z.object({ side: z.string(), endpoint: z.string(), name: z.string(), package: z.string().nullable(), version: z.string() }),
  ),
});
export type ListedRunAnswer = z.infer<typeof listedRunShape>;

export const listRuns = operation(
  `query Runs($first: Int, $after: String, $filter: RunFilter) {
    runs(first: $first, after: $after, filter: $filter, orderBy: DUE_DESC) {
      nodes { ${RUN_FIELDS} connectors { side endpoint name package version } } pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({
    runs: z.object({ nodes: z.array(listedRunShape), pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }) }),
  }),
);

export const runNow = operation(
  `mutation RunNow($input: RunNowInput!) { runNow(input: $input) { ${RUN_FIELDS} } }`,
  z.object({ runNow: runShape }),
);

const ledgerEntry = z.object({
  dueAt: z.string(),
  state: z.string(),
  why: z.string(),
  job: z.object({ key: z.string() }),
  integration: z.object({ key: z.string() }),
  heldBy: z.array(z.object({ key: z.string(), title: z.string() })),
  run: z.object({ key: z.string() }),
});
export type LedgerEntryAnswer = z.infer<typeof ledgerEntry>;
export const listLedger = operation(
  `query Ledger($first: Int, $after: String, $filter: LedgerFilter) {
    ledger(first: $first, after: $after, filter: $filter) {
      nodes { dueAt state why job { key } integration { key } heldBy { key title } run { key } } pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({
    ledger: z.object({ nodes: z.array(ledgerEntry), pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }) }),
  }),
);
export const readConservation = operation(
  "query Conservation { conservation { checkedAt from to expected accounted difference differences { job kind dueAt } } }",
  z.object({
    conservation: z.object({
      checkedAt: z.string(),
      from: z.string(),
      to: z.string(),
      expected: z.number(),
      accounted: z.number(),
      difference: z.number(),
      differences: z.array(z.object({ job: z.string(), kind: z.string(), dueAt: z.string() })),
    }),
  }),
);
export type ConservationAnswer = z.infer<typeof readConservation.data>["conservation"];

export const explainJob = operation(
  `query Explain($job: String!) {
    explain(job: $job) { asOf summary needed state until nextDueAt facts by { ${GATE_HOLD_FIELDS} } job { key name enabled integration { key } } }
  }`,
  z.object({
    explain: z.object({
      asOf: z.string(),
      summary: z.string(),
      needed: z.string().nullable(),
      state: z.string(),
      until: z.string().nullable(),
      nextDueAt: z.string().nullable(),
      facts: z.unknown(),
      by: z.array(gateHoldShape),
      job: z.object({ key: z.string(), name: z.string(), enabled: z.boolean(), integration: z.object({ key: z.string() }) }),
    }),
  }),
);
export type ExplanationAnswer = z.infer<typeof explainJob.data>["explain"];
