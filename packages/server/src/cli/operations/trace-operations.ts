import { z } from "zod";
import { operation } from "../graphql-client.js";

const hop = z.object({
  at: z.string(),
  step: z.string(),
  stream: z.string(),
  recordKey: z.string(),
  targetKey: z.string().nullable(),
  remoteId: z.string().nullable(),
  version: z.string().nullable(),
  message: z.string().nullable(),
  integration: z.object({ key: z.string() }),
  run: z.object({ key: z.string(), connectors: z.array(z.object({ side: z.string(), name: z.string(), version: z.string() })) }).nullable(),
  deadLetter: z.object({ key: z.string() }).nullable(),
  holds: z.array(z.object({ title: z.string() })),
});
export type TraceHopAnswer = z.infer<typeof hop>;

export const traceRecord = operation(
  `query Trace($recordKey: String!, $integration: String, $limit: Int) {
    trace(recordKey: $recordKey, integration: $integration, limit: $limit) {
      isCut knownFrom
      hops { at step stream recordKey targetKey remoteId version message integration { key } run { key connectors { side name version } } deadLetter { key } holds { title } }
    }
  }`,
  z.object({ trace: z.object({ isCut: z.boolean(), knownFrom: z.string().nullable(), hops: z.array(hop) }) }),
);
