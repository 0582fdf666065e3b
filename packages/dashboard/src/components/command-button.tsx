import type { Refusal } from "@quiesce/client";
import type { ReactNode } from "react";
import type { AnyVariables, DocumentInput } from "urql";
import { useCommand } from "../app/live.js";
import { ConfirmedButton, type Confirmation } from "./confirmed-button.js";

/** A button for one mutation: it says what will happen, asks why, sends it, and stays open with what the server refuses. */
export function CommandButton<Data, Variables extends AnyVariables>({
  document,
  variables,
  onDone,
  onClosed,
  ownFields = [],
  children,
  ...words
}: Confirmation & {
  readonly document: DocumentInput<Data, Variables>;
  /** What is sent, with the reason that was given; null: a field of its own says what is missing. */
  readonly variables: (reason: string) => Variables | null;
  readonly onDone?: (data: Data) => void;
  /** Done or not: what was typed into further fields can be forgotten. */
  readonly onClosed?: () => void;
  /** What is refused about these, as the API names them, is told by `children` at its field. */
  readonly ownFields?: readonly string[];
  /** More fields; with the refusal, for those that it is about. */
  readonly children?: (refusal: Refusal | null) => ReactNode;
}) {
  const { run, refusal, isRunning, reset } = useCommand(document);
  const confirm = async (reason: string): Promise<boolean> => {
    const wanted = variables(reason);
    const data = wanted === null ? null : await run(wanted);
    if (data !== null) onDone?.(data);
    return data !== null;
  };
  const close = () => {
    reset();
    onClosed?.();
  };
  const isTold = refusal !== null && refusal.field !== null && ownFields.includes(refusal.field);
  return (
    <ConfirmedButton {...words} refusal={refusal} isTold={isTold} isRunning={isRunning} onConfirm={confirm} onClose={close}>
      {children?.(refusal)}
    </ConfirmedButton>
  );
}
