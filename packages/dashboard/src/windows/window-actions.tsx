import { useState } from "react";
import { useIntl } from "react-intl";
import { useCommand } from "../app/live.js";
import { localAt, offsetMs } from "./clock-change.js";
import { ConfirmedButton } from "./confirmed-button.js";
import { isTime } from "./recurrence.js";
import { Field } from "./text-field.js";
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
      {isWaiting ? <Resume window={window} occurrence={occurrence} /> : null}
      {isWaiting ? <Release window={window} occurrence={occurrence} /> : null}
      {canExtend ? <Extend key={occurrence.endsAt} window={window} occurrence={occurrence} /> : null}
      {isOpen ? <EndEarly window={window} occurrence={occurrence} /> : null}
      <Cancel window={window} occurrence={occurrence} />
    </>
  );
}

interface Of {
  readonly window: ShownWindow;
  readonly occurrence: LiveOccurrence;
}

function EndEarly({ window, occurrence }: Of) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(EndWindowEarlyDocument);
  const { key, title } = window;
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.end-early" })}
      title={formatMessage({ id: "windows.confirm.end-early.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.end-early" }, { held: occurrence.heldRuns })}
      isDangerous
      onConfirm={async (reason) => (await run({ input: { key, localStart: occurrence.localStart, reason } })) !== null}
    />
  );
}

function Extend({ window, occurrence }: Of) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(ExtendWindowDocument);
  const { timeZone: zone, endsAt } = occurrence;
  const [until, setUntil] = useState(localAt(Date.parse(endsAt) + HOUR_MS, zone));
  const { key, title } = window;
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.extend" })}
      title={formatMessage({ id: "windows.confirm.extend.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.extend" })}
      onConfirm={async (reason) => {
        const at = instantOf(until, zone);
        return at !== null && (await run({ input: { key, localStart: occurrence.localStart, until: at, reason } })) !== null;
      }}
    >
      <Field
        label={formatMessage({ id: "windows.date" })}
        type="date"
        value={until.slice(0, 10)}
        onChange={(day) => setUntil(`${day}T${until.slice(11)}`)}
        isRequired
      />
      <Field
        label={formatMessage({ id: "windows.confirm.extend.until" }, { zone })}
        type="time"
        value={until.slice(11)}
        onChange={(time) => setUntil(`${until.slice(0, 10)}T${time}`)}
        isRequired
        error={instantOf(until, zone) === null ? formatMessage({ id: "windows.missing" }) : null}
      />
    </ConfirmedButton>
  );
}

/** The instant of a local time in a zone; the first of two where clocks go back. */
function instantOf(local: string, zone: string): string | null {
  const asUtc = Date.parse(`${local}Z`);
  if (Number.isNaN(asUtc) || !isTime(local.slice(11))) return null;
  const guess = asUtc - offsetMs(asUtc, zone);
  return new Date(asUtc - offsetMs(guess, zone)).toISOString();
}

function Cancel({ window, occurrence }: { readonly window: ShownWindow; readonly occurrence: LiveOccurrence | null }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(CancelWindowDocument);
  const { key, title } = window;
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.cancel" })}
      title={formatMessage({ id: "windows.confirm.cancel.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.cancel" }, { held: occurrence?.heldRuns ?? 0 })}
      isDangerous
      onConfirm={async (reason) => (await run({ input: { key, reason } })) !== null}
    />
  );
}

/** One occurrence that shall not happen. */
export function Skip({ window, localStart, day }: { readonly window: ShownWindow; readonly localStart: string; readonly day: string }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(CancelWindowDocument);
  const { key, title } = window;
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.skip" })}
      name={formatMessage({ id: "windows.skip.named" }, { day })}
      title={formatMessage({ id: "windows.confirm.skip.title" }, { title, day })}
      words={formatMessage({ id: "windows.confirm.skip" })}
      isDangerous
      onConfirm={async (reason) => (await run({ input: { key, localStart, reason } })) !== null}
    />
  );
}

export function Restore({ window, localStart, day }: { readonly window: ShownWindow; readonly localStart: string; readonly day: string }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(RestoreOccurrenceDocument);
  const { key, title } = window;
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.restore" })}
      name={formatMessage({ id: "windows.restore.named" }, { day })}
      title={formatMessage({ id: "windows.confirm.restore.title" }, { title, day })}
      words={formatMessage({ id: "windows.confirm.restore" })}
      onConfirm={async (reason) => (await run({ input: { key, localStart, reason } })) !== null}
    />
  );
}

function Resume({ window }: Of) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(ResumeWindowDocument);
  const { key, title } = window;
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.ask-again" })}
      title={formatMessage({ id: "windows.confirm.resume.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.resume" })}
      onConfirm={async (reason) => (await run({ input: { key, reason } })) !== null}
    />
  );
}

function Release({ window, occurrence }: Of) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(ResumeWindowDocument);
  const { key, title } = window;
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.release" })}
      title={formatMessage({ id: "windows.confirm.release.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.release" }, { held: occurrence.heldRuns })}
      isDangerous
      onConfirm={async (reason) => (await run({ input: { key, reason, skipReadiness: true } })) !== null}
    />
  );
}

function Approve({ window: { key, title } }: { readonly window: ShownWindow }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(ApproveWindowDocument);
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.approve" })}
      title={formatMessage({ id: "windows.confirm.approve.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.approve" })}
      isReasonNeeded={false}
      onConfirm={async (comment) => (await run({ input: { key, comment: comment === "" ? null : comment } })) !== null}
    />
  );
}

function Reject({ window: { key, title } }: { readonly window: ShownWindow }) {
  const { formatMessage } = useIntl();
  const { run, ...command } = useCommand(RejectWindowDocument);
  return (
    <ConfirmedButton
      {...command}
      label={formatMessage({ id: "windows.reject" })}
      title={formatMessage({ id: "windows.confirm.reject.title" }, { title })}
      words={formatMessage({ id: "windows.confirm.reject" })}
      isDangerous
      onConfirm={async (comment) => (await run({ input: { key, comment } })) !== null}
    />
  );
}
