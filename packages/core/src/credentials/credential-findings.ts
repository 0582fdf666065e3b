import { expirySeverity, type EndpointFinding } from "../catalog/endpoint-findings.js";
import { parseDurationMs } from "../catalog/duration-text.js";
import type { RotationFacts } from "./rotation-policy.js";

const dayMs = 86_400_000;

/** A credential is old when a quarter of its time has passed beyond it: rotations wait for windows and people. */
const graceRatio = 1.25;

/** What is to be said of an endpoint's own credential: when it ends, and that it is older than it should be. */
export function credentialFindings(
  facts: Pick<RotationFacts, "policy" | "since" | "expiresAt">,
  now: number,
): readonly Pick<EndpointFinding, "kind" | "severity" | "message" | "expiresAt">[] {
  const { policy, since, expiresAt } = facts;
  const everyMs = policy.every === null ? null : (parseDurationMs(policy.every) ?? null);
  const ageDays = Math.floor((now - since) / dayMs);
  return [
    ...(expiresAt === null
      ? []
      : [
          {
            kind: "credential-expiry" as const,
            severity: expirySeverity(expiresAt, now),
            message: `The credential ${expiresAt <= now ? "ended" : "ends"} on ${new Date(expiresAt).toISOString().slice(0, 10)}.`,
            expiresAt,
          },
        ]),
    ...(everyMs !== null && now - since > everyMs * graceRatio
      ? [
          {
            kind: "credential-age" as const,
            severity: "medium" as const,
            message: `The credential is in force since ${ageDays} days and was to be renewed every ${policy.every}. See quiesce credential history.`,
            expiresAt: null,
          },
        ]
      : []),
  ];
}
