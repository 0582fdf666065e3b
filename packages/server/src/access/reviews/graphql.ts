import { type AccessSuggestion, unusedDaysRange } from "@quiesce/core";
import { builder } from "../../graphql/builder.js";
import { pageArgs, pageComplexity } from "../../graphql/connection.js";
import { numberOf } from "../../graphql/key-or-id.js";
import { AccessReviewRef, AuditEntryRef } from "../../graphql/refs.js";
import { runCommand } from "../../graphql/request-context.js";
import { GrantInput, GrantRef, grantsOf } from "../graphql-grants.js";
import { ofDeployment } from "../targets.js";
import { reviewOutcomes } from "./apply-decision.js";
import { closeReview } from "./close-review.js";
import { decideAccess, maxItemsAtOnce } from "./decide-access.js";
import { DecisionEnum, FindingEnum, OutcomeEnum, SubjectEnum, UndecidedEnum } from "./graphql-vocabulary.js";
import { openReview } from "./open-review.js";
import { itemPage, reviewById, reviewPage } from "./queries.js";
import { evidenceOfItem, evidenceOfReview, type ReviewItemView } from "./review-evidence.js";
import type { RecordedUse } from "./snapshot-access.js";

/** Most have one grant, and a word or two is said of them; lists without a page would count as ten. */
const few = (multiplier: number) => ({ complexity: { field: 1, multiplier } });

const read = { authScopes: { can: "tokens.read" } } as const;
const write = { authScopes: { can: "tokens.write" } } as const;

const SuggestionRef = builder.objectRef<AccessSuggestion>("AccessSuggestion").implement({
  description: "What speaks against an access, and what might be decided.",
  ...read,
  fields: (t) => ({
    finding: t.expose("finding", { type: FindingEnum, description: "What." }),
    decision: t.expose("decision", { type: DecisionEnum, nullable: true, description: "What might be decided; null: only to be known." }),
    grants: t.field({
      type: [GrantRef],
      ...few(2),
      nullable: true,
      description: "With NARROW: what would be left.",
      resolve: (row) => (row.grants === null ? null : [...row.grants]),
    }),
    reason: t.exposeString("reason", { description: "Why, in words." }),
  }),
});

const UseRef = builder.objectRef<RecordedUse>("AccessUse").implement({
  description: "A right that was used.",
  ...read,
  fields: (t) => ({
    action: t.exposeString("action", { description: "Which, as runs.write." }),
    firstUsedOn: t.exposeString("firstUsedOn", { description: "The day of its first recorded use, UTC." }),
    lastUsedOn: t.exposeString("lastUsedOn", { description: "The day of its last one." }),
  }),
});

const ItemRef = builder.objectRef<ReviewItemView>("AccessReviewItem").implement({
  description: "Somebody's access in a review, as it was when the review was opened.",
  ...read,
  fields: (t) => ({
    key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
    subject: t.expose("subject", { type: SubjectEnum, description: "Whose." }),
    account: t.string({
      description: "The account's name; of a token, of the account that it belongs to.",
      resolve: (row) => row.snapshot.account,
    }),
    principalKey: t.string({ description: "The account's key.", resolve: (row) => String(row.principalId) }),
    token: t.string({ nullable: true, description: "The token's name.", resolve: (row) => row.snapshot.token?.name ?? null }),
    tokenKey: t.string({
      nullable: true,
      description: "The token's key.",
      resolve: (row) => (row.tokenId === null ? null : String(row.tokenId)),
    }),
    owner: t.string({ nullable: true, description: "Who answers for the service account.", resolve: (row) => row.snapshot.owner }),
    grants: t.field({ type: [GrantRef], ...few(2), description: "What it may do, where.", resolve: (row) => [...row.snapshot.grants] }),
    lastUsedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When it was last used.",
      resolve: ({ snapshot: { lastUsedAt } }) => (lastUsedAt === null ? null : Date.parse(lastUsedAt)),
    }),
    used: t.field({ type: [UseRef], description: "The rights that it used.", resolve: (row) => [...row.snapshot.used] }),
    suggestions: t.field({
      type: [SuggestionRef],
      ...few(2),
      description: "What speaks against it, the weightiest first.",
      resolve: (row) => [...row.snapshot.suggestions],
    }),
    decision: t.expose("decision", { type: DecisionEnum, nullable: true, description: "What was decided; null: nothing yet." }),
    left: t.field({
      type: [GrantRef],
      ...few(2),
      nullable: true,
      description: "With NARROW: what is left.",
      resolve: (row) => (row.grants === null ? null : [...row.grants]),
    }),
    reason: t.exposeString("reason", { nullable: true, description: "Why it was decided so." }),
    decidedBy: t.exposeString("decidedBy", { nullable: true, description: "By whom." }),
    decidedAt: t.expose("decidedAt", { type: "DateTime", nullable: true, description: "When." }),
    outcome: t.field({
      type: OutcomeEnum,
      nullable: true,
      description: "What became of it at the close.",
      resolve: (row) => reviewOutcomes.find((one) => one === row.outcome) ?? null,
    }),
    evidence: t.field({ type: "JSON", description: "The item as the review's hash is made of it.", resolve: (row) => evidenceOfItem(row) }),
  }),
});

