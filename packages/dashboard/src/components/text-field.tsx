import type { ReactNode } from "react";
import { FieldError, Input, Label, Text, TextArea, TextField } from "react-aria-components";
import styles from "./fields.module.css";

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
  readonly type?: "text" | "number" | "search" | "password";
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
      type={type === "number" ? undefined : type}
      isRequired={isRequired}
      isInvalid={error !== null}
      maxLength={maxLength}
      validationBehavior="aria"
    >
      <Label className={styles["label"]}>{label}</Label>
      {isLong ? <TextArea className={`input ${styles["area"]}`} rows={2} /> : <Input className="input" type={type} />}
      {hint === undefined ? null : (
        <Text slot="description" className={styles["hint"]}>
          {hint}
        </Text>
      )}
      {error === null ? null : <FieldError className={styles["field-error"]}>{error}</FieldError>}
    </TextField>
  );
}
