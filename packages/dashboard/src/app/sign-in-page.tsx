import type { Refusal } from "@quiesce/client";
import { type FormEvent, useEffect, useState } from "react";
import { Checkbox, Input, Label, TextField } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { Button, LinkButton } from "../components/button.js";
import { RefusalText } from "../components/refusal-text.js";
import { keepToken } from "./connection.js";
import { forgetToken, shownToken } from "./connection.js";
import styles from "./sign-in-page.module.css";

/** The ways in that this server offers. */
interface SignInOptions {
  /** The identity provider's host; null: there is none. */
  readonly provider: string | null;
}

/** In place of the page that somebody wanted, at its address. */
export function SignInPage({ refusal }: { readonly refusal: Refusal }) {
  const { formatMessage } = useIntl();
  const [options, setOptions] = useState<SignInOptions>({ provider: null });
  const [token, setToken] = useState("");
  const [isKept, setKept] = useState(false);
  const wasShown = shownToken() !== null;
  useEffect(() => {
    document.title = `${formatMessage({ id: "app.sign-in" })} · Quiesce`;
    // Without an answer there is still the token.
    void fetch("/auth/options")
      .then(async (response) => (response.ok ? setOptions((await response.json()) as SignInOptions) : undefined))
      .catch(() => undefined);
  }, [formatMessage]);
  const enter = (event: FormEvent) => {
    event.preventDefault();
    forgetToken();
    keepToken(token.trim(), { onThisScreen: isKept });
    // A new page: the connection with the old token ends with this one.
    location.reload();
  };
  const isTold = wasShown || refusal.code !== "QSC_ACCESS_TOKEN_MISSING";
  return (
    <main className={styles["page"]}>
      <h1>
        <FormattedMessage id="app.sign-in" />
      </h1>
      {isTold ? (
        <p role="alert" className={styles["refusal"]}>
          <RefusalText refusal={refusal} />
        </p>
      ) : null}
      {options.provider === null ? null : (
        <LinkButton isPrimary href={`/auth/oidc/start?returnTo=${encodeURIComponent(location.pathname + location.search)}`}>
          <FormattedMessage id="app.sign-in.provider" values={{ provider: options.provider }} />
        </LinkButton>
      )}
      <p>
        <FormattedMessage id="app.sign-in.link" />
      </p>
      <pre tabIndex={0}>quiesce sign-in-link</pre>
      <form onSubmit={enter} className={styles["form"]}>
        <TextField value={token} onChange={setToken} isRequired type="password" autoComplete="off" className={styles["field"]}>
          <Label>
            <FormattedMessage id="app.sign-in.token" />
          </Label>
          <Input className="input" spellCheck="false" />
        </TextField>
        <Checkbox isSelected={isKept} onChange={setKept} className="checkbox">
          <span className="checkbox-box" aria-hidden="true" />
          <FormattedMessage id="app.sign-in.keep" />
        </Checkbox>
        <Button type="submit" isPrimary={options.provider === null}>
          <FormattedMessage id="app.sign-in.with-token" />
        </Button>
      </form>
    </main>
  );
}