const ItemConnection = builder.connectionObject(
  { type: ItemRef, name: "AccessReviewItemConnection", description: "A page of items." },
  { name: "AccessReviewItemEdge", description: "An item in a list." },
);
const ReviewConnection = builder.connectionObject(
  { type: AccessReviewRef, name: "AccessReviewConnection", description: "A page of access reviews." },
  { name: "AccessReviewEdge", description: "An access review in a list." },
);

/** Reviews of who may do what. */
export function defineAccessReviews(): void {
  const ItemFilterInput = builder.inputType("AccessReviewItemFilter", {
    description: "Which items; every field given must fit.",
    fields: (t) => ({
      decided: t.boolean({ description: "true: those that were decided on; false: the others." }),
      suggested: t.boolean({ description: "true: those with a suggestion to narrow or revoke; false: the others." }),
      subject: t.field({ type: SubjectEnum, description: "Of this kind." }),
    }),
  });
  builder.objectType(AccessReviewRef, {
    description: "A review of access: everybody of some kinds is looked at once, and decided on by somebody else.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      title: t.exposeString("title", { description: "What it is for." }),
      subjects: t.field({ type: [SubjectEnum], description: "Whose access.", resolve: (row) => [...row.subjects] }),
      unusedDays: t.exposeInt("unusedDays", {
        description: "So long without use is unused; so long must use have been recorded to call a right needless.",
      }),
      reviewers: t.field({
        type: ["String"],
        description: "The names of the accounts that may decide; none: whoever may change tokens.",
        resolve: (row) => [...row.reviewers],
      }),
      dueAt: t.expose("dueAt", { type: "DateTime", description: "Until when it should be closed." }),
      isOverdue: t.exposeBoolean("overdue", { description: "It is open, and was due." }),
      reason: t.exposeString("reason", { nullable: true, description: "Why it was opened." }),
      openedBy: t.exposeString("openedBy", { description: "By whom." }),
      openedAt: t.expose("openedAt", { type: "DateTime", description: "When: its items are of that moment." }),
      closingAt: t.expose("closingAt", { type: "DateTime", nullable: true, description: "Since when its decisions are carried out." }),
      closedBy: t.exposeString("closedBy", { nullable: true, description: "Who closed it." }),
      closedAt: t.expose("closedAt", { type: "DateTime", nullable: true, description: "When it was closed; null: it is open." }),
      itemCount: t.exposeInt("items", { description: "How many items it has." }),
      undecidedCount: t.exposeInt("undecided", { description: "Items that nobody has decided on." }),
      suggestedCount: t.exposeInt("suggested", { description: "Items with a suggestion to narrow or revoke." }),
      hash: t.exposeString("hash", {
        nullable: true,
        description: "SHA-256 of its evidence, as the audit trail has it; null until it is closed.",
      }),
      closedEntry: t.field({
        type: AuditEntryRef,
        nullable: true,
        description: "The entry of the audit trail that has the hash.",
        resolve: (row) => (row.closedEntryId === null ? null : String(row.closedEntryId)),
      }),
      evidence: t.field({
        type: "JSON",
        description: "The review as its hash is made of it, beside its items.",
        resolve: (row) => evidenceOfReview(row),
      }),
      items: t.field({
        type: ItemConnection,
        description: "Its items, by number: accounts first.",
        args: { ...pageArgs, filter: t.arg({ type: ItemFilterInput, description: "Which." }) },
        complexity: pageComplexity,
        resolve: (row, args, { database }) => itemPage(database, row.id, args),
      }),
    }),
  });
  builder.queryFields((t) => ({
    accessReviews: t.field({
      type: ReviewConnection,
      ...read,
      description: "Access reviews, newest first.",
      args: { ...pageArgs, open: t.arg.boolean({ description: "true: those that are open; false: the others." }) },
      complexity: pageComplexity,
      resolve: (_root, args, { database }) => reviewPage(database, args),
    }),
    accessReview: t.field({
      type: AccessReviewRef,
      nullable: true,
      ...read,
      description: "One access review; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its key or id." }) },
      resolve: (_root, { key }, { database }) => reviewById(database.db, numberOf("AccessReview", key, "key")),
    }),
  }));
  defineMutations();
}

