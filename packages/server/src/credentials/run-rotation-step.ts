import {
  afterSupersession,
  decideAfterStep,
  isEnded,
  mayTurn,
  overlapMs,
  rotationPolicySchema,
  type RotationState,
  type StepResult,
} from "@quiesce/core";
import { isConnectorError, type IssuedSecrets } from "@quiesce/sdk";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { RotationCalls } from "../connector-host/rotation-calls.js";
import type { Database, Tx } from "../db/client.js";
import type { Log } from "../log.js";
import { readOpenSince } from "../runs/open-since.js";
import { forgetCredential, putInForce } from "./credential-store.js";
import { keepCredential } from "./keep-credential.js";
import type { KeyRing } from "./master-key.js";
import { recordRotation } from "./record-rotation.js";
import { beginDrain, lockStep, type OpenRotation, postponeStep, runsOfBefore, saveState, takeDueStep } from "./rotation-store.js";

/** Runs in flight are looked at again after so long. */
const drainLookMs = 1_000;
/** While a person is awaited, the workspace may give new secrets as well. */
const awaitingLookMs = 15_000;
/** While something holds the endpoint's integrations, its system is not asked. */
const heldLookMs = 15_000;

/** What the steps of rotations need. */
export interface StepContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly calls: RotationCalls;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What came of a step, and what it brought. */
interface Outcome {
  readonly result: StepResult;
  readonly issued?: IssuedSecrets;
  /** What a person should know although it went well. */
  readonly note?: string;
}

/**
 * Does the next step of one rotation that is due: takes it under a fence, does what it means in the system, and writes down how it ended if nobody has
 * taken a later step meanwhile. Any server may call it at any moment. Answers whether there was one.
 */
export async function runRotationStep(context: StepContext): Promise<boolean> {
  const taken = await inTransaction(context, (tx) => takeDueStep(tx));
  if (taken === null) return false;
  const { state } = taken;
  if (supersededTo(taken) !== null) await settle(context, taken, { result: { kind: "done" } });
  else if (state === "awaiting") await inTransaction(context, (tx) => postponeStep(tx, { ...taken, afterMs: awaitingLookMs }));
  else if (state === "draining" || state === "returning") await waitForRuns(context, taken);
  else if (taken.held) await inTransaction(context, (tx) => postponeStep(tx, { ...taken, afterMs: heldLookMs }));
  else await settle(context, taken, await callSystem(context, taken));
  return true;
}

/** Nothing here writes: what was brought is kept by the transaction that also says so. */
async function callSystem(context: StepContext, rotation: OpenRotation): Promise<Outcome> {
  const { calls, signal } = context;
  const endpoint = { id: rotation.endpointId };
  try {
    switch (rotation.state) {
      case "issuing":
        return { result: { kind: "done" }, issued: await calls.issue(endpoint, { key: rotation.id, fence: rotation.step }, signal) };
      case "testing":
        await calls.test(endpoint, { id: rotation.newCredentialId }, signal);
        return { result: { kind: "done" } };
      case "checking":
        await calls.test(endpoint, "in-force", signal);
        return { result: { kind: "done" } };
      case "revoking":
      case "discarding":
        return await endSecrets(context, rotation);
      case "draining":
      case "returning":
      case "awaiting":
      case "succeeded":
      case "unrevoked":
      case "failed":
        throw new Error(`A rotation that is ${rotation.state} asks nothing of a system.`);
    }
  } catch (error) {
    if (!isConnectorError(error)) throw error;
    return { result: { kind: "failed", error: { kind: error.kind, message: error.message } } };
  }
}

async function endSecrets({ calls, signal }: StepContext, rotation: OpenRotation): Promise<Outcome> {
  const { state, handedIn, newCredentialId, oldCredentialId, endpointId } = rotation;
  const done = { kind: "done" } as const;
  if (state === "discarding" && (handedIn || newCredentialId === null)) return { result: done };
  const { revokes } = await calls.abilities({ id: endpointId });
  if (!revokes)
    return {
      result: done,
      note: `The connector cannot end secrets: end the ${state === "revoking" ? "old" : "new"} ones at the system by hand.`,
    };
  await calls.revoke({ id: endpointId }, { ends: state === "revoking" ? oldCredentialId : newCredentialId, stays: "in-force" }, signal);
  return { result: done };
}

