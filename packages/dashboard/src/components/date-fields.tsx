import { type CalendarDate, parseDate, parseTime, type Time } from "@internationalized/date";
import type { ReactNode } from "react";
import {
  Button,
  Calendar,
  CalendarCell,
  CalendarGrid,
  CalendarHeading,
  DateInput,
  DatePicker,
  DateSegment,
  Dialog,
  FieldError,
  Group,
  Label,
  Popover,
  TimeField as AriaTimeField,
} from "react-aria-components";
import fields from "./fields.module.css";
import styles from "./date-fields.module.css";

interface FieldOf {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isRequired?: boolean;
  readonly error?: ReactNode;
}

/** A day as 2026-12-06, "" for none; in the order and words of the page's language, whatever the browser's is. */
export function DayField({ label, value, onChange, isRequired = false, error = null }: FieldOf) {
  return (
    <DatePicker
      className={fields["field"] ?? ""}
      value={dayOf(value)}
      onChange={(day) => onChange(day === null ? "" : day.toString())}
      isRequired={isRequired}
      isInvalid={error !== null}
      validationBehavior="aria"
      shouldForceLeadingZeros
    >
      <Label className={fields["label"] ?? ""}>{label}</Label>
      <Group className={`input ${styles["segments"]}`}>
        <DateInput className={styles["input"] ?? ""}>
          {(segment) => <DateSegment segment={segment} className={styles["segment"] ?? ""} />}
        </DateInput>
        <Button className={`button button-quiet ${styles["open"]}`}>
          <span aria-hidden="true">▾</span>
        </Button>
      </Group>
      {error === null ? null : <FieldError className={fields["field-error"] ?? ""}>{error}</FieldError>}
      <Popover className="popover">
        <Dialog className={styles["dialog"] ?? ""}>
          <Calendar firstDayOfWeek="mon">
            <header className={styles["head"]}>
              <Button slot="previous" className="button button-quiet">
                <span aria-hidden="true">‹</span>
              </Button>
              <CalendarHeading className={styles["month"] ?? ""} />
              <Button slot="next" className="button button-quiet">
                <span aria-hidden="true">›</span>
              </Button>
            </header>
            <CalendarGrid>{(date) => <CalendarCell date={date} className={styles["day"] ?? ""} />}</CalendarGrid>
          </Calendar>
        </Dialog>
      </Popover>
    </DatePicker>
  );
}

/** A time of a day as 02:00 of 24 hours, "" for none. */
export function TimeField({ label, value, onChange, isRequired = false, error = null }: FieldOf) {
  return (
    <AriaTimeField
      className={fields["field"] ?? ""}
      value={timeOf(value)}
      onChange={(time) => onChange(time === null ? "" : time.toString().slice(0, 5))}
      hourCycle={24}
      granularity="minute"
      isRequired={isRequired}
      isInvalid={error !== null}
      validationBehavior="aria"
      shouldForceLeadingZeros
    >
      <Label className={fields["label"] ?? ""}>{label}</Label>
      <DateInput className={`input ${styles["segments"]}`}>
        {(segment) => <DateSegment segment={segment} className={styles["segment"] ?? ""} />}
      </DateInput>
      {error === null ? null : <FieldError className={fields["field-error"] ?? ""}>{error}</FieldError>}
    </AriaTimeField>
  );
}

function dayOf(text: string): CalendarDate | null {
  try {
    return parseDate(text);
  } catch {
    // An address can hold anything, and a field that is being typed nothing yet.
    return null;
  }
}

function timeOf(text: string): Time | null {
  try {
    return parseTime(text);
  } catch {
    return null;
  }
}
