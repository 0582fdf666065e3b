import {
  type ChainPlace,
  chainProblemKinds,
  type ChainProblem,
  chainStart,
  DomainError,
  type SealedEntry,
  type SignedHead,
} from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { hashesAt, unsealedTail } from "./chain-store.js";
import { exportTrail, type TrailPiece } from "./export-trail.js";
import { signedHead } from "./publish-head.js";
import { type TrailCheck, verifyTrail } from "./verify-trail.js";

const read = { authScopes: { can: "audit.read" } } as const;

const maxChecked = 5_000;
const maxPlaces = 200;
/** A page of the chain weighs as much as a page of its largest lists. */
const pageWeight = 500;

const HASH = /^[0-9a-f]{64}$/;

const PlaceRef = builder.objectRef<ChainPlace>("AuditPlace");

/** The chain of the audit trail: checking it, its head, and taking it away. */
export function defineChain(): void {
  builder.objectType(PlaceRef, {
    description: "A place in the chain of the audit trail: up to here.",
    ...read,
    fields: (t) => ({
      position: t.exposeInt("position", { description: "Of the entry; 0 before the first." }),
      hash: t.exposeString("hash", { description: "Of the entry, SHA-256 in hex; zeros before the first." }),
    }),
  });
  defineVerification();
  defineHead();
  defineExport();
}

function defineVerification(): void {
  const PlaceInput = builder.inputType("AuditPlaceInput", {
    description: "A place in the chain of the audit trail.",
    fields: (t) => ({
      position: t.int({ required: true, description: "Of the entry; 0 before the first." }),
      hash: t.string({ required: true, description: "Of the entry, SHA-256 in hex." }),
    }),
  });
  const KindEnum = capsEnum("AuditProblemKind", "What is wrong with a place of the audit trail.", chainProblemKinds, {
    missing: "An entry was deleted.",
    reordered: "Entries were put into another order.",
    inserted: "An entry was put in by hand.",
    edited: "An entry, or one of its values, was changed.",
    erased: "A value was erased without an order.",
  });
  const ProblemRef = builder.objectRef<ChainProblem>("AuditProblem").implement({
    description: "Something wrong with the audit trail, at the first place where it shows.",
    ...read,
    fields: (t) => ({
      kind: t.expose("kind", { type: KindEnum, description: "What." }),
      position: t.exposeInt("position", { description: "Where in the chain." }),
      entry: t.string({
        nullable: true,
        description: "The entry's number; null when there is none.",
        resolve: (row) => (row.entryId === null ? null : String(row.entryId)),
      }),
      field: t.exposeString("field", { nullable: true, description: "The field, where one can be told." }),
      message: t.exposeString("message", { description: "What was found." }),
    }),
  });
  const VerificationRef = builder.objectRef<TrailCheck>("AuditVerification").implement({
    description: "What checking a page of the audit trail found.",
    ...read,
    fields: (t) => ({
      checked: t.exposeInt("checked", { description: "Entries of this page." }),
      place: t.field({ type: PlaceRef, description: "Up to here: the next page begins behind it.", resolve: (row) => row.place }),
      problems: t.field({ type: [ProblemRef], description: "What is wrong, in order; at most 20 a page.", resolve: (row) => row.problems }),
      isEnd: t.exposeBoolean("isEnd", { description: "Nothing follows." }),
      sealed: t.int({ description: "The last position of the chain.", resolve: (row) => row.chain.position }),
      unsealed: t.int({
        description: "Entries that wait for their place; they are not checked.",
        resolve: async (_row, _args, { database }) => (await unsealedTail(database.db)).count,
      }),
    }),
  });
  builder.queryField("auditVerification", (t) =>
    t.field({
      type: VerificationRef,
      ...read,
      description: "Makes the hashes of a page of the audit trail anew and compares them with those that are stored.",
      complexity: () => ({ field: pageWeight, multiplier: 1 }),
      args: {
        after: t.arg({ type: PlaceInput, description: "Behind this place; from the first entry when left out." }),
        first: t.arg.int({ description: "How many entries; 2,000 when left out, at most 5,000." }),
      },
      resolve: (_root, { after, first }, { database }) => {
        const limit = first ?? 2_000;
        if (limit < 1 || limit > maxChecked)
          throw new DomainError("QSC_GRAPHQL_PAGE_SIZE", `first is ${limit}; a check has 1 to ${maxChecked} entries a page.`, {
            field: "first",
          });
        return verifyTrail(database, knownPlace(after ?? chainStart), { limit });
      },
    }),
  );
}

