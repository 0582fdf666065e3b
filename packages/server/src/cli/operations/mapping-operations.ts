import { z } from "zod";
import { operation } from "../graphql-client.js";

const problem = z.object({ path: z.string(), message: z.string() });
const preview = z.object({
  isValid: z.boolean(),
  problems: z.array(problem),
  warnings: z.array(problem),
  records: z.array(
    z.object({
      recordKey: z.string(),
      outcome: z.enum(["MAPPED", "SKIPPED", "UNFIT"]),
      before: z.unknown(),
      after: z.unknown(),
      targetKey: z.string().nullable(),
      errors: z.array(z.object({ field: z.string(), found: z.string(), expected: z.string() })),
    }),
  ),
});
export type MappingPreviewAnswer = z.infer<typeof preview>;

export const previewMapping = operation(
  `query PreviewMapping($input: PreviewMappingInput!) {
    previewMapping(input: $input) {
      isValid problems { path message } warnings { path message }
      records { recordKey outcome before after targetKey errors { field found expected } }
    }
  }`,
  z.object({ previewMapping: preview }),
);
