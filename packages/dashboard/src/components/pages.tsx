import { useState } from "react";
import { FormattedMessage } from "react-intl";
import { Button } from "./button.js";
import styles from "./pages.module.css";

/** Where a list is that is read page by page. */
export interface Pages {
  /** The cursor that the page in view begins behind; null for the first. */
  readonly after: string | null;
  readonly isFirst: boolean;
  /** To what begins behind this cursor; null: back. */
  readonly go: (to: string | null) => void;
  readonly restart: () => void;
}

export function usePages(): Pages {
  const [cursors, setCursors] = useState<readonly (string | null)[]>([null]);
  return {
    after: cursors.at(-1) ?? null,
    isFirst: cursors.length === 1,
    go: (to) => setCursors(to === null ? cursors.slice(0, -1) : [...cursors, to]),
    restart: () => setCursors([null]),
  };
}

/** Back and on, where there is somewhere to go. */
export function PageButtons({
  pages,
  pageInfo,
}: {
  readonly pages: Pages;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}) {
  const { hasNextPage, endCursor } = pageInfo;
  if (pages.isFirst && !hasNextPage) return null;
  return (
    <div className={styles["pages"]}>
      {pages.isFirst ? null : (
        <Button onPress={() => pages.go(null)}>
          <FormattedMessage id="windows.page.before" />
        </Button>
      )}
      {hasNextPage && endCursor !== null ? (
        <Button onPress={() => pages.go(endCursor)}>
          <FormattedMessage id="windows.page.after" />
        </Button>
      ) : null}
    </div>
  );
}
