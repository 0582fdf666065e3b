import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Choice } from "../components/choice.js";
import { CommandButton } from "../components/command-button.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty } from "../components/states.js";
import { Status } from "../components/status.js";
import { Field } from "../components/text-field.js";
import {
  CreateServiceAccountDocument,
  DisablePrincipalDocument,
  EnablePrincipalDocument,
  EndSessionDocument,
  PrincipalsDocument,
  type PrincipalsQuery,
  SetServiceAccountOwnerDocument,
} from "./accounts.generated.js";
import { Grants } from "./grants.js";
import { Read } from "./reading.js";
import { AdministrationPage } from "./rooms.js";
import styles from "./administration.module.css";

type Principal = PrincipalsQuery["principals"]["nodes"][number];

const shownKinds = ["ALL", "PERSON", "SERVICE"] as const;

/** People and programs: what each may do and where, and since when it was seen last. */
export function AccountsPage() {
  const { formatMessage } = useIntl();
  const [kind, setKind] = useState<(typeof shownKinds)[number]>("ALL");
  return (
    <AdministrationPage title={formatMessage({ id: "administration.accounts.title" })} actions={<NewServiceAccount />}>
      <div className={styles["filters"]}>
        <Choice
          label={formatMessage({ id: "administration.accounts.kind" })}
          value={kind}
          options={shownKinds.map((id) => ({ id, text: formatMessage({ id: `administration.account.${id}` }) }))}
          onChange={setKind}
        />
      </div>
      <List key={kind} kind={kind} />
    </AdministrationPage>
  );
}

function List({ kind }: { readonly kind: (typeof shownKinds)[number] }) {
  const pages = usePages();
  const variables = { filter: { kind: kind === "ALL" ? null : kind }, after: pages.after };
  const reading = useLiveQuery(PrincipalsDocument, variables, { kinds: ["principal.*", "session.*"] });
  return (
    <Read reading={reading}>
      {({ principals: { nodes, pageInfo } }) => (
        <>
          {nodes.length === 0 ? (
            <Empty>
              <FormattedMessage id="administration.accounts.none" />
            </Empty>
          ) : (
            <ul className={styles["list"]}>
              {nodes.map((principal) => (
                <Line key={principal.id} principal={principal} onDone={reading.again} />
              ))}
            </ul>
          )}
          <PageButtons pages={pages} pageInfo={pageInfo} />
        </>
      )}
    </Read>
  );
}

interface Of {
  readonly principal: Principal;
  readonly onDone: () => void;
}

function Line({ principal, onDone }: Of) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { name, kind, email, owner, issuer, disabledAt, lastSeenAt, grants, sessions } = principal;
  return (
    <li className={styles["item"]}>
      <span className={styles["part"]}>
        <span className={styles["name"]}>{name}</span>
        <span className="quiet">
          {[formatMessage({ id: `administration.account.one.${kind}` }), email, issuer].filter((part) => part !== null).join(" · ")}
        </span>
        {owner === null ? null : <FormattedMessage id="administration.owner" values={{ owner }} />}
        <span className="quiet">
          <FormattedMessage
            id="administration.seen"
            values={{ at: lastSeenAt === null ? "none" : times.instant(lastSeenAt), sessions: sessions.length }}
          />
        </span>
      </span>
      <span className={styles["part"]}>
        {disabledAt === null ? null : (
          <Status tone="failing">{formatMessage({ id: "administration.disabled" }, { at: times.instant(disabledAt) })}</Status>
        )}
        <Grants grants={grants} />
        {sessions.map((session) => (
          <span key={session.key} className={styles["session"]}>
            <span className="quiet">
              <FormattedMessage
                id="administration.session"
                values={{ browser: session.browser ?? "none", at: times.instant(session.lastUsedAt) }}
              />
            </span>
            <EndSession name={name} session={session} onDone={onDone} />
          </span>
        ))}
      </span>
      <span className={styles["buttons"]}>
        {kind === "SERVICE" ? <Owner principal={principal} onDone={onDone} /> : null}
        {disabledAt === null ? <Disable principal={principal} onDone={onDone} /> : <Enable principal={principal} onDone={onDone} />}
      </span>
    </li>
  );
}

