import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Autocomplete, Dialog, Input, Menu, MenuItem, Modal, ModalOverlay, SearchField } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useQuery } from "urql";
import { places } from "./navigation.js";
import { SearchDocument } from "./palette.generated.js";
import styles from "./palette.module.css";

interface Entry {
  readonly id: string;
  readonly to: string;
  readonly title: string;
  readonly kind: string;
}

const MAX_LENGTH = 100;

/** Goes anywhere by a few letters: pages, and what the server finds by name or key. */
export function Palette({ isOpen, onOpenChange }: { readonly isOpen: boolean; readonly onOpenChange: (isOpen: boolean) => void }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const entries = useEntries(text.trim(), isOpen);
  const go = (id: unknown) => {
    const entry = entries.find((one) => one.id === id);
    if (entry === undefined) return;
    onOpenChange(false);
    setText("");
    void navigate({ to: entry.to });
  };
  return (
    <ModalOverlay isOpen={isOpen} onOpenChange={onOpenChange} isDismissable className="overlay">
      <Modal className={styles["palette"]}>
        <Dialog aria-label={formatMessage({ id: "app.search" })}>
          <Autocomplete inputValue={text} onInputChange={setText}>
            <SearchField aria-label={formatMessage({ id: "app.search" })} maxLength={MAX_LENGTH} autoFocus>
              <Input className={styles["input"]} placeholder={formatMessage({ id: "app.search.hint" })} />
            </SearchField>
            <Menu
              className={styles["entries"]}
              aria-label={formatMessage({ id: "app.search" })}
              items={entries}
              onAction={go}
              renderEmptyState={() => (
                <p className={styles["empty"]}>
                  <FormattedMessage id="app.search.empty" values={{ text }} />
                </p>
              )}
            >
              {(entry) => (
                <MenuItem id={entry.id} textValue={entry.title} className={styles["entry"]}>
                  <span>{entry.title}</span>
                  <span className={styles["kind"]}>{entry.kind}</span>
                </MenuItem>
              )}
            </Menu>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function useEntries(text: string, isOpen: boolean): readonly Entry[] {
  const { formatMessage, locale } = useIntl();
  const [{ data }] = useQuery({ query: SearchDocument, variables: { text }, pause: !isOpen || text === "" });
  const wanted = text.toLocaleLowerCase(locale);
  const page = formatMessage({ id: "app.search.page" });
  const pages = places
    .map(({ to, title, words }) => ({
      to,
      title: formatMessage({ id: title }),
      words: words === undefined ? "" : formatMessage({ id: words }),
    }))
    .filter(({ title, words }) => `${title} ${words}`.toLocaleLowerCase(locale).includes(wanted))
    .map(({ to, title }) => ({ id: `page:${to}`, to, title, kind: page }));
  if (text === "" || data === undefined) return pages;
  const found = (kind: string, folder: string, nodes: readonly { readonly key: string; readonly title: string }[]) =>
    nodes.map(({ key, title }) => ({ id: `${folder}:${key}`, to: `${folder}/${encodeURIComponent(key)}`, title, kind }));
  return [
    ...pages,
    ...found(formatMessage({ id: "app.search.window" }), "/windows", data.maintenanceWindows.nodes),
    ...found(
      formatMessage({ id: "app.search.integration" }),
      "/integrations",
      data.integrations.nodes.map(({ key, name }) => ({ key, title: name })),
    ),
  ];
}
