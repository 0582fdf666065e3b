import type { Refusal } from "@quiesce/client";
import type { ReactNode } from "react";
import { Checkbox } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { Choice } from "../components/choice.js";
import { RefusalText } from "../components/refusal-text.js";
import { Field } from "../components/text-field.js";
import { PolicyFields } from "./policy-fields.js";
import { ScopeField } from "./scope-field.js";
import { WhenFields } from "./when-fields.js";
import { coversSomething, formFieldOf, inputOf, kinds, type WindowForm } from "./window-form.js";
import { ZoneField } from "./zone-field.js";
import styles from "./windows.module.css";

const fieldNames = ["title", "owner", "reason", "scope", "when", "end", "timeZone", "policies"] as const;
type Errors = { readonly [field in (typeof fieldNames)[number]]: ReactNode };

export function isComplete(form: WindowForm): boolean {
  return form.title.trim() !== "" && form.owner.trim() !== "" && form.reason.trim() !== "" && coversSomething(form);
}

/** Whether a refusal is told at one of the fields. */
export function isAtField(refusal: Refusal): boolean {
  const field = formFieldOf(refusal.field);
  return fieldNames.some((name) => name === field);
}

function useErrors(form: WindowForm, said: { readonly refusal: Refusal | null; readonly wasTried: boolean }): Errors {
  const { formatMessage } = useIntl();
  const refused = formFieldOf(said.refusal?.field ?? null);
  const of = (field: string, isMissing = false): ReactNode => {
    if (said.wasTried && isMissing) return formatMessage({ id: "windows.missing" });
    return refused === field && said.refusal !== null ? <RefusalText refusal={said.refusal} /> : null;
  };
  return {
    title: of("title", form.title.trim() === ""),
    owner: of("owner", form.owner.trim() === ""),
    reason: of("reason", form.reason.trim() === ""),
    scope: of("scope", !coversSomething(form)),
    when: of("when", inputOf(form) === null),
    end: of("end"),
    timeZone: of("timeZone"),
    policies: of("policies"),
  };
}

/** What, when and who, with what is wrong told at each field. */
export function Fields({
  form,
  said,
  onChange,
}: {
  readonly form: WindowForm;
  /** What the server refused, and whether somebody tried to save. */
  readonly said: { readonly refusal: Refusal | null; readonly wasTried: boolean };
  readonly onChange: (part: Partial<WindowForm>) => void;
}) {
  const { formatMessage } = useIntl();
  const errors = useErrors(form, said);
  return (
    <>
      <fieldset className={styles["part"]}>
        <legend>
          <FormattedMessage id="windows.what" />
        </legend>
        <Field
          label={formatMessage({ id: "windows.title" })}
          value={form.title}
          onChange={(title) => onChange({ title })}
          error={errors.title}
          isRequired
          maxLength={200}
        />
        <Choice
          label={formatMessage({ id: "windows.kind" })}
          value={form.kind}
          options={kinds.map((id) => ({ id, text: formatMessage({ id: `windows.kind.${id}.long` }) }))}
          onChange={(kind) => onChange({ kind })}
        />
        <ScopeField isEverything={form.isEverything} chosen={form.chosen} error={errors.scope} onChange={onChange} />
      </fieldset>
      <fieldset className={styles["part"]}>
        <legend>
          <FormattedMessage id="windows.when" />
        </legend>
        {form.special === null ? (
          <>
            <WhenFields timing={form.timing} errors={{ when: errors.when, end: errors.end }} onChange={(timing) => onChange({ timing })} />
            <ZoneField
              label={formatMessage({ id: "windows.zone" })}
              value={form.timeZone}
              error={errors.timeZone}
              onChange={(timeZone) => onChange({ timeZone })}
            />
          </>
        ) : (
          <p>
            <FormattedMessage id="windows.special" />
          </p>
        )}
      </fieldset>
      <fieldset className={styles["part"]}>
        <legend>
          <FormattedMessage id="windows.who" />
        </legend>
        <Field
          label={formatMessage({ id: "windows.owner" })}
          value={form.owner}
          onChange={(owner) => onChange({ owner })}
          error={errors.owner}
          isRequired
          maxLength={200}
        />
        <Field
          label={formatMessage({ id: "windows.reason" })}
          value={form.reason}
          onChange={(reason) => onChange({ reason })}
          error={errors.reason}
          isRequired
          isLong
          maxLength={2_000}
        />
        <PolicyFields drain={form.drain} resume={form.resume} error={errors.policies} onChange={onChange} />
        <Checkbox className="checkbox" isSelected={form.isObserving} onChange={(isObserving) => onChange({ isObserving })}>
          <span className="checkbox-box" aria-hidden="true" />
          <FormattedMessage id="windows.observe" />
        </Checkbox>
      </fieldset>
    </>
  );
}
