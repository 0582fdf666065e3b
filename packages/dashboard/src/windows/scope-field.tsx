import { type ReactNode, useMemo, useRef, useState } from "react";
import { Button, Checkbox, ComboBox, FieldError, Input, Label, ListBox, ListBoxItem, Popover } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useQuery } from "urql";
import { ScopeNamesDocument } from "./editor.generated.js";
import type { Chosen } from "./window-form.js";
import styles from "./windows.module.css";

/** What a window covers: everything, or systems, integrations and tags that are added one by one. */
export function ScopeField({
  isEverything,
  chosen,
  error,
  onChange,
}: {
  readonly isEverything: boolean;
  readonly chosen: readonly Chosen[];
  readonly error: ReactNode;
  readonly onChange: (change: { readonly isEverything?: boolean; readonly chosen?: readonly Chosen[] }) => void;
}) {
  const { formatMessage } = useIntl();
  // After each addition the field begins anew, empty and closed: an open list hides what was just chosen from screen readers.
  const [added, setAdded] = useState(0);
  return (
    <div className={styles["field"]}>
      {isEverything ? null : (
        <>
          <AddName
            key={added}
            isNext={added > 0}
            error={error}
            onAdd={(one) => {
              setAdded(added + 1);
              onChange({ chosen: [...chosen.filter((other) => idOf(other) !== idOf(one)), one] });
            }}
          />
          <ul className={styles["chosen"]} aria-label={formatMessage({ id: "windows.scope.chosen" })}>
            {chosen.map((one) => (
              <li key={idOf(one)} className={styles["chip"]}>
                <span>
                  {one.key} <span className="quiet">{formatMessage({ id: `windows.scope.${one.kind}` })}</span>
                </span>
                <Button
                  className={`button button-quiet ${styles["chip-button"]}`}
                  aria-label={formatMessage({ id: "windows.scope.remove" }, { name: one.key })}
                  onPress={() => onChange({ chosen: chosen.filter((other) => other !== one) })}
                >
                  ×
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
      <Checkbox className="checkbox" isSelected={isEverything} onChange={(everything) => onChange({ isEverything: everything })}>
        <span className="checkbox-box" aria-hidden="true" />
        <FormattedMessage id="windows.scope.everything" />
      </Checkbox>
    </div>
  );
}

interface Name {
  readonly id: string;
  readonly one: Chosen;
  readonly name: string;
}

function AddName({
  isNext,
  error,
  onAdd,
}: {
  /** Something was just added: the next one may be typed at once. */
  readonly isNext: boolean;
  readonly error: ReactNode;
  readonly onAdd: (one: Chosen) => void;
}) {
  const { formatMessage } = useIntl();
  const [text, setText] = useState("");
  const names = useNames(text.trim());
  const choose = (id: unknown) => {
    const found = names.find((name) => name.id === id);
    if (found !== undefined) onAdd(found.one);
  };
  return (
    <ComboBox
      autoFocus={isNext}
      items={names}
      inputValue={text}
      onInputChange={setText}
      value={null}
      onChange={choose}
      isInvalid={error !== null}
      validationBehavior="aria"
      allowsEmptyCollection
    >
      <Label className={styles["label"]}>
        <FormattedMessage id="windows.scope" />
      </Label>
      <div className={styles["combo"]}>
        <Input className="input" placeholder={formatMessage({ id: "windows.scope.hint" })} />
        <Button className={`button button-quiet ${styles["combo-button"]}`}>
          <span aria-hidden="true">▾</span>
        </Button>
      </div>
      {error === null ? null : <FieldError className={styles["field-error"]}>{error}</FieldError>}
      <Popover className="popover">
        <ListBox className={`menu ${styles["list-box"]}`} renderEmptyState={() => <FormattedMessage id="windows.scope.none" />}>
          {({ id, one, name }: Name) => (
            <ListBoxItem id={id} textValue={name} className="menu-item">
              {name}&nbsp;<span className="quiet">{formatMessage({ id: `windows.scope.${one.kind}` })}</span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}

/** What the server finds by name or key, and the tags of that. */
function useNames(text: string): readonly Name[] {
  const [{ data }] = useQuery({ query: ScopeNamesDocument, variables: { text } });
  // What was found before stays until the next is there, so that the list keeps its focus while somebody types.
  const found = useRef<readonly Name[]>([]);
  const names = useMemo(() => {
    if (data === undefined) return null;
    const named = (kind: Chosen["kind"], key: string, name: string): Name => ({ id: `${kind}:${key}`, one: { kind, key }, name });
    const { systems, integrations } = data;
    const tags = new Set([...systems.nodes, ...integrations.nodes].flatMap((one) => one.tags));
    return [
      ...systems.nodes.map(({ key, name }) => named("systems", key, name)),
      ...integrations.nodes.map(({ key, name }) => named("integrations", key, name)),
      ...[...tags].toSorted().map((tag) => named("tags", tag, tag)),
    ];
  }, [data]);
  if (names !== null) found.current = names;
  return names ?? found.current;
}

function idOf({ kind, key }: Chosen): string {
  return `${kind}:${key}`;
}
