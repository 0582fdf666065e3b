import { type ConnectorError, ERROR_POLICIES, type ErrorKind } from "@quiesce/sdk";
import { drainAbortReason, type RunOutcome } from "../runs/finish.js";
import type { RunFigures } from "../runs/run-figures.js";
import type { AbortReason } from "../scheduler/run-executor.js";
import { storableText } from "./storable-json.js";

const MAX_MESSAGE_LENGTH = 2_000;

/** A failed attempt, with what the SDK's table says of errors of this kind. */
export function failedOutcome(error: ConnectorError, figures: RunFigures): RunOutcome {
  const { retryAfterMs, ambiguous, userMessage } = error.info;
  return failure(error.kind, userMessage === undefined ? error.message : `${userMessage} (${error.message})`, figures, {
    retryAfterMs: retryAfterMs ?? null,
    ambiguous: ambiguous === true,
  });
}

/** An attempt that was told to stop. Its committed pages stand; the next attempt goes on behind them. */
export function stoppedOutcome(reason: AbortReason, figures: RunFigures): RunOutcome {
  switch (reason.why) {
    case "timeout":
      return failure(
        "timeout",
        "The run reached its time limit and was stopped. The next attempt goes on from the last committed page; raise the job's timeout if this repeats.",
        figures,
      );
    case "shutdown":
      // Not the run's fault, so it costs no attempt: a kill would not either.
      return { kind: "given-back", reason: "shutdown" };
    case "window":
      // The drain deadline of a window: given back, and held at the next claim.
      return { kind: "given-back", reason: drainAbortReason };
    case "lease-lost":
      return lostOutcome(figures);
  }
}

/** Nobody will read it: the run's row belongs to somebody else already. */
export function lostOutcome(figures: RunFigures): RunOutcome {
  return failure("cancelled", "The worker lost its lease, so the run was taken back.", figures);
}

function failure(
  kind: ErrorKind,
  message: string,
  figures: RunFigures,
  facts: { readonly retryAfterMs: number | null; readonly ambiguous: boolean } = { retryAfterMs: null, ambiguous: false },
): RunOutcome {
  return {
    kind: "failed",
    figures,
    failure: { kind, rule: ERROR_POLICIES[kind], ...facts },
    error: { kind, message: shortened(message) },
  };
}

/** Cut to its length, never through a surrogate pair: the half would be no character, and jsonb refuses it. */
function shortened(message: string): string {
  return storableText(message.slice(0, MAX_MESSAGE_LENGTH).replace(/[\ud800-\udbff]$/, ""));
}
