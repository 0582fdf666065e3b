import { trialKinds, trialStates } from "@quiesce/core";
import { ofDeployment } from "../access/targets.js";
import { FieldChangeRef } from "../catalog/graphql-changes.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf } from "../graphql/key-or-id.js";
import { IntegrationRef, RunRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { MappingErrorRef, MappingOutcomeEnum } from "./graphql-mapping.js";
import type { RecordDifference } from "./running-trial.js";
import { cancelTrial, startTrial } from "./trial-commands.js";
import { trialById, trialPage, type TrialRow } from "./trial-queries.js";

const USUAL_RECORDS = 100;
const USUAL_ERROR_RATIO = 0.05;
const USUAL_PERCENT = 10;

const KindEnum = capsEnum("TrialKind", "How a definition is tried.", trialKinds, {
  "dry-run": "A sample is read and looked at; nothing is written.",
  shadow: "The records of real runs are treated a second time and compared; only what the definition in force makes is written.",
  canary: "A share of the records is written as the candidate makes them; then it is promoted, or rolled back, by itself.",
});
const StateEnum = capsEnum("TrialState", "What became of a trial.", trialStates, {
  promoting: "It passed, and is about to become the definition.",
  done: "It has seen enough.",
  promoted: "It is the definition now, as a new version.",
  "rolled-back": "Its health signal failed; the definition stayed as it was.",
  superseded: "The definition was changed meanwhile.",
  failed: "It passed, and could not be made the definition; the verdict says why.",
});

const DifferenceRef = builder.objectRef<RecordDifference>("RecordDifference").implement({
  description: "A record that the candidate treats otherwise.",
  authScopes: { can: "records.read" },
  fields: (t) => ({
    stream: t.exposeString("stream", { description: "Its stream." }),
    recordKey: t.exposeString("recordKey", { description: "Its key in the source." }),
    now: t.expose("now", { type: MappingOutcomeEnum, description: "What the definition in force makes of it." }),
    candidate: t.expose("candidate", { type: MappingOutcomeEnum, description: "What the candidate makes of it." }),
    fields: t.field({
      type: [FieldChangeRef],
      description: "Where both map it: what differs; `twoWay.<field>`: who wins a conflict.",
      resolve: (row) => row.fields,
    }),
    errors: t.field({ type: [MappingErrorRef], description: "Why it does not fit the candidate.", resolve: (row) => row.errors }),
  }),
});

const TrialRef = builder.objectRef<TrialRow>("IntegrationTrial").implement({
  description: "Another definition that is, or was, tried on an integration.",
  authScopes: { can: "catalogue.read" },
  fields: (t) => ({
    key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
    integration: t.field({ type: IntegrationRef, description: "Whose.", resolve: (row) => String(row.integrationId) }),
    kind: t.expose("kind", { type: KindEnum, description: "How they are tried." }),
    state: t.expose("state", { type: StateEnum, description: "What became of it." }),
    candidate: t.field({
      type: "JSON",
      description: "The mappings of what is tried, by stream; empty for those in force.",
      resolve: (row) => row.candidate,
    }),
    definition: t.field({
      type: "JSON",
      nullable: true,
      description: "The whole candidate, as an entry of a workspace; null for what is in force.",
      resolve: (row) => row.definition,
    }),
    version: t.exposeInt("version", { nullable: true, description: "The version that it is, if it is one." }),
    settings: t.field({ type: "JSON", description: "records, runs, percent, errorRatio, sinceCursor.", resolve: (row) => row.settings }),
    records: t.int({ description: "How many it has seen; a canary counts its own.", resolve: (row) => row.figures.records }),
    same: t.int({ description: "Of a comparison: for how many the target would get the same.", resolve: (row) => row.figures.same }),
    different: t.int({ description: "Of a comparison: for how many it would not.", resolve: (row) => row.figures.different }),
    errors: t.int({ description: "How many do not fit, or could not be delivered.", resolve: (row) => row.figures.errors }),
    runs: t.int({ description: "Runs that ended while it went on.", resolve: (row) => row.figures.runs }),
    failedRuns: t.int({ description: "Runs that failed over it.", resolve: (row) => row.figures.failedRuns }),
    differences: t.field({
      type: [DifferenceRef],
      authScopes: { can: "records.read" },
      description: "Some of the records that differ, at most 50. Secrets are hidden.",
      resolve: (row, _args, { watch, principalId, principal }) => {
        watch?.counted({ principalId, name: principal.name }, "access.bulk-read");
        return row.differences;
      },
    }),
    run: t.field({
      type: RunRef,
      nullable: true,
      description: "Of a dry run: the run that reads its sample.",
      resolve: (row) => row.runId,
    }),
    startedBy: t.exposeString("startedBy", { description: "Who began it." }),
    reason: t.exposeString("reason", { description: "Why." }),
    verdict: t.exposeString("verdict", { nullable: true, description: "Why it ended as it did, or why its last attempt failed." }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When it began." }),
    endedAt: t.expose("endedAt", { type: "DateTime", nullable: true, description: "When it ended." }),
  }),
});
const TrialConnection = builder.connectionObject(
  { type: TrialRef, name: "IntegrationTrialConnection", description: "A page of trials." },
  { name: "IntegrationTrialEdge", description: "A trial in a list." },
);

/** Other definitions that are tried: begun, watched, ended. */
export function defineTrials(): void {
  builder.objectField(IntegrationRef, "trials", (t) =>
    t.field({
      type: TrialConnection,
      description: "What was tried on it, newest first.",
      args: pageArgs,
      complexity: pageComplexity,
      resolve: (row, args, { database }) => trialPage(database, row.id, args),
    }),
  );
  builder.queryField("integrationTrial", (t) =>
    t.field({
      type: TrialRef,
      nullable: true,
      authScopes: { can: "catalogue.read" },
      description: "One trial by its number; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its number." }) },
      resolve: (_root, { key }, { database }) => (numberOfTrial(key) === null ? null : trialById(database, Number(key))),
    }),
  );
  defineTrialMutations();
}

