import { builder } from "../graphql/builder.js";
import { IntegrationRef } from "../graphql/refs.js";
import type { FailureGroup } from "./failing.js";

/** Integrations that fail alike. */
export const FailureGroupRef = builder.objectRef<FailureGroup>("FailureGroup");

builder.objectType(FailureGroupRef, {
  description: "Integrations whose jobs fail for the same reason.",
  fields: (t) => ({
    kind: t.exposeString("kind", {
      description: "What sort of failure: auth, unavailable, invalid …; or the run's state when it has no error.",
    }),
    message: t.exposeString("message", { description: "What the newest of them says; at most 300 characters." }),
    integrations: t.exposeInt("integrations", { description: "How many there are." }),
    since: t.expose("since", {
      type: "DateTime",
      description: "Since when the first of them has failed without a success between; a day back at most.",
    }),
    sample: t.field({
      type: [IntegrationRef],
      description: "Some of them, the most critical first; at most 10.",
      resolve: (row) => row.sampleIds.map(String),
    }),
  }),
});
