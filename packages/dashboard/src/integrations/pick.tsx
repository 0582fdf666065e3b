import { useId } from "react";
import { useIntl } from "react-intl";
import styles from "./catalogue.module.css";

/** One of many, or none: the browser's own list, which a phone shows in its own way and thousands do not slow down. */
export function Pick({
  label,
  value,
  options,
  onChange,
  none,
}: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly { readonly id: string; readonly text: string }[];
  readonly onChange: (value: string) => void;
  /** What the choice of none is called; "any" when left out. */
  readonly none?: string;
}) {
  const { formatMessage } = useIntl();
  const id = useId();
  const isKnown = value === "" || options.some((option) => option.id === value);
  return (
    <div className={styles["pick"]}>
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{none ?? formatMessage({ id: "integrations.any" })}</option>
        {isKnown ? null : <option value={value}>{value}</option>}
        {options.map((option) => (
          <option key={option.id} value={option.id}>
            {option.text}
          </option>
        ))}
      </select>
    </div>
  );
}