function numberOfTrial(key: string): number | null {
  return /^\d{1,15}$/.test(key) ? Number(key) : null;
}

function defineTrialMutations(): void {
  const write = { authScopes: { can: "catalogue.write" } } as const;
  const StartInput = builder.inputType("StartTrialInput", {
    description:
      "What to try on an integration: a version, a definition or mappings. A dry run without any looks at the mappings in force.",
    fields: (t) => ({
      integration: t.string({ required: true, description: "Its key or global id." }),
      kind: t.field({ type: KindEnum, required: true, description: "How." }),
      version: t.int({ description: "This version." }),
      mappings: t.field({ type: "JSON", description: "Mappings by stream, as in a workspace." }),
      definition: t.field({
        type: "JSON",
        description: "A whole definition, as an entry of a workspace. What records do not show of it is taken along.",
      }),
      records: t.int({
        description: `It ends after so many records; ${USUAL_RECORDS} when left out. A dry run reads so many of each stream, at most 1,000.`,
      }),
      runs: t.int({ description: "Or after so many runs." }),
      percent: t.int({ description: `Of a canary: so many of a hundred record keys; ${USUAL_PERCENT} when left out.` }),
      errorRatio: t.float({
        description: `Of a canary: the share of failed records above which it is rolled back; ${USUAL_ERROR_RATIO} when left out.`,
      }),
      sinceCursor: t.boolean({ description: "Of a dry run: read behind the committed cursor instead of from the beginning." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const CancelInput = builder.inputType("CancelTrialInput", {
    description: "A trial to end before its time.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its number." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const answer = { type: TrialRef, nullable: true } as const;
  builder.mutationFields((t) => ({
    startTrial: t.field({
      ...answer,
      ...write,
      description: "Tries another definition on an integration: on a sample, beside its runs, or on a share of what they write.",
      args: { input: t.arg({ type: StartInput, required: true, description: "What and how." }) },
      resolve: async (_root, { input }, context) => {
        const order = { ...orderOf(input), integration: await keyOf(context, "Integration", input.integration) };
        const { id } = await runCommand(context, ofDeployment("catalogue.write"), (command) => startTrial(command, order));
        return trialById(context.database, id);
      },
    }),
    cancelTrial: t.field({
      ...answer,
      ...write,
      description: "Ends a trial; the definition stays as it is.",
      args: { input: t.arg({ type: CancelInput, required: true, description: "Which one." }) },
      resolve: async (_root, { input }, context) => {
        const { id } = await runCommand(context, ofDeployment("catalogue.write"), (command) =>
          cancelTrial(command, { id: numberOfTrial(input.key) ?? 0, reason: input.reason }),
        );
        return trialById(context.database, id);
      },
    }),
  }));
  type Input = (typeof StartInput)["$inferInput"];
  function orderOf(input: Input) {
    const mappings = input.mappings ?? null;
    return {
      kind: input.kind,
      version: input.version ?? null,
      mappings: mappings === null ? null : mappingsOf(mappings),
      definition: input.definition ?? null,
      settings: {
        records: input.records ?? USUAL_RECORDS,
        runs: input.runs ?? null,
        percent: input.percent ?? USUAL_PERCENT,
        errorRatio: input.errorRatio ?? USUAL_ERROR_RATIO,
        sinceCursor: input.sinceCursor === true,
      },
      reason: input.reason,
    };
  }
}

function mappingsOf(value: unknown): { readonly [stream: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
