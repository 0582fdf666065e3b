import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { Button as AriaButton, Disclosure, DisclosurePanel } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { DayField } from "../components/date-fields.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty } from "../components/states.js";
import { Field } from "../components/text-field.js";
import { addDays } from "../windows/recurrence.js";
import { instantOf } from "../windows/clock-change.js";
import { AuditDocument, type AuditQuery } from "./audit.generated.js";
import { AuditCheck } from "./audit-check.js";
import { Read } from "./reading.js";
import { AdministrationPage } from "./rooms.js";
import styles from "./administration.module.css";

type Entry = AuditQuery["audit"]["nodes"][number];

/** The address follows what is typed when nobody has typed for so long. */
const QUIET_MS = 300;
const names = ["actor", "action", "kind", "subject"] as const;
const days = ["from", "to"] as const;
type Wanted = { readonly [name in (typeof names)[number] | (typeof days)[number]]: string };

/** Who did what, the newest first, and whether the trail is whole. The filters are in the address. */
export function AuditPage() {
  const { formatMessage } = useIntl();
  const { actor = "", action = "", kind = "", subject = "", from = "", to = "" } = useSearch({ from: "/administration/audit" });
  const wanted = { actor, action, kind, subject, from, to };
  return (
    <AdministrationPage title={formatMessage({ id: "administration.audit.title" })}>
      <AuditCheck />
      <h2>{formatMessage({ id: "administration.audit.entries" })}</h2>
      <Filters shown={wanted} />
      <List key={JSON.stringify(wanted)} wanted={wanted} />
    </AdministrationPage>
  );
}

function Filters({ shown }: { readonly shown: Wanted }) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate({ from: "/administration/audit" });
  const [typed, setTyped] = useState(shown);
  const [before, after] = [JSON.stringify(shown), JSON.stringify(typed)];
  useEffect(() => {
    if (before === after) return undefined;
    const search = Object.fromEntries(Object.entries(JSON.parse(after) as Wanted).filter(([, value]) => value !== ""));
    const timer = setTimeout(() => void navigate({ search, replace: true }), QUIET_MS);
    return () => clearTimeout(timer);
  }, [before, after, navigate]);
  return (
    <search className={styles["filters"]}>
      {names.map((name) => (
        <Field
          key={name}
          label={formatMessage({ id: `administration.audit.${name}` })}
          type="search"
          value={typed[name]}
          onChange={(value) => setTyped({ ...typed, [name]: value })}
          maxLength={200}
        />
      ))}
      {days.map((name) => (
        <DayField
          key={name}
          label={formatMessage({ id: `administration.audit.${name}` })}
          value={typed[name]}
          onChange={(value) => setTyped({ ...typed, [name]: value })}
        />
      ))}
    </search>
  );
}

function List({ wanted }: { readonly wanted: Wanted }) {
  const { formatMessage } = useIntl();
  const { ownZone } = useTimes();
  const pages = usePages();
  const { actor, action, kind, subject, from, to } = wanted;
  const filter = useMemo(() => {
    const given = (text: string) => (text === "" ? null : text);
    return {
      actor: given(actor),
      action: given(action),
      subjectKind: given(kind),
      subjectKey: given(subject),
      from: instantOf(`${from}T00:00`, ownZone),
      // The day that is named is in it.
      to: to === "" ? null : instantOf(`${addDays(to, 1)}T00:00`, ownZone),
    };
  }, [actor, action, kind, subject, from, to, ownZone]);
  const reading = useLiveQuery(AuditDocument, { filter, after: pages.after });
  return (
    <Read reading={reading}>
      {({ audit: { nodes, pageInfo } }) => (
        <>
          {nodes.length === 0 ? (
            <Empty>
              <FormattedMessage id="administration.audit.none" />
            </Empty>
          ) : (
            <ul className={styles["list"]} aria-label={formatMessage({ id: "administration.audit.entries" })}>
              {nodes.map((entry) => (
                <Line key={entry.id} entry={entry} />
              ))}
            </ul>
          )}
          <PageButtons pages={pages} pageInfo={pageInfo} />
        </>
      )}
    </Read>
  );
}

function Line({ entry }: { readonly entry: Entry }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const [isOpen, setOpen] = useState(false);
  const { at, actor, action, subjectKind, subjectKey, reason, before, after, position, hash } = entry;
  return (
    <li className={styles["item"]}>
      <span className={styles["part"]}>
        <span className={styles["name"]}>{action}</span>
        <span className="quiet">
          {subjectKind} {subjectKey}
        </span>
      </span>
      <span className={styles["part"]}>
        <span>
          {actor} · {times.full(at)}
        </span>
        {reason === null ? null : <span>{reason}</span>}
      </span>
      <Disclosure isExpanded={isOpen} onExpandedChange={setOpen} className={styles["part"] ?? ""}>
        <AriaButton
          slot="trigger"
          className="button"
          aria-label={formatMessage({ id: "administration.audit.details.named" }, { action, subjectKey })}
        >
          {position === null
            ? formatMessage({ id: "administration.audit.unsealed" })
            : formatMessage({ id: "administration.audit.position" }, { position })}
        </AriaButton>
        <DisclosurePanel>
          {isOpen ? (
            <pre className={styles["json"]} tabIndex={0}>
              {JSON.stringify({ before, after, hash }, null, 2)}
            </pre>
          ) : null}
        </DisclosurePanel>
      </Disclosure>
    </li>
  );
}
