import { type ReactNode, useEffect } from "react";
import styles from "./page.module.css";

/** A page: one sentence made from data as its heading, what can be done about it beside, and the rest below. */
export function Page({
  title,
  actions,
  children,
}: {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Quiesce`;
  }, [title]);
  return (
    <>
      <div className={styles["head"]}>
        <h1 className={styles["title"]}>{title}</h1>
        {actions === undefined ? null : <div className={styles["actions"]}>{actions}</div>}
      </div>
      {children}
    </>
  );
}