function knownPlace(place: ChainPlace): ChainPlace {
  if (place.position >= 0 && HASH.test(place.hash)) return place;
  throw new DomainError("QSC_AUDIT_PLACE", "This is no place of the audit trail. Pass `place` of the page before, unchanged.", {
    field: "after",
  });
}

function defineHead(): void {
  const HeadRef = builder.objectRef<SignedHead>("AuditHead").implement({
    description: "The end of the audit trail, signed. Kept elsewhere, it shows later that nothing before it was changed or deleted.",
    ...read,
    fields: (t) => ({
      position: t.exposeInt("position", { description: "Of the last entry." }),
      hash: t.exposeString("hash", { description: "Of the last entry." }),
      sealedAt: t.exposeString("sealedAt", { description: "When it was sealed, ISO 8601 as it was signed." }),
      epoch: t.exposeString("epoch", { description: "The deployment's epoch; a restore begins another." }),
      keyId: t.exposeString("keyId", { description: "Names the key." }),
      publicKey: t.exposeString("publicKey", { description: "Ed25519, SPKI in base64. Note it once, by a way of its own." }),
      signature: t.exposeString("signature", { description: "Ed25519 over the canonical JSON of the first four, in base64." }),
    }),
  });
  builder.queryFields((t) => ({
    auditHead: t.field({
      type: HeadRef,
      nullable: true,
      ...read,
      description: "The end of the audit trail, signed; null while nothing is sealed.",
      resolve: (_root, _args, { database, catalogue }) => signedHead({ database, keys: catalogue.keys }),
    }),
    auditHashes: t.field({
      type: [PlaceRef],
      ...read,
      description:
        "The hashes at some positions of the audit trail, to compare recorded heads with; positions without an entry are left out.",
      complexity: () => ({ field: pageWeight, multiplier: 1 }),
      args: { positions: t.arg.intList({ required: true, description: "At most 200." }) },
      resolve: async (_root, { positions }, { database }) => {
        if (positions.length > maxPlaces)
          throw new DomainError("QSC_GRAPHQL_PAGE_SIZE", `These are ${positions.length} positions; expected at most ${maxPlaces}.`, {
            field: "positions",
          });
        return [...(await hashesAt(database.db, positions))].map(([position, hash]) => ({ position, hash }));
      },
    }),
  }));
}

function defineExport(): void {
  const PieceRef = builder.objectRef<TrailPiece>("AuditExport").implement({
    description: "Entries of the audit trail with all that is needed to check them without the server.",
    ...read,
    fields: (t) => ({
      startsAfter: t.field({ type: PlaceRef, description: "The place before the first.", resolve: (row) => row.startsAfter }),
      entries: t.field({
        type: ["JSON"],
        description: "The entries, as docs/auditors.md describes them.",
        resolve: (row) => row.entries.map(exported),
      }),
      isEnd: t.exposeBoolean("isEnd", { description: "Nothing of the period follows." }),
    }),
  });
  builder.queryField("auditExport", (t) =>
    t.field({
      type: PieceRef,
      ...read,
      description: "A page of the audit trail in the order of its chain, from the first entry of a period to the last.",
      complexity: () => ({ field: pageWeight, multiplier: 1 }),
      args: {
        from: t.arg({ type: "DateTime", description: "Done at or after." }),
        to: t.arg({ type: "DateTime", description: "Done before." }),
        after: t.arg.int({ description: "Behind this position; for every page but the first." }),
        first: t.arg.int({ description: "How many entries; 200 when left out, at most 500." }),
      },
      resolve: (_root, args, { database }) => exportTrail(database, { ...args, first: args.first ?? 200 }),
    }),
  );
}

function exported({ at, sealedAt, ...entry }: SealedEntry): object {
  return { ...entry, at: new Date(at).toISOString(), sealedAt: new Date(sealedAt).toISOString() };
}
