import type { MappingError, MappingProblem } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { type MappingPreview, previewMapping, type PreviewedRecord, PREVIEW_RECORDS } from "./preview-mapping.js";

const USUAL_LETTERS = 20;

export const MappingErrorRef = builder.objectRef<MappingError>("MappingError").implement({
  description: "Why one field of a record could not be mapped.",
  fields: (t) => ({
    field: t.exposeString("field", { description: "The target field; when for the mapping's own condition." }),
    found: t.exposeString("found", { description: "What was there, cut to 200 characters." }),
    expected: t.exposeString("expected", { description: "What was expected." }),
  }),
});

export const MappingOutcomeEnum = capsEnum("MappingOutcome", "What a mapping makes of a record.", ["mapped", "skipped", "unfit"], {
  skipped: "The mapping's condition passes it over.",
  unfit: "It would be a dead letter.",
});

/** What mappings make of sample records. */
export function defineMappingPreview(): void {
  const ProblemRef = builder.objectRef<MappingProblem>("MappingProblem").implement({
    description: "Something wrong, or doubtful, in a mapping.",
    fields: (t) => ({
      path: t.exposeString("path", { description: "Where in the mapping; empty for the whole." }),
      message: t.exposeString("message", { description: "What was found and expected; in an expression with its character." }),
    }),
  });
  const RecordRef = builder.objectRef<PreviewedRecord>("PreviewedRecord").implement({
    description: "A sample record and what the mapping makes of it.",
    fields: (t) => ({
      recordKey: t.exposeString("recordKey", { description: "Its key in the source." }),
      outcome: t.expose("outcome", { type: MappingOutcomeEnum, description: "What becomes of it." }),
      before: t.field({ type: "JSON", nullable: true, description: "Its data as they are read.", resolve: (row) => row.before }),
      after: t.field({
        type: "JSON",
        nullable: true,
        description: "Its data as they would be written; null when nothing would be.",
        resolve: (row) => row.after,
      }),
      targetKey: t.exposeString("targetKey", { nullable: true, description: "Its key at the target." }),
      errors: t.field({ type: [MappingErrorRef], description: "Why it does not fit, every reason.", resolve: (row) => row.errors }),
    }),
  });
  const PreviewRef = builder.objectRef<MappingPreview>("MappingPreview").implement({
    description: "What a mapping makes of sample records. Nothing is written.",
    authScopes: { can: "records.read" },
    fields: (t) => ({
      isValid: t.boolean({ description: "Whether it could be saved.", resolve: (row) => row.check.ok }),
      problems: t.field({
        type: [ProblemRef],
        description: "Why it could not be saved.",
        resolve: ({ check }) => (check.ok ? [] : check.problems),
      }),
      warnings: t.field({
        type: [ProblemRef],
        description: "Value tables that cannot be turned round.",
        resolve: ({ check }) => (check.ok ? check.warnings : []),
      }),
      records: t.field({ type: [RecordRef], description: "Record by record.", resolve: (row) => row.records }),
    }),
  });
  const PreviewInput = builder.inputType("PreviewMappingInput", {
    description: "A mapping and records to try it on. What is left out is the integration's own.",
    fields: (t) => ({
      integration: t.string({ description: "Its stream's mapping, or its dead letters, are looked at (key or id)." }),
      stream: t.string({ description: "Which stream; may be left out where there is one only." }),
      mapping: t.field({ type: "JSON", description: "The mapping, as in a workspace; the stream's own when left out." }),
      records: t.field({
        type: ["JSON"],
        description: `Records {"key", "data"}, at most ${PREVIEW_RECORDS}; those of the stream's newest dead letters when left out.`,
      }),
      letters: t.int({ description: `So many dead letters at most; ${USUAL_LETTERS} when left out.` }),
    }),
  });
  builder.queryField("previewMapping", (t) =>
    t.field({
      type: PreviewRef,
      authScopes: { can: "records.read" },
      description: "Maps sample records and writes nothing.",
      complexity: 200,
      args: { input: t.arg({ type: PreviewInput, required: true, description: "What to try." }) },
      resolve: async (_root, { input }, context) => {
        const { watch, principalId, principal } = context;
        watch?.counted({ principalId, name: principal.name }, "access.bulk-read");
        return previewMapping(context.database, {
          integration: typeof input.integration === "string" ? await keyOf(context, "Integration", input.integration) : null,
          stream: input.stream ?? null,
          mapping: input.mapping ?? undefined,
          records: input.records ?? null,
          letters: input.letters ?? USUAL_LETTERS,
        });
      },
    }),
  );
}
