import { lazy, Suspense, useEffect, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { Button } from "../components/button.js";
import styles from "./palette-place.module.css";

const Palette = lazy(() => import("./palette.js").then((module) => ({ default: module.Palette })));

/** Opens the palette: by its button, Ctrl or Cmd K, or / outside of fields. Its code comes when it is first opened. */
export function PalettePlace() {
  const [isOpen, setOpen] = useState(false);
  const [wasOpened, setWasOpened] = useState(false);
  const { formatMessage } = useIntl();
  const open = () => {
    setWasOpened(true);
    setOpen(true);
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isShortcut =
        (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !isTyping(event.target));
      if (!isShortcut || event.altKey) return;
      event.preventDefault();
      open();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <Button isQuiet className={styles["open"]} onPress={open} aria-label={formatMessage({ id: "app.search" })}>
        <svg aria-hidden="true" viewBox="0 0 20 20" width="18" height="18" fill="none" stroke="currentColor" strokeWidth="1.8">
          <circle cx="9" cy="9" r="5.5" />
          <path d="m13.5 13.5 3.5 3.5" strokeLinecap="round" />
        </svg>
        <span className={styles["word"]}>
          <FormattedMessage id="app.search" />
        </span>
        <kbd className={styles["key"]}>Ctrl K</kbd>
      </Button>
      {wasOpened ? (
        <Suspense>
          <Palette isOpen={isOpen} onOpenChange={setOpen} />
        </Suspense>
      ) : null}
    </>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}
