import { FormattedMessage, useIntl } from "react-intl";
import { LinkButton } from "../components/button.js";
import { Page } from "../components/page.js";

export function NotFoundPage() {
  const { formatMessage } = useIntl();
  return (
    <Page title={formatMessage({ id: "app.not-found" })}>
      <p>
        <FormattedMessage id="app.not-found.what" />
      </p>
      <LinkButton href="/">
        <FormattedMessage id="app.not-found.back" />
      </LinkButton>
    </Page>
  );
}
