import { z } from "zod";
import { operation } from "../graphql-client.js";

export const resumeWindow = operation(
  "mutation ResumeWindow($input: ResumeMaintenanceWindowInput!) { resumeMaintenanceWindow(input: $input) { key } }",
  z.object({ resumeMaintenanceWindow: z.object({ key: z.string() }) }),
);

const progressShape = z.object({
  key: z.string(),
  state: z.string(),
  resume: z
    .object({
      phase: z.string(),
      released: z.number(),
      total: z.number(),
      held: z.number(),
      endsAt: z.string().nullable(),
      sentence: z.string(),
      checks: z.array(
        z.object({ endpoint: z.object({ key: z.string() }), ok: z.boolean(), attempts: z.number(), error: z.string().nullable() }),
      ),
      canaries: z.array(
        z.object({ system: z.object({ key: z.string() }), pending: z.number(), succeeded: z.number(), failed: z.number() }),
      ),
    })
    .nullable(),
});
export type WindowProgressAnswer = z.infer<typeof progressShape>;

export const windowProgress = operation(
  `query WindowProgress($key: String!) {
    windowProgress(key: $key) {
      key state
      resume { phase released total held endsAt sentence checks { endpoint { key } ok attempts error } canaries { system { key } pending succeeded failed } }
    }
  }`,
  z.object({ windowProgress: progressShape.nullable() }),
);