function Disable({ principal: { key, name }, onDone }: Of) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={DisablePrincipalDocument}
      variables={(reason) => ({ input: { key, reason } })}
      onDone={onDone}
      label={formatMessage({ id: "administration.disable" })}
      name={formatMessage({ id: "administration.disable.named" }, { name })}
      title={formatMessage({ id: "administration.disable.title" }, { name })}
      words={formatMessage({ id: "administration.disable.words" })}
      isDangerous
    />
  );
}

function Enable({ principal: { key, name }, onDone }: Of) {
  const { formatMessage } = useIntl();
  return (
    <CommandButton
      document={EnablePrincipalDocument}
      variables={(reason) => ({ input: { key, reason } })}
      onDone={onDone}
      label={formatMessage({ id: "administration.enable" })}
      name={formatMessage({ id: "administration.enable.named" }, { name })}
      title={formatMessage({ id: "administration.enable.title" }, { name })}
      words={formatMessage({ id: "administration.enable.words" })}
    />
  );
}

function Owner({ principal: { key, name, owner: before }, onDone }: Of) {
  const { formatMessage } = useIntl();
  const [owner, setOwner] = useState(before ?? "");
  return (
    <CommandButton
      document={SetServiceAccountOwnerDocument}
      variables={(reason) => ({ input: { key, owner: owner.trim(), reason: reason === "" ? null : reason } })}
      onDone={onDone}
      label={formatMessage({ id: "administration.set-owner" })}
      name={formatMessage({ id: "administration.set-owner.named" }, { name })}
      title={formatMessage({ id: "administration.set-owner.title" }, { name })}
      words={formatMessage({ id: "administration.set-owner.words" })}
      reason="optional"
    >
      {() => <Field label={formatMessage({ id: "administration.answers" })} value={owner} onChange={setOwner} isRequired maxLength={200} />}
    </CommandButton>
  );
}

function EndSession({
  name,
  session,
  onDone,
}: {
  readonly name: string;
  readonly session: Principal["sessions"][number];
  readonly onDone: () => void;
}) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { key, browser, lastUsedAt } = session;
  const about = { name, browser: browser ?? "none", at: times.instant(lastUsedAt) };
  return (
    <CommandButton
      document={EndSessionDocument}
      variables={(reason) => ({ input: { key, reason: reason === "" ? null : reason } })}
      onDone={onDone}
      label={formatMessage({ id: "administration.end-session" })}
      name={formatMessage({ id: "administration.end-session.named" }, about)}
      title={formatMessage({ id: "administration.end-session.title" }, about)}
      words={formatMessage({ id: "administration.end-session.words" }, about)}
      reason="optional"
      isDangerous
    />
  );
}

function NewServiceAccount() {
  const { formatMessage } = useIntl();
  const [name, setName] = useState("");
  const [owner, setOwner] = useState("");
  return (
    <CommandButton
      document={CreateServiceAccountDocument}
      variables={() => ({ input: { name: name.trim(), owner: owner.trim() } })}
      onClosed={() => {
        setName("");
        setOwner("");
      }}
      label={formatMessage({ id: "administration.new-service" })}
      title={formatMessage({ id: "administration.new-service" })}
      words={formatMessage({ id: "administration.new-service.words" })}
      reason="none"
      isPrimary
    >
      {() => (
        <>
          <Field label={formatMessage({ id: "administration.account.name" })} value={name} onChange={setName} isRequired maxLength={200} />
          <Field label={formatMessage({ id: "administration.answers" })} value={owner} onChange={setOwner} isRequired maxLength={200} />
        </>
      )}
    </CommandButton>
  );
}
