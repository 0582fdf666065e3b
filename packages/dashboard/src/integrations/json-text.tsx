import styles from "./integration.module.css";

const MAX_CHARACTERS = 20_000;

/** A value as it is, to be read and scrolled by keyboard too. */
export function JsonText({ label, value }: { readonly label: string; readonly value: unknown }) {
  const text = JSON.stringify(value, null, 2) ?? "null";
  return (
    <pre className={styles["json"]} tabIndex={0} role="region" aria-label={label}>
      {text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)} …` : text}
    </pre>
  );
}

/** A value on one line, cut where it becomes too long to compare. */
export function shortJson(value: unknown): string {
  const text = value === undefined || value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)} …` : text;
}
