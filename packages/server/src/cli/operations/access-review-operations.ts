import { z } from "zod";
import { GRANT_FIELDS, grantsShape } from "../grants.js";
import { operation } from "../graphql-client.js";

const REVIEW_FIELDS =
  "key title subjects reviewers unusedDays dueAt isOverdue openedBy openedAt closingAt closedBy closedAt itemCount undecidedCount suggestedCount hash";
const review = z.object({
  key: z.string(),
  title: z.string(),
  subjects: z.array(z.string()),
  reviewers: z.array(z.string()),
  unusedDays: z.number(),
  dueAt: z.string(),
  isOverdue: z.boolean(),
  openedBy: z.string(),
  openedAt: z.string(),
  closingAt: z.string().nullable(),
  closedBy: z.string().nullable(),
  closedAt: z.string().nullable(),
  itemCount: z.number(),
  undecidedCount: z.number(),
  suggestedCount: z.number(),
  hash: z.string().nullable(),
});
export type ReviewAnswer = z.infer<typeof review>;

const ITEM_FIELDS = `key subject account principalKey token tokenKey owner lastUsedAt ${GRANT_FIELDS} suggestions { finding decision reason ${GRANT_FIELDS} }
  decision left { role scope { kind name } } reason decidedBy decidedAt outcome`;
const item = z.object({
  key: z.string(),
  subject: z.string(),
  account: z.string(),
  principalKey: z.string(),
  token: z.string().nullable(),
  tokenKey: z.string().nullable(),
  owner: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
  grants: grantsShape,
  suggestions: z.array(
    z.object({ finding: z.string(), decision: z.string().nullable(), reason: z.string(), grants: grantsShape.nullable() }),
  ),
  decision: z.string().nullable(),
  left: grantsShape.nullable(),
  reason: z.string().nullable(),
  decidedBy: z.string().nullable(),
  decidedAt: z.string().nullable(),
  outcome: z.string().nullable(),
});
export type ReviewItemAnswer = z.infer<typeof item>;

const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

export const listAccessReviews = operation(
  `query AccessReviews($first: Int, $after: String, $open: Boolean) {
    accessReviews(first: $first, after: $after, open: $open) { nodes { ${REVIEW_FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({ accessReviews: z.object({ nodes: z.array(review), pageInfo }) }),
);
export const readAccessReview = operation(
  `query AccessReview($key: String!) { accessReview(key: $key) { ${REVIEW_FIELDS} } }`,
  z.object({ accessReview: review.nullable() }),
);
export const listReviewItems = operation(
  `query AccessReviewItems($key: String!, $first: Int, $after: String, $filter: AccessReviewItemFilter) {
    accessReview(key: $key) { items(first: $first, after: $after, filter: $filter) { nodes { ${ITEM_FIELDS} } pageInfo { hasNextPage endCursor } } }
  }`,
  z.object({ accessReview: z.object({ items: z.object({ nodes: z.array(item), pageInfo }) }).nullable() }),
);
export const readReviewEvidence = operation(
  "query AccessReviewEvidence($key: String!) { accessReview(key: $key) { hash evidence closedEntry { key position } } }",
  z.object({
    accessReview: z
      .object({
        hash: z.string().nullable(),
        evidence: z.unknown(),
        closedEntry: z.object({ key: z.string(), position: z.number().nullable() }).nullable(),
      })
      .nullable(),
  }),
);
export const listItemEvidence = operation(
  `query AccessReviewItemEvidence($key: String!, $first: Int, $after: String) {
    accessReview(key: $key) { items(first: $first, after: $after) { nodes { evidence } pageInfo { hasNextPage endCursor } } }
  }`,
  z.object({ accessReview: z.object({ items: z.object({ nodes: z.array(z.object({ evidence: z.unknown() })), pageInfo }) }).nullable() }),
);
export const openAccessReview = operation(
  `mutation OpenAccessReview($input: OpenAccessReviewInput!) { openAccessReview(input: $input) { ${REVIEW_FIELDS} } }`,
  z.object({ openAccessReview: review }),
);
export const decideAccess = operation(
  `mutation DecideAccess($input: DecideAccessInput!) { decideAccess(input: $input) { ${REVIEW_FIELDS} } }`,
  z.object({ decideAccess: review }),
);
export const closeAccessReview = operation(
  `mutation CloseAccessReview($input: CloseAccessReviewInput!) { closeAccessReview(input: $input) { ${REVIEW_FIELDS} } }`,
  z.object({ closeAccessReview: review }),
);
