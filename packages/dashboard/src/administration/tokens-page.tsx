import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { actorText } from "../app/actor-text.js";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { CommandButton } from "../components/command-button.js";
import { DayField } from "../components/date-fields.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty } from "../components/states.js";
import { Status } from "../components/status.js";
import { Field } from "../components/text-field.js";
import { instantOf } from "../windows/clock-change.js";
import {
  CreateTokenDocument,
  type CreateTokenMutation,
  RevokeTokenDocument,
  TokensDocument,
  type TokensQuery,
} from "./accounts.generated.js";
import { type GrantInput, Grants, GrantsField } from "./grants.js";
import { Read } from "./reading.js";
import { AdministrationPage } from "./rooms.js";
import styles from "./administration.module.css";

type Token = TokensQuery["tokens"]["nodes"][number];
type Issued = CreateTokenMutation["createToken"];

/** API tokens: who made them, what they may do, when they were used. Their secrets are shown once, when they are made. */
export function TokensPage() {
  const { formatMessage } = useIntl();
  const pages = usePages();
  const [issued, setIssued] = useState<Issued | null>(null);
  const reading = useLiveQuery(TokensDocument, { after: pages.after }, { kinds: ["token.*"] });
  const issue = (data: CreateTokenMutation) => {
    setIssued(data.createToken);
    reading.again();
  };
  return (
    <AdministrationPage title={formatMessage({ id: "administration.tokens.title" })} actions={<NewToken onIssued={issue} />}>
      {issued === null ? null : <Secret issued={issued} onSeen={() => setIssued(null)} />}
      <Read reading={reading}>
        {({ tokens: { nodes, pageInfo } }) => (
          <>
            {nodes.length === 0 ? (
              <Empty>
                <FormattedMessage id="administration.tokens.none" />
              </Empty>
            ) : (
              <ul className={styles["list"]}>
                {nodes.map((token) => (
                  <Line key={token.id} token={token} onDone={reading.again} />
                ))}
              </ul>
            )}
            <PageButtons pages={pages} pageInfo={pageInfo} />
          </>
        )}
      </Read>
    </AdministrationPage>
  );
}

/** The secret, this once: it is in no other answer, and gone from the page when it is put away. */
function Secret({ issued: { secret, token }, onSeen }: { readonly issued: Issued; readonly onSeen: () => void }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () =>
    void navigator.clipboard.writeText(secret).then(
      () => setCopied(true),
      // Over plain http there is no clipboard: the secret can still be marked and copied by hand.
      () => setCopied(false),
    );
  return (
    <section className={styles["notice"]} aria-labelledby="secret-title">
      <h2 id="secret-title">
        <FormattedMessage id="administration.secret.once" values={{ name: token.name }} />
      </h2>
      <p>
        <FormattedMessage id="administration.secret.once.words" />
      </p>
      <code className={styles["secret"]} tabIndex={0}>
        {secret}
      </code>
      <div className={styles["buttons"]}>
        <Button onPress={copy}>
          <FormattedMessage id={isCopied ? "administration.copied" : "administration.copy"} />
        </Button>
        <Button isPrimary onPress={onSeen}>
          <FormattedMessage id="administration.secret.kept" />
        </Button>
      </div>
    </section>
  );
}

function Line({ token, onDone }: { readonly token: Token; readonly onDone: () => void }) {
  const intl = useIntl();
  const { formatMessage } = intl;
  const times = useTimes();
  const { key, name, prefix, createdAt, createdBy, expiresAt, lastUsedAt, revokedAt, grants } = token;
  const isExpired = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
  return (
    <li className={styles["item"]}>
      <span className={styles["part"]}>
        <span className={styles["name"]}>{name}</span>
        <span className="quiet">
          {prefix}… ·{" "}
          <FormattedMessage id="administration.token.made" values={{ by: actorText(createdBy, intl), at: times.instant(createdAt) }} />
        </span>
      </span>
      <span className={styles["part"]}>
        <Grants grants={grants} />
        <span className="quiet">
          <FormattedMessage id="administration.token.used" values={{ at: lastUsedAt === null ? "none" : times.instant(lastUsedAt) }} />
        </span>
      </span>
      <span className={styles["part"]}>
        {revokedAt === null ? (
          <span>
            <FormattedMessage
              id={isExpired ? "administration.token.expired" : "administration.token.expires"}
              values={{ at: expiresAt === null ? "none" : times.full(expiresAt) }}
            />
          </span>
        ) : (
          <Status tone="quiet">{formatMessage({ id: "administration.token.revoked" }, { at: times.instant(revokedAt) })}</Status>
        )}
        {revokedAt === null ? (
          <span>
            <CommandButton
              document={RevokeTokenDocument}
              variables={(reason) => ({ input: { key, reason } })}
              onDone={onDone}
              label={formatMessage({ id: "administration.revoke" })}
              name={formatMessage({ id: "administration.revoke.named" }, { name })}
              title={formatMessage({ id: "administration.revoke.title" }, { name })}
              words={formatMessage({ id: "administration.revoke.words" })}
              isDangerous
            />
          </span>
        ) : null}
      </span>
    </li>
  );
}

function NewToken({ onIssued }: { readonly onIssued: (data: CreateTokenMutation) => void }) {
  const { formatMessage } = useIntl();
  const { ownZone } = useTimes();
  const [name, setName] = useState("");
  const [account, setAccount] = useState("");
  const [until, setUntil] = useState("");
  const [grants, setGrants] = useState<readonly GrantInput[]>([]);
  const clear = () => {
    setName("");
    setAccount("");
    setUntil("");
    setGrants([]);
  };
  const input = () => ({
    name: name.trim(),
    account: account.trim() === "" ? null : account.trim(),
    // The day that is named is its last one.
    expiresAt: until === "" ? null : instantOf(`${until}T23:59`, ownZone),
    grants: [...grants],
  });
  return (
    <CommandButton
      document={CreateTokenDocument}
      variables={() => ({ input: input() })}
      onDone={onIssued}
      onClosed={clear}
      label={formatMessage({ id: "administration.new-token" })}
      title={formatMessage({ id: "administration.new-token" })}
      words={formatMessage({ id: "administration.new-token.words" })}
      reason="none"
      isPrimary
    >
      {() => (
        <>
          <Field label={formatMessage({ id: "administration.token.name" })} value={name} onChange={setName} isRequired maxLength={200} />
          <Field
            label={formatMessage({ id: "administration.token.account" })}
            hint={formatMessage({ id: "administration.token.account.hint" })}
            value={account}
            onChange={setAccount}
            maxLength={200}
          />
          <DayField label={formatMessage({ id: "administration.token.until" })} value={until} onChange={setUntil} />
          <GrantsField grants={grants} onChange={setGrants} />
        </>
      )}
    </CommandButton>
  );
}
