import { type ReactNode, useMemo } from "react";
import { Button, ComboBox, FieldError, Input, Label, ListBox, ListBoxItem, Popover } from "react-aria-components";
import styles from "./windows.module.css";

/** A zone of the IANA database, found by a part of its name. */
export function ZoneField({
  label,
  value,
  error = null,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly error?: ReactNode;
  readonly onChange: (zone: string) => void;
}) {
  // A window may be in a zone by an older name, which browsers do not list.
  const zones = useMemo(
    () => [...new Set([...Intl.supportedValuesOf("timeZone"), "UTC", value])].toSorted().map((id) => ({ id })),
    [value],
  );
  return (
    <ComboBox
      className={styles["field"]}
      defaultItems={zones}
      defaultSelectedKey={value}
      onSelectionChange={(zone) => (typeof zone === "string" ? onChange(zone) : undefined)}
      isInvalid={error !== null}
      validationBehavior="aria"
      menuTrigger="input"
    >
      <Label className={styles["label"]}>{label}</Label>
      <div className={styles["combo"]}>
        <Input className="input" />
        <Button className={`button button-quiet ${styles["combo-button"]}`}>
          <span aria-hidden="true">▾</span>
        </Button>
      </div>
      {error === null ? null : <FieldError className={styles["field-error"]}>{error}</FieldError>}
      <Popover className="popover">
        <ListBox className={`menu ${styles["list-box"]}`}>
          {({ id }: { readonly id: string }) => (
            <ListBoxItem id={id} textValue={id} className="menu-item">
              {id}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
