import type { Refusal } from "@quiesce/client";
import type { ReactNode } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { Button } from "./button.js";
import { RefusalText } from "./refusal-text.js";
import styles from "./states.module.css";

/** Something is on its way. Shown only after a moment, so that what comes at once does not flicker. */
export function Loading() {
  const { formatMessage } = useIntl();
  return (
    <div className={styles["loading"]} role="status">
      <span className={styles["dots"]} aria-hidden="true" />
      {formatMessage({ id: "app.loading" })}
    </div>
  );
}

/** There is nothing, and that is said together with what would make something be there. */
export function Empty({ children, action }: { readonly children: ReactNode; readonly action?: ReactNode }) {
  return (
    <div className={styles["empty"]}>
      <p>{children}</p>
      {action}
    </div>
  );
}

/** The server refused, or does not answer: its words, its code, and the way to try again. */
export function ErrorState({ refusal, onAgain }: { readonly refusal: Refusal; readonly onAgain?: (() => void) | undefined }) {
  return (
    <div className={styles["error"]} role="alert">
      <p>
        <RefusalText refusal={refusal} />
      </p>
      <p className={styles["code"]}>{refusal.code}</p>
      {onAgain === undefined ? null : (
        <Button onPress={onAgain}>
          <FormattedMessage id="app.again" />
        </Button>
      )}
    </div>
  );
}
