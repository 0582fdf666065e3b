import { Button, Label, ListBox, ListBoxItem, Popover, Select, SelectValue } from "react-aria-components";
import styles from "./fields.module.css";

/** One of a few. */
export function Choice<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly { readonly id: Value; readonly text: string }[];
  readonly onChange: (value: Value) => void;
}) {
  const choose = (id: unknown) => {
    const found = options.find((option) => option.id === id);
    if (found !== undefined) onChange(found.id);
  };
  return (
    <Select className={styles["field"]} value={value} onChange={choose}>
      <Label className={styles["label"]}>{label}</Label>
      <Button className={`input ${styles["select"]}`}>
        <SelectValue />
        <span aria-hidden="true">▾</span>
      </Button>
      <Popover className="popover">
        <ListBox className={`menu ${styles["list-box"]}`} items={options}>
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.text} className="menu-item">
              {option.text}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
