import { DomainError, type RotationTrigger } from "@quiesce/core";
import { isConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { RotationAbilities, RotationCalls } from "../connector-host/rotation-calls.js";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { forgetCredential } from "./credential-store.js";
import type { SecretValues } from "./credential-secrets.js";
import { keepCredential } from "./keep-credential.js";
import type { KeyRing } from "./master-key.js";
import { recordRotation } from "./record-rotation.js";
import { insertRotation, openRotationOf, saveState } from "./rotation-store.js";

/** What the commands of rotations need beside a command's own. */
export interface RotationContext extends CommandContext {
  readonly keys: KeyRing;
  readonly calls: RotationCalls;
}

/** A reason is at most so long. */
const REASON_MAX = 1_000;

/** Begins a rotation; where the connector cannot issue secrets, it waits for a person. Answers its id. Throws QSC_CREDENTIALS_ROTATING and others. */
export async function requestRotation(
  context: RotationContext,
  input: { readonly endpoint: string; readonly reason?: string | undefined; readonly trigger?: RotationTrigger },
): Promise<string> {
  const { endpoint, reason, trigger = "manual" } = input;
  requireReason(reason);
  const abilities = await requireAbilities(context, endpoint);
  return inTransaction(context, async (tx) => {
    const endpointId = await lockEndpoint(tx, endpoint);
    refuseOpen(endpoint, await openRotationOf(tx, endpointId));
    const state = abilities.issues ? "issuing" : "awaiting";
    const { actor } = context;
    const rotation = await insertRotation(tx, {
      endpointId,
      trigger,
      state,
      requestedBy: `${actor.kind}:${actor.name}`,
      reason: reason ?? null,
      newCredentialId: null,
    });
    await recordRotation(tx, { actor, endpoint, rotation, from: null, to: state, trigger, problem: null, reason });
    return rotation;
  });
}

/**
 * Takes new secrets from a person: for the rotation that waits for them, or a new one. They are tested before anything uses them. Answers the rotation's
 * id. Throws QSC_CREDENTIALS_NOT_FITTING, QSC_CREDENTIALS_ROTATING and others.
 */
export async function stageCredential(
  context: RotationContext,
  input: {
    readonly endpoint: string;
    readonly values: SecretValues;
    readonly expiresAt?: number | null;
    readonly reason?: string | undefined;
  },
): Promise<string> {
  const { endpoint, values, reason, expiresAt = null } = input;
  requireReason(reason);
  const abilities = await requireAbilities(context, endpoint);
  await requireValues(context.calls, { endpoint, values, abilities });
  return inTransaction(context, async (tx) => {
    const endpointId = await lockEndpoint(tx, endpoint);
    const open = await openRotationOf(tx, endpointId);
    if (open?.state !== "awaiting") refuseOpen(endpoint, open);
    const { keys } = context;
    const kept = await keepCredential(tx, { keys, endpointId, endpoint, source: "handed-in", values, expiresAt });
    if (kept.expiresAt !== null && kept.expiresAt <= (await readNow(tx)))
      throw new DomainError(
        "QSC_CREDENTIALS_NOT_FITTING",
        `The new secrets ended on ${new Date(kept.expiresAt).toISOString()}. Hand in ones that are good.`,
        { field: "secrets" },
      );
    const newCredentialId = kept.id;
    const { actor } = context;
    const recorded = { actor, endpoint, to: "testing", problem: null, reason } as const;
    if (open === null) {
      const requestedBy = `${actor.kind}:${actor.name}`;
      const row = { endpointId, trigger: "staged", state: "testing", requestedBy, reason: reason ?? null, newCredentialId } as const;
      const rotation = await insertRotation(tx, row);
      await recordRotation(tx, { ...recorded, rotation, from: null, trigger: "staged" });
      return rotation;
    }
    await saveState(tx, { id: open.id, state: "testing", ended: false, failures: 0, problem: null, afterMs: 0, newCredentialId });
    await recordRotation(tx, { ...recorded, rotation: open.id, from: "awaiting", trigger: "staged" });
    return open.id;
  });
}

/** Ends a rotation before its switch; the old secrets stay. Throws QSC_CREDENTIALS_NO_ROTATION and QSC_CREDENTIALS_SWITCHED. */
export function cancelRotation(context: CommandContext, input: { readonly endpoint: string; readonly reason: string }): Promise<string> {
  const { endpoint, reason } = input;
  requireReason(reason);
  return inTransaction(context, async (tx) => {
    const endpointId = await lockEndpoint(tx, endpoint);
    const open = await openRotationOf(tx, endpointId);
    if (open === null)
      throw new DomainError("QSC_CREDENTIALS_NO_ROTATION", `No rotation of endpoint "${endpoint}" is under way.`, { field: "endpoint" });
    const { id, state } = open;
    if (state !== "awaiting" && state !== "issuing" && state !== "testing")
      throw new DomainError(
        "QSC_CREDENTIALS_SWITCHED",
        `The rotation of endpoint "${endpoint}" is ${state}: what is in force was switched already. It ends by itself; begin another one if you need other secrets.`,
        { field: "endpoint" },
      );
    if (state === "issuing" && open.step > 0 && open.nextAt > (await readNow(tx)))
      throw new DomainError(
        "QSC_CREDENTIALS_ROTATING",
        `The system of endpoint "${endpoint}" is being asked for new secrets right now, or waits to be asked again. Try in a moment.`,
        { field: "endpoint" },
      );
    const problem = `Cancelled: ${reason}`;
    const to = state === "testing" ? "discarding" : "failed";
    await saveState(tx, { id, state: to, ended: to === "failed", failures: 0, problem, afterMs: 0 });
    // A call that is under way may not say any more how it ended.
    await tx.execute(sql`update credential_rotation set step = nextval('credential_step') where id = ${id}::uuid`);
    if (to === "failed") await forgetCredential(tx, open.newCredentialId);
    await recordRotation(tx, { actor: context.actor, endpoint, rotation: id, from: state, to, trigger: "manual", problem, reason });
    return id;
  });
}

async function lockEndpoint(tx: Tx, endpoint: string): Promise<number> {
  const [row] = await selectRows<{ id: number }>(tx, sql`select id from endpoint where key = ${endpoint} for update`);
  if (row === undefined) throw noEndpoint(endpoint);
  return row.id;
}

function noEndpoint(endpoint: string): DomainError {
  return new DomainError("QSC_ENDPOINT_NOT_FOUND", `There is no endpoint "${endpoint.slice(0, 100)}".`, { field: "endpoint" });
}

function refuseOpen(endpoint: string, open: { readonly state: string } | null): void {
  if (open === null) return;
  const hint = open.state === "awaiting" ? "Hand the new secrets in with: quiesce credential stage" : "See: quiesce credential list";
  throw new DomainError("QSC_CREDENTIALS_ROTATING", `A rotation of endpoint "${endpoint}" is under way (${open.state}). ${hint}`, {
    field: "endpoint",
  });
}

function requireReason(reason: string | undefined): void {
  if (reason !== undefined && (reason.trim() === "" || reason.length > REASON_MAX))
    throw new DomainError("QSC_CREDENTIALS_REASON", `The reason has ${reason.length} characters; expected 1 to ${REASON_MAX}.`, {
      field: "reason",
    });
}

async function requireAbilities({ database, calls }: RotationContext, endpoint: string): Promise<RotationAbilities> {
  // Before the connector is asked, which knows endpoints that the caller does not see.
  const [row] = await selectRows<{ id: number }>(database.db, sql`select id from endpoint where key = ${endpoint}`);
  if (row === undefined) throw noEndpoint(endpoint);
  const abilities = await refusable("endpoint", () => calls.abilities({ key: endpoint }));
  if (!abilities.checks)
    throw new DomainError(
      "QSC_CREDENTIALS_NO_CHECK",
      `The connector of endpoint "${endpoint}" cannot check its system, so new secrets could not be tested. Change them in the workspace and apply it.`,
      { field: "endpoint" },
    );
  return abilities;
}

async function requireValues(
  calls: RotationCalls,
  input: { readonly endpoint: string; readonly values: SecretValues; readonly abilities: RotationAbilities },
): Promise<void> {
  const { endpoint, values, abilities } = input;
  const names = Object.keys(values);
  const unknown = names.filter((name) => !abilities.names.includes(name));
  if (names.length === 0 || unknown.length > 0)
    throw new DomainError(
      "QSC_CREDENTIALS_NOT_FITTING",
      `Found ${names.length === 0 ? "no secrets" : unknown.map((name) => JSON.stringify(name.slice(0, 63))).join(", ")}; endpoint "${endpoint}" takes ${abilities.names.join(", ") || "none"}.`,
      { field: "secrets" },
    );
  await refusable("secrets", () => calls.requireFit({ key: endpoint }, values));
}

/** A connector's word on settings is a refusal for whoever asks. */
async function refusable<T>(field: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isConnectorError(error)) throw new DomainError("QSC_CREDENTIALS_NOT_FITTING", error.message, { field, cause: error });
    throw error;
  }
}
