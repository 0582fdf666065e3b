import type { ReactNode } from "react";
import { Button, Checkbox, Disclosure, DisclosurePanel } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { Choice } from "../components/choice.js";
import { Field } from "../components/text-field.js";
import type { WindowForm } from "./window-form.js";
import styles from "./windows.module.css";

const drainEndings = ["ABORT", "LEAVE"] as const satisfies readonly WindowForm["drain"]["atDeadline"][];
/** The server has bounds of its own; this keeps what is typed a number that it can read. */
const MAX_NUMBER = 1_000_000;

/** What becomes of runs in flight when it begins, and of what was held when it ends. Closed unless somebody wants to see it. */
export function PolicyFields({
  drain,
  resume,
  error,
  onChange,
}: {
  readonly drain: WindowForm["drain"];
  readonly resume: WindowForm["resume"];
  readonly error: ReactNode;
  readonly onChange: (part: Partial<Pick<WindowForm, "drain" | "resume">>) => void;
}) {
  return (
    <Disclosure {...(error === null ? {} : { isExpanded: true })}>
      <Button slot="trigger" className="button">
        <FormattedMessage id="windows.policies" />
      </Button>
      <DisclosurePanel className={styles["policies"] ?? ""}>
        {error === null ? null : <p className={styles["refusal"]}>{error}</p>}
        <DrainFields drain={drain} onChange={(part) => onChange({ drain: { ...drain, ...part } })} />
        <ResumeFields resume={resume} onChange={(part) => onChange({ resume: { ...resume, ...part } })} />
      </DisclosurePanel>
    </Disclosure>
  );
}

function DrainFields({
  drain: { deadlineMinutes, atDeadline, leadLimitMinutes },
  onChange,
}: {
  readonly drain: WindowForm["drain"];
  readonly onChange: (part: Partial<WindowForm["drain"]>) => void;
}) {
  const { formatMessage } = useIntl();
  return (
    <>
      <div className={styles["row"]}>
        <Field
          label={formatMessage({ id: "windows.drain.deadline" })}
          hint={formatMessage({ id: "windows.drain.deadline.hint" })}
          type="number"
          value={deadlineMinutes?.toString() ?? ""}
          onChange={(text) => onChange({ deadlineMinutes: text.trim() === "" ? null : numberOf(text) })}
        />
        <Choice
          label={formatMessage({ id: "windows.drain.at-deadline" })}
          value={atDeadline}
          options={drainEndings.map((id) => ({ id, text: formatMessage({ id: `windows.drain.${id}` }) }))}
          onChange={(chosen) => onChange({ atDeadline: chosen })}
        />
      </div>
      <Field
        label={formatMessage({ id: "windows.drain.lead" })}
        hint={formatMessage({ id: "windows.drain.lead.hint" })}
        type="number"
        value={String(leadLimitMinutes)}
        onChange={(text) => onChange({ leadLimitMinutes: numberOf(text) })}
      />
    </>
  );
}

function ResumeFields({
  resume: { readinessCheck, maxWaitMinutes, canaries, failureBound, reconcile },
  onChange,
}: {
  readonly resume: WindowForm["resume"];
  readonly onChange: (part: Partial<WindowForm["resume"]>) => void;
}) {
  const { formatMessage } = useIntl();
  return (
    <>
      <Checkbox className="checkbox" isSelected={readinessCheck} onChange={(isChecked) => onChange({ readinessCheck: isChecked })}>
        <span className="checkbox-box" aria-hidden="true" />
        <FormattedMessage id="windows.resume.check" />
      </Checkbox>
      {readinessCheck ? (
        <Field
          label={formatMessage({ id: "windows.resume.wait" })}
          type="number"
          value={String(maxWaitMinutes)}
          onChange={(text) => onChange({ maxWaitMinutes: numberOf(text) })}
        />
      ) : null}
      <div className={styles["row"]}>
        <Field
          label={formatMessage({ id: "windows.resume.canaries" })}
          type="number"
          value={String(canaries)}
          onChange={(text) => onChange({ canaries: numberOf(text) })}
        />
        <Field
          label={formatMessage({ id: "windows.resume.bound" })}
          type="number"
          value={String(Math.round(failureBound * 100))}
          onChange={(text) => onChange({ failureBound: Math.min(100, numberOf(text)) / 100 })}
        />
      </div>
      <Checkbox className="checkbox" isSelected={reconcile} onChange={(isWanted) => onChange({ reconcile: isWanted })}>
        <span className="checkbox-box" aria-hidden="true" />
        <FormattedMessage id="windows.resume.reconcile" />
      </Checkbox>
    </>
  );
}

function numberOf(text: string): number {
  const number = Math.trunc(Number(text));
  return Number.isFinite(number) ? Math.min(MAX_NUMBER, Math.max(0, number)) : 0;
}
