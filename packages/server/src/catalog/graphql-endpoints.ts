import { findingKinds, findingSeverities } from "@quiesce/core";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { EndpointRef, SystemRef } from "../graphql/refs.js";
import { type FindingRow, findingsOf } from "./endpoint-finding-store.js";
import { secretsOf, type SecretRow } from "./queries.js";

const read = { authScopes: { can: "catalogue.read" } } as const;

const FindingKindEnum = capsEnum("EndpointFindingKind", "What a finding is about.", [...findingKinds], {
  "certificate-expiry": "When the certificate ends. There for every certificate that was seen.",
  "certificate-untrusted": "The certificate's chain leads to nobody who is trusted.",
  "certificate-name": "The certificate is another host's.",
  "protocol-old": "TLS before 1.2.",
  "plain-text": "http instead of https.",
  authentication: "How requests say who asks.",
  "credential-expiry": "When the endpoint's own credential ends. There for every one whose end is known.",
  "credential-age": "The credential is older than its rotation wants it.",
});
const FindingSeverityEnum = capsEnum("FindingSeverity", "How bad a finding is.", [...findingSeverities]);
const secrets = batched(
  (ids: readonly number[], { database }) => secretsOf(database, ids),
  (row) => row.endpointId,
);
const findings = batched(
  (ids: readonly number[], { database }) => findingsOf(database, ids),
  (row) => row.endpointId,
);

/** Endpoints, what is known of their secrets, and what is wrong with the way to them. */
export function defineEndpoints(): void {
  const SecretRef = builder.objectRef<SecretRow>("EndpointSecret").implement({
    description: "That an endpoint has a secret. Its value never leaves the server.",
    fields: (t) => ({
      name: t.exposeString("name", { description: "Which secret of the connector it is." }),
      source: t.exposeString("source", { description: "Where the value came from: env:NAME, file:PATH or inline." }),
      fingerprint: t.exposeString("fingerprint", { description: "Equal values have equal fingerprints." }),
      updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When the value was last set." }),
    }),
  });
  const FindingRef = builder.objectRef<FindingRow>("EndpointFinding").implement({
    description: "Something about the way to a system that is wrong, or will be: seen at the endpoint's last check.",
    fields: (t) => ({
      kind: t.expose("kind", { type: FindingKindEnum, description: "What it is about." }),
      origin: t.exposeString("origin", { description: "Where." }),
      severity: t.expose("severity", { type: FindingSeverityEnum, description: "How bad it is, now." }),
      message: t.exposeString("message", { description: "It, in words." }),
      foundAt: t.expose("foundAt", { type: "DateTime", description: "The check that saw it first." }),
      checkedAt: t.expose("checkedAt", { type: "DateTime", description: "The last check." }),
      expiresAt: t.expose("expiresAt", {
        type: "DateTime",
        nullable: true,
        description: "When the certificate ends; null for other findings.",
      }),
    }),
  });
  builder.objectType(EndpointRef, {
    description: "A system reached through a connector with configuration and secrets.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its stable name." }),
      name: t.exposeString("name", { description: "Its name for people." }),
      system: t.field({ type: SystemRef, description: "The system it reaches.", resolve: (row) => String(row.systemId) }),
      connector: t.exposeString("connector", { description: "The connector that reaches it." }),
      config: t.expose("config", { type: "JSON", description: "The connector's configuration; secrets are not in it." }),
      allowPrivate: t.stringList({
        description: "Names that may lead it into private networks.",
        resolve: (row) => [...row.allowPrivate],
      }),
      checkEverySeconds: t.int({
        nullable: true,
        description: "It is checked by the clock, this often; null: only when there is a reason.",
        resolve: (row) => (row.checkEveryMs === null ? null : row.checkEveryMs / 1_000),
      }),
      secrets: t.field({
        type: [SecretRef],
        description: "Its secrets, without their values.",
        resolve: (row, _args, context) => secrets.many(context, row.id),
      }),
      findings: t.field({
        type: [FindingRef],
        description:
          "What is wrong with the way to it, or will be: certificate, protocol, authentication. Checks of the endpoint look; web origins alone.",
        resolve: (row, _args, context) => findings.many(context, row.id),
      }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was added." }),
      updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When it was last changed." }),
    }),
  });
}
