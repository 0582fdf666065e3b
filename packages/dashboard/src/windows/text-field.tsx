import type { ReactNode } from "react";
import { FieldError, Input, Label, Text, TextArea, TextField } from "react-aria-components";
import styles from "./windows.module.css";

/** Browsers show times by the language that they were installed in, with AM and PM; operators write 02:00. */
function inputOf(type: "text" | "date" | "time" | "number" | "search") {
  return type === "time" ? ({ type: "text", placeholder: "02:00", inputMode: "numeric", maxLength: 5 } as const) : { type };
}

/** A labelled field; what is wrong with it is told below it. */
export function Field({
  label,
  value,
  onChange,
  type = "text",
  isLong = false,
  isRequired = false,
  error = null,
  hint,
  maxLength,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: "text" | "date" | "time" | "number" | "search";
  readonly isLong?: boolean;
  readonly isRequired?: boolean;
  readonly error?: ReactNode;
  readonly hint?: string | undefined;
  readonly maxLength?: number;
}) {
  return (
    <TextField
      className={styles["field"]}
      value={value}
      onChange={onChange}
      type={type === "date" || type === "number" || type === "time" ? undefined : type}
      isRequired={isRequired}
      isInvalid={error !== null}
      maxLength={maxLength}
      validationBehavior="aria"
    >
      <Label className={styles["label"]}>{label}</Label>
      {isLong ? <TextArea className={`input ${styles["area"]}`} rows={2} /> : <Input className="input" {...inputOf(type)} />}
      {hint === undefined ? null : (
        <Text slot="description" className={styles["hint"]}>
          {hint}
        </Text>
      )}
      {error === null ? null : <FieldError className={styles["field-error"]}>{error}</FieldError>}
    </TextField>
  );
}
