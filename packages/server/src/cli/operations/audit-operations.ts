import { z } from "zod";
import { operation } from "../graphql-client.js";

const place = z.object({ position: z.number(), hash: z.string() });
const problem = z.object({
  kind: z.string(),
  position: z.number(),
  entry: z.string().nullable(),
  field: z.string().nullable(),
  message: z.string(),
});
export type AuditProblemAnswer = z.infer<typeof problem>;

const entry = z.object({
  key: z.string(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  subjectKind: z.string(),
  subjectKey: z.string(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  position: z.number().nullable(),
});
export type AuditEntryAnswer = z.infer<typeof entry>;

export const listAudit = operation(
  `query Audit($first: Int, $after: String, $filter: AuditFilter) {
    audit(first: $first, after: $after, filter: $filter) {
      nodes { key at actor action subjectKind subjectKey reason before after position } pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({
    audit: z.object({ nodes: z.array(entry), pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }) }),
  }),
);

const verification = z.object({
  checked: z.number(),
  place,
  problems: z.array(problem),
  isEnd: z.boolean(),
  sealed: z.number(),
  unsealed: z.number(),
});
export type AuditVerificationAnswer = z.infer<typeof verification>;

export const verifyAudit = operation(
  `query VerifyAudit($after: AuditPlaceInput, $first: Int) {
    auditVerification(after: $after, first: $first) {
      checked place { position hash } problems { kind position entry field message } isEnd sealed unsealed
    }
  }`,
  z.object({ auditVerification: verification }),
);

const head = z.object({
  position: z.number(),
  hash: z.string(),
  sealedAt: z.string(),
  epoch: z.string(),
  keyId: z.string(),
  publicKey: z.string(),
  signature: z.string(),
});

export const readAuditHead = operation(
  "query AuditHead { auditHead { position hash sealedAt epoch keyId publicKey signature } }",
  z.object({ auditHead: head.nullable() }),
);
export const readAuditHashes = operation(
  "query AuditHashes($positions: [Int!]!) { auditHashes(positions: $positions) { position hash } }",
  z.object({ auditHashes: z.array(place) }),
);
const piece = z.object({ startsAfter: place, entries: z.array(z.record(z.string(), z.unknown())), isEnd: z.boolean() });
export type AuditExportAnswer = z.infer<typeof piece>;

export const exportAudit = operation(
  `query ExportAudit($from: DateTime, $to: DateTime, $after: Int, $first: Int) {
    auditExport(from: $from, to: $to, after: $after, first: $first) { startsAfter { position hash } entries isEnd }
  }`,
  z.object({ auditExport: piece }),
);
export const eraseAudit = operation(
  `mutation EraseAudit($input: EraseAuditPersonalInput!) { eraseAuditPersonal(input: $input) { values entries incidents orders { key } } }`,
  z.object({
    eraseAuditPersonal: z.object({
      values: z.number(),
      entries: z.number(),
      incidents: z.number(),
      orders: z.array(z.object({ key: z.string() })),
    }),
  }),
);
