import { z } from "zod";
import { operation } from "../graphql-client.js";

const letterShape = z.object({
  key: z.string(),
  stream: z.string(),
  recordKey: z.string(),
  status: z.string(),
  at: z.string(),
  resolvedAt: z.string().nullable(),
  error: z.looseObject({ stage: z.string().optional(), kind: z.string().optional(), message: z.string().optional() }),
  integration: z.object({ key: z.string() }),
  run: z.object({ key: z.string() }).nullable(),
});
export type LetterAnswer = z.infer<typeof letterShape>;
const FIELDS = "key stream recordKey status at resolvedAt error integration { key } run { key }";

export const listDeadLetters = operation(
  `query DeadLetters($first: Int, $after: String, $filter: DeadLetterFilter) {
    deadLetters(first: $first, after: $after, filter: $filter) { nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({
    deadLetters: z.object({
      nodes: z.array(letterShape),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    }),
  }),
);
export const showDeadLetter = operation(
  `query DeadLetter($key: String!) { deadLetter(key: $key) { ${FIELDS} record } }`,
  z.object({ deadLetter: letterShape.extend({ record: z.unknown() }).nullable() }),
);

const replayShape = z.object({ letters: z.number(), passedOver: z.number(), runs: z.array(z.object({ key: z.string() })) });
export const replayOne = operation(
  "mutation ReplayDeadLetter($input: ReplayDeadLetterInput!) { replayDeadLetter(input: $input) { letters passedOver runs { key } } }",
  z.object({ replayDeadLetter: replayShape }),
);
export const replayMany = operation(
  "mutation ReplayDeadLetters($input: ReplayDeadLettersInput!) { replayDeadLetters(input: $input) { letters passedOver runs { key } } }",
  z.object({ replayDeadLetters: replayShape }),
);
export const discardLetters = operation(
  "mutation DiscardDeadLetters($input: DiscardDeadLettersInput!) { discardDeadLetters(input: $input) }",
  z.object({ discardDeadLetters: z.number() }),
);