async function waitForRuns(context: StepContext, taken: OpenRotation): Promise<void> {
  const passed = await inTransaction(context, async (tx) => {
    const rotation = await lockStep(tx, taken);
    if (rotation === null) return false;
    if (rotation.drainFrom === null) {
      await beginDrain(tx, rotation.id);
      await postponeStep(tx, { ...rotation, afterMs: 0 });
      return false;
    }
    const now = await readNow(tx);
    const until =
      rotation.state === "draining" ? (rotation.switchedAt ?? now) + overlapMs(rotationPolicySchema.parse(rotation.policy)) : now;
    const { endpointId, drainFrom } = rotation;
    const runs = await runsOfBefore(tx, { endpointId, drainFrom, openSince: await readOpenSince(tx) });
    if (runs === 0 && now >= until) return true;
    await postponeStep(tx, { ...rotation, afterMs: runs > 0 ? drainLookMs : Math.min(until - now, heldLookMs) });
    return false;
  });
  if (passed) await settle(context, taken, { result: { kind: "done" } });
}

/** Decides what follows, and writes it with its audit entry and event. A server that was overtaken writes nothing. */
async function settle(context: StepContext, taken: OpenRotation, outcome: Outcome): Promise<void> {
  await inTransaction(context, async (tx) => {
    const rotation = await lockStep(tx, taken);
    if (rotation === null) {
      context.log.warn(
        { endpoint: taken.endpoint, rotation: taken.id },
        "A step of a rotation ended after another server had taken it; nothing is written.",
      );
      return;
    }
    const newId = outcome.issued === undefined ? null : await keepIssued(tx, context, rotation, outcome.issued);
    const hasNew = (newId ?? rotation.newCredentialId) !== null && !rotation.handedIn;
    const elsewhere = supersededTo({ ...rotation, hasNew });
    if (elsewhere !== null)
      return turn(tx, rotation, {
        to: elsewhere,
        problem: "The workspace gave the endpoint other secrets meanwhile; those are in force.",
        newId,
      });
    const verdict = decideAfterStep(outcome.result, { ...rotation, hasNew });
    if (verdict.kind === "again") {
      const { problem, afterMs } = verdict;
      return saveState(tx, { id: rotation.id, state: rotation.state, ended: false, failures: rotation.failures + 1, problem, afterMs });
    }
    // Why the new secrets are given up is said until the end.
    const problem = verdict.problem ?? outcome.note ?? (verdict.to === "discarding" || verdict.to === "failed" ? rotation.problem : null);
    return turn(tx, rotation, { to: verdict.to, problem, newId });
  });
}

/** Where it goes because somebody gave other secrets; null: nobody has, or it is on that way already. */
function supersededTo(rotation: OpenRotation & { readonly hasNew?: boolean }): RotationState | null {
  const { superseded, state, hasNew = rotation.newCredentialId !== null && !rotation.handedIn } = rotation;
  return superseded ? afterSupersession({ state, hasNew }) : null;
}

async function turn(
  tx: Tx,
  rotation: OpenRotation,
  input: { readonly to: RotationState; readonly problem: string | null; readonly newId: number | null },
): Promise<void> {
  const { id, endpoint, endpointId, state, trigger } = rotation;
  const { to, problem, newId } = input;
  if (state !== to && !mayTurn(state, to)) throw new Error(`A rotation that is ${state} cannot become ${to}.`);
  const newCredentialId = newId ?? rotation.newCredentialId;
  if (to === "checking") await putInForce(tx, { endpointId, credentialId: newCredentialId });
  if (to === "returning" && !rotation.superseded) await putInForce(tx, { endpointId, credentialId: rotation.oldCredentialId });
  if (to === "succeeded") await forgetCredential(tx, rotation.oldCredentialId);
  if (to === "failed") await forgetCredential(tx, newCredentialId);
  await saveState(tx, {
    id,
    state: to,
    ended: isEnded(to),
    failures: 0,
    problem,
    afterMs: 0,
    ...(newId === null ? {} : { newCredentialId: newId }),
    switched: to === "checking",
  });
  await recordRotation(tx, { actor: systemActor, endpoint, rotation: id, from: state, to, trigger, problem });
}

async function keepIssued(tx: Tx, { keys }: StepContext, rotation: OpenRotation, issued: IssuedSecrets): Promise<number> {
  const { endpoint, endpointId } = rotation;
  const expiresAt = issued.expiresAt === undefined ? null : Date.parse(issued.expiresAt);
  return (await keepCredential(tx, { keys, endpointId, endpoint, source: "issued", values: issued.secrets, expiresAt })).id;
}
