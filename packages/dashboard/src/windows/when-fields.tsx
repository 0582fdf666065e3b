import type { ReactNode } from "react";
import { Label, ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { Choice } from "../components/choice.js";
import { DayField, TimeField } from "../components/date-fields.js";
import { type Ending, endings, type Ordinal, ordinals, repetitions, type Timing, weekdays } from "./recurrence.js";
import { weekdayName } from "./series-sentence.js";
import { Field } from "../components/text-field.js";
import styles from "./windows.module.css";

const MAX_INTERVAL = 1_000;
const MAX_DAYS_LATER = 400;
const monthDays = [...Array.from({ length: 31 }, (_, index) => index + 1), -1];

/** When a window happens, in the words that people plan in. */
export function WhenFields({
  timing,
  errors,
  onChange,
}: {
  readonly timing: Timing;
  readonly errors: { readonly when: ReactNode; readonly end: ReactNode };
  readonly onChange: (timing: Timing) => void;
}) {
  const { formatMessage } = useIntl();
  const change = (part: Partial<Timing>) => onChange({ ...timing, ...part });
  const { repeats, interval } = timing;
  return (
    <>
      <div className={styles["row"]}>
        <Choice
          label={formatMessage({ id: "windows.repeats" })}
          value={repeats}
          options={repetitions.map((id) => ({ id, text: formatMessage({ id: `windows.repeats.${id}` }) }))}
          onChange={(chosen) => change({ repeats: chosen })}
        />
        {repeats === "once" ? null : (
          <Field
            label={formatMessage({ id: `windows.interval.${repeats}` })}
            type="number"
            value={String(interval)}
            onChange={(text) => change({ interval: wholeNumber(text, { least: 1, most: MAX_INTERVAL }) })}
          />
        )}
      </div>
      <WhichDays timing={timing} onChange={change} />
      <DayField
        label={formatMessage({ id: repeats === "once" ? "windows.date" : "windows.from" })}
        value={timing.from}
        onChange={(from) => change({ from })}
        isRequired
        error={errors.when}
      />
      {repeats === "once" ? null : <Ends ends={timing.ends} onChange={(ends) => change({ ends })} />}
      <div className={styles["row"]}>
        <TimeField
          label={formatMessage({ id: "windows.start" })}
          value={timing.startTime}
          onChange={(startTime) => change({ startTime })}
          isRequired
        />
        <TimeField
          label={formatMessage({ id: "windows.end" })}
          value={timing.endTime}
          onChange={(endTime) => change({ endTime })}
          isRequired
          error={errors.end}
        />
        <Field
          label={formatMessage({ id: "windows.days-later" })}
          type="number"
          value={String(timing.daysLater)}
          onChange={(text) => change({ daysLater: wholeNumber(text, { least: 0, most: MAX_DAYS_LATER }) })}
        />
      </div>
    </>
  );
}

/** How often a new series happens when somebody says that it ends after so many times. */
const USUAL_COUNT = 12;
const MAX_COUNT = 10_000;

function Ends({ ends, onChange }: { readonly ends: Ending; readonly onChange: (ends: Ending) => void }) {
  const { formatMessage } = useIntl();
  const choose = (kind: Ending["kind"]) =>
    onChange(kind === "count" ? { kind, count: USUAL_COUNT } : kind === "day" ? { kind, day: "" } : { kind });
  return (
    <div className={styles["row"]}>
      <Choice
        label={formatMessage({ id: "windows.ends" })}
        value={ends.kind}
        options={endings.map((id) => ({ id, text: formatMessage({ id: `windows.ends.${id}` }) }))}
        onChange={choose}
      />
      {ends.kind === "day" ? (
        <DayField
          label={formatMessage({ id: "windows.ends.last" })}
          value={ends.day}
          onChange={(day) => onChange({ kind: "day", day })}
          isRequired
          error={ends.day === "" ? formatMessage({ id: "windows.missing" }) : null}
        />
      ) : null}
      {ends.kind === "count" ? (
        <Field
          label={formatMessage({ id: "windows.ends.times" })}
          type="number"
          value={String(ends.count)}
          onChange={(text) => onChange({ kind: "count", count: wholeNumber(text, { least: 1, most: MAX_COUNT }) })}
        />
      ) : null}
    </div>
  );
}

function WhichDays({ timing, onChange }: { readonly timing: Timing; readonly onChange: (part: Partial<Timing>) => void }) {
  const { formatMessage, locale } = useIntl();
  const { repeats, days, ordinal, weekday, dayOfMonth } = timing;
  const dayOptions = weekdays.map((id) => ({ id, text: weekdayName(id, locale) }));
  if (repeats === "weekly")
    return (
      <div className={styles["field"]}>
        <Label className={styles["label"]} elementType="span">
          <FormattedMessage id="windows.days" />
        </Label>
        <ToggleButtonGroup
          className={styles["days"]}
          selectionMode="multiple"
          aria-label={formatMessage({ id: "windows.days" })}
          selectedKeys={days}
          onSelectionChange={(keys) => onChange({ days: weekdays.filter((day) => keys.has(day)) })}
        >
          {weekdays.map((day) => (
            <ToggleButton key={day} id={day} className={`button ${styles["day"]}`} aria-label={weekdayName(day, locale)}>
              {weekdayName(day, locale, "short")}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      </div>
    );
  if (repeats === "weekday-of-month")
    return (
      <div className={styles["row"]}>
        <Choice
          label={formatMessage({ id: "windows.ordinal" })}
          value={String(ordinal)}
          options={ordinals.map((one) => ({
            id: String(one),
            text: formatMessage({ id: "windows.ordinal.word" }, { ordinal: String(one) }),
          }))}
          onChange={(chosen) => onChange({ ordinal: ordinals.find((one): one is Ordinal => String(one) === chosen) ?? ordinal })}
        />
        <Choice
          label={formatMessage({ id: "windows.weekday" })}
          value={weekday}
          options={dayOptions}
          onChange={(chosen) => onChange({ weekday: chosen })}
        />
      </div>
    );
  if (repeats === "day-of-month")
    return (
      <Choice
        label={formatMessage({ id: "windows.day-of-month" })}
        value={String(dayOfMonth)}
        options={monthDays.map((day) => ({ id: String(day), text: formatMessage({ id: "windows.day-of-month.word" }, { day }) }))}
        onChange={(chosen) => onChange({ dayOfMonth: Number(chosen) })}
      />
    );
  return null;
}

/** What somebody typed, within bounds. */
function wholeNumber(text: string, { least, most }: { readonly least: number; readonly most: number }): number {
  const number = Math.trunc(Number(text));
  return Number.isFinite(number) ? Math.min(most, Math.max(least, number)) : least;
}