function defineMutations(): void {
  const OpenInput = builder.inputType("OpenAccessReviewInput", {
    description: "A review to open.",
    fields: (t) => ({
      title: t.string({ required: true, description: "What it is for, as Access, 4th quarter." }),
      subjects: t.field({ type: [SubjectEnum], description: "Whose access; everybody's when left out." }),
      dueAt: t.field({
        type: "DateTime",
        required: true,
        description: "Until when it should be closed; teams that listen are told when it is not.",
      }),
      reviewers: t.stringList({ description: "Names of the accounts that may decide; whoever may change tokens when left out." }),
      unusedDays: t.int({
        description: `So long without use is unused: ${unusedDaysRange.least} to ${unusedDaysRange.most}, ${unusedDaysRange.usual} when left out.`,
      }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  const DecideInput = builder.inputType("DecideAccessInput", {
    description: "A decision on items of a review.",
    fields: (t) => ({
      review: t.id({ required: true, description: "The review's key or id." }),
      items: t.stringList({ required: true, description: `Keys of items, at most ${maxItemsAtOnce}. All are decided, or none.` }),
      decision: t.field({ type: DecisionEnum, required: true, description: "What becomes of them at the close." }),
      grants: t.field({ type: [GrantInput], description: "With NARROW: what is left; left out: what was suggested for each." }),
      reason: t.string({ required: true, description: "Why; it is evidence." }),
    }),
  });
  const CloseInput = builder.inputType("CloseAccessReviewInput", {
    description: "A review to close.",
    fields: (t) => ({
      key: t.id({ required: true, description: "Its key or id." }),
      undecided: t.field({
        type: UndecidedEnum,
        description: "What becomes of items that nobody has decided on; left out: they stand in the way.",
      }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    openAccessReview: t.field({
      type: AccessReviewRef,
      ...write,
      description: "Opens a review of everybody's access, as it is now.",
      args: { input: t.arg({ type: OpenInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const { subjects, reviewers, unusedDays, reason, ...rest } = input;
        const wanted = {
          ...rest,
          subjects: subjects ?? undefined,
          reviewers: reviewers ?? undefined,
          unusedDays: unusedDays ?? undefined,
          reason: reason ?? undefined,
        };
        return String((await runCommand(context, ofDeployment("tokens.write"), (command) => openReview(command, wanted))).id);
      },
    }),
    decideAccess: t.field({
      type: AccessReviewRef,
      ...write,
      description: "Decides on items of an open review. Nobody decides on their own access. Nothing changes before the close.",
      args: { input: t.arg({ type: DecideInput, required: true, description: "What." }) },
      resolve: async (_root, { input }, context) => {
        const { review, items, decision, grants, reason } = input;
        const wanted = {
          id: numberOf("AccessReview", review, "review"),
          items: items.map((item) => numberOf("AccessReviewItem", item, "items")),
          decision,
          grants: grants ? grantsOf(grants) : undefined,
          reason,
        };
        return String((await runCommand(context, ofDeployment("tokens.write"), (command) => decideAccess(command, wanted))).id);
      },
    }),
    closeAccessReview: t.field({
      type: AccessReviewRef,
      ...write,
      description: "Carries out what was decided and closes the review for good. When it is interrupted, closing again goes on.",
      args: { input: t.arg({ type: CloseInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const wanted = { id: numberOf("AccessReview", input.key, "key"), undecided: input.undecided ?? undefined, reason: input.reason };
        return String((await runCommand(context, ofDeployment("tokens.write"), (command) => closeReview(command, wanted))).id);
      },
    }),
  }));
}
