import { z } from "zod";
import { CliError } from "../cli-error.js";
import { type GraphqlClient, notQuiesce, notUnderstood, refusal, send } from "../graphql-client.js";
import { askGate, leaveGate, renewGate, upcomingHolds } from "../operations/hold-operations.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import type { KnownHold, KnownHolds } from "./known-holds.js";

/** Why the gate is shut, in the words of the hold that shuts it. */
export interface HeldReason {
  readonly title: string;
  readonly owner: string;
  readonly reason: string;
}

/** An answer of the gate; instants in epoch ms, `until` null while nobody knows. */
type GateAnswer = { readonly kind: "open" } | { readonly kind: "held"; readonly by: readonly HeldReason[]; readonly until: number | null };

export interface Lease {
  readonly run: string;
  readonly leaseToken: string;
}

type EnterAnswer =
  | { readonly kind: "entered"; readonly lease: Lease }
  | { readonly kind: "held"; readonly by: readonly HeldReason[]; readonly until: number | null };

/** The gate of one integration. Every function throws CliError `unreachable` when no server answers. */
export interface GateClient {
  readonly ask: () => Promise<GateAnswer>;
  readonly enter: (leaseSeconds: number) => Promise<EnterAnswer>;
  /** Throws QSC_GATE_LEASE_LOST when the lease has ended. */
  readonly renew: (lease: Lease, leaseSeconds: number) => Promise<void>;
  readonly leave: (lease: Lease, end: { readonly succeeded: boolean; readonly exitCode: number }) => Promise<void>;
  readonly upcoming: () => Promise<KnownHolds>;
}

/** One request to the gate may take so long; a lease is renewed three times in its life, so this must be short. */
const GATE_REQUEST_MS = 10_000;

const reasonSchema = z.looseObject({ title: z.string(), owner: z.string(), reason: z.string() });
const instantSchema = z.union([z.string().transform((text) => Date.parse(text)), z.number()]);
const enterSchema = z.union([
  z.looseObject({ entered: z.literal(true), runId: z.string(), leaseToken: z.string() }),
  z.looseObject({ entered: z.literal(false), by: z.array(reasonSchema), until: instantSchema.nullable() }),
]);
const errorSchema = z.looseObject({
  error: z.looseObject({ code: z.string(), message: z.string(), field: z.string().nullish() }),
});

/** `signal` ends whatever request is still open: a process must not wait for an answer that nobody needs. */
export function gateClient(api: GraphqlClient, integration: string, signal: AbortSignal): GateClient {
  return {
    ask: async () => {
      const { gate } = await api.request(askGate, { integration });
      return gate.held ? { kind: "held", by: gate.by, until: instantOrNull(gate.until) } : { kind: "open" };
    },
    enter: (leaseSeconds) => enter(api, integration, { leaseSeconds, signal }),
    renew: async (lease, leaseSeconds) => {
      await api.request(renewGate, { input: { run: lease.run, leaseToken: lease.leaseToken, leaseSeconds } });
    },
    leave: async (lease, end) => {
      await api.request(leaveGate, {
        input: { run: lease.run, leaseToken: lease.leaseToken, outcome: end.succeeded ? "SUCCEEDED" : "FAILED", exitCode: end.exitCode },
      });
    },
    upcoming: async () => {
      const answer = await api.request(upcomingHolds, { integration });
      if (answer.integration === null)
        throw new CliError("refused", `There is no integration "${integration}".`, {
          code: "QSC_INTEGRATION_NOT_FOUND",
          field: "integration",
        });
      const asOf = instantOf(answer.integration.gate.asOf);
      const enforced = answer.control.mode === "ENFORCE" ? answer.integration.holds.filter((hold) => hold.mode === "ENFORCE") : [];
      const holds = enforced.map((hold): KnownHold => ({
        from: instantOf(hold.beginsAt),
        until: instantOrNull(hold.expiresAt),
        title: hold.title,
        owner: hold.owner,
        reason: hold.reason,
      }));
      return { integration, asOf, holds };
    },
  };
}

async function enter(
  api: GraphqlClient,
  integration: string,
  options: { readonly leaseSeconds: number; readonly signal: AbortSignal },
): Promise<EnterAnswer> {
  const { connection } = api;
  const response = await send(connection, `/gate/${encodeURIComponent(integration)}/enter`, {
    body: { leaseSeconds: options.leaseSeconds },
    timeoutMs: GATE_REQUEST_MS,
    signal: options.signal,
  });
  if (response.json === undefined) throw notQuiesce(connection, response.status);
  const refused = errorSchema.safeParse(response.json);
  if (refused.success)
    throw refusal({ ...refused.data.error, field: refused.data.error.field ?? undefined, status: response.status, connection });
  const answer = enterSchema.safeParse(response.json);
  if (!answer.success) throw notUnderstood(connection, answer.error);
  return answer.data.entered
    ? { kind: "entered", lease: { run: answer.data.runId, leaseToken: answer.data.leaseToken } }
    : { kind: "held", by: answer.data.by, until: answer.data.until };
}
