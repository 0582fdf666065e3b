import type { ErrorComponentProps } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import { Button } from "../components/button.js";
import { Page } from "../components/page.js";

/** A fault of the page itself, or a piece of it that a newer version of the server no longer has. */
export function CrashPage({ error }: ErrorComponentProps) {
  const { formatMessage } = useIntl();
  return (
    <Page title={formatMessage({ id: "app.crash" })}>
      <p>
        <FormattedMessage id="app.crash.what" />
      </p>
      <Button isPrimary onPress={() => location.reload()}>
        <FormattedMessage id="app.reload" />
      </Button>
      <pre tabIndex={0}>{error instanceof Error ? error.message : String(error)}</pre>
    </Page>
  );
}
