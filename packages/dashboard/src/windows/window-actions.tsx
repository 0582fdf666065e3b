import { useState } from "react";
import { useIntl } from "react-intl";
import { CommandButton } from "../components/command-button.js";
import { DayField, TimeField } from "../components/date-fields.js";
import { RefusalText } from "../components/refusal-text.js";
import { instantOf, localAt } from "./clock-change.js";
import {
  ApproveWindowDocument,
  CancelWindowDocument,
  EndWindowEarlyDocument,
  ExtendWindowDocument,
  RejectWindowDocument,
  RestoreOccurrenceDocument,
  ResumeWindowDocument,
} from "./window.generated.js";
import type { LiveOccurrence, ShownWindow } from "./window-sentence.js";

const HOUR_MS = 3_600_000;
const openStates: readonly LiveOccurrence["state"][] = ["DRAINING", "QUIESCED", "OBSERVING"];
const waitingStates: readonly LiveOccurrence["state"][] = ["VERIFYING", "OVERRUN"];

/** What can be done about a window now. */
export function WindowActions({ window, occurrence }: { readonly window: ShownWindow; readonly occurrence: LiveOccurrence | null }) {
  if (window.cancelledAt !== null) return null;
  const isOpen = occurrence !== null && openStates.includes(occurrence.state);
  const isWaiting = occurrence !== null && waitingStates.includes(occurrence.state);
  const canExtend = occurrence !== null && (isOpen || occurrence.state === "SCHEDULED");
  const isAsked = window.approval?.state === "PENDING";
  return (
    <>
      {isAsked ? <Approve window={window} /> : null}
      {isAsked ? <Reject window={window} /> : null}
      {isWaiting ? <Resume window={window} /> : null}
      {isWaiting ? <Release window={window} occurrence={occurrence} /> : null}
      {canExtend ? <Extend key={occurrence.endsAt} window={window} occurrence={occurrence} /> : null}
      {isOpen ? <EndEarly window={window} occurrence={occurrence} /> : null}
      {/* What is over has nothing left to cancel. */}
      {occurrence === null ? null : <Cancel window={window} occurrence={occurrence} />}
    </>
  );
}

interface Of {
  readonly window: ShownWindow;
  readonly occurrence: LiveOccurrence;
}

function EndEarly({ window: { key, title }, occurrence }: Of) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={EndWindowEarlyDocument}
      variables={(reason) => ({ input: { key, localStart: occurrence.localStart, reason } })}
      label={formatMessage({ id: "windows.end-early" })}
      title={formatMessage({ id: "windows.confirm.end-early.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.end-early" }, { held: occurrence.heldRuns })}
      isDangerous
    />
  );
}

function Extend({ window: { key, title }, occurrence }: Of) {
  const { formatMessage } = useIntl();
  const { timeZone: zone, endsAt, localStart } = occurrence;
  const later = localAt(Date.parse(endsAt) + HOUR_MS, zone);
  const [day, setDay] = useState(later.slice(0, 10));
  const [time, setTime] = useState(later.slice(11, 16));
  const until = instantOf(`${day}T${time}`, zone);
  return (
    <CommandButton
      document={ExtendWindowDocument}
      variables={(reason) => (until === null ? null : { input: { key, localStart, until, reason } })}
      label={formatMessage({ id: "windows.extend" })}
      title={formatMessage({ id: "windows.confirm.extend.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.extend" })}
      ownFields={["until"]}
    >
      {(refusal) => (
        <>
          <DayField label={formatMessage({ id: "windows.date" })} value={day} onChange={setDay} isRequired />
          <TimeField
            label={formatMessage({ id: "windows.confirm.extend.until" }, { zone })}
            value={time}
            onChange={setTime}
            isRequired
            error={
              until === null ? (
                formatMessage({ id: "windows.missing" })
              ) : refusal?.field === "until" ? (
                <RefusalText refusal={refusal} />
              ) : null
            }
          />
        </>
      )}
    </CommandButton>
  );
}

function Cancel({ window: { key, title }, occurrence }: { readonly window: ShownWindow; readonly occurrence: LiveOccurrence | null }) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={CancelWindowDocument}
      variables={(reason) => ({ input: { key, reason } })}
      label={formatMessage({ id: "windows.cancel" })}
      title={formatMessage({ id: "windows.confirm.cancel.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.cancel" }, { held: occurrence?.heldRuns ?? 0 })}
      isDangerous
    />
  );
}

interface OfDay {
  readonly window: ShownWindow;
  readonly localStart: string;
  readonly day: string;
}

/** One occurrence that shall not happen. */
export function Skip({ window: { key, title }, localStart, day }: OfDay) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={CancelWindowDocument}
      variables={(reason) => ({ input: { key, localStart, reason } })}
      label={formatMessage({ id: "windows.skip" })}
      name={formatMessage({ id: "windows.skip.named" }, { day })}
      title={formatMessage({ id: "windows.confirm.skip.title" }, { title, day })}
      words={formatMessage({ id: "windows.confirm.skip" })}
      isDangerous
    />
  );
}

export function Restore({ window: { key, title }, localStart, day }: OfDay) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={RestoreOccurrenceDocument}
      variables={(reason) => ({ input: { key, localStart, reason } })}
      label={formatMessage({ id: "windows.restore" })}
      name={formatMessage({ id: "windows.restore.named" }, { day })}
      title={formatMessage({ id: "windows.confirm.restore.title" }, { title, day })}
      words={formatMessage({ id: "windows.confirm.restore" })}
    />
  );
}

function Resume({ window: { key, title } }: Pick<Of, "window">) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={ResumeWindowDocument}
      variables={(reason) => ({ input: { key, reason } })}
      label={formatMessage({ id: "windows.ask-again" })}
      title={formatMessage({ id: "windows.confirm.resume.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.resume" })}
    />
  );
}

function Release({ window: { key, title }, occurrence }: Of) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={ResumeWindowDocument}
      variables={(reason) => ({ input: { key, reason, skipReadiness: true } })}
      label={formatMessage({ id: "windows.release" })}
      title={formatMessage({ id: "windows.confirm.release.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.release" }, { held: occurrence.heldRuns })}
      isDangerous
    />
  );
}

function Approve({ window: { key, title } }: Pick<Of, "window">) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={ApproveWindowDocument}
      variables={(comment) => ({ input: { key, comment: comment === "" ? null : comment } })}
      label={formatMessage({ id: "windows.approve" })}
      title={formatMessage({ id: "windows.confirm.approve.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.approve" })}
      reason="optional"
    />
  );
}

function Reject({ window: { key, title } }: Pick<Of, "window">) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={RejectWindowDocument}
      variables={(comment) => ({ input: { key, comment } })}
      label={formatMessage({ id: "windows.reject" })}
      title={formatMessage({ id: "windows.confirm.reject.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.reject" })}
      isDangerous
    />
  );
}
