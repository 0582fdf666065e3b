import { useMemo, useState } from "react";
import { Button as AriaButton, Checkbox, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { CommandButton } from "../components/command-button.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { Status } from "../components/status.js";
import { type AlertGroup, alertGroups, type IncidentAlert, quietReasons } from "./alert-groups.js";
import { liveStates } from "./filters.js";
import { IncidentAlertsDocument, IncidentSystemsDocument, SplitIncidentDocument } from "./incident.generated.js";
import type { ShownIncident } from "./incident-sentence.js";
import { alertTitle } from "./alert-title.js";
import { quietSentence, reasonSentence } from "./reason-sentence.js";
import { Root } from "./root.js";
import type { TouchedSystem } from "./root-paths.js";
import { Severity } from "./state.js";
import styles from "./incidents.module.css";

/** What one request may answer; of larger incidents the newest alerts are shown. */
const SHOWN_ALERTS = 200;
const ROWS_OF_GROUP = 50;
const kinds = ["alert.*", "incident.grew", "incident.merged", "incident.split", "incident.opened", "catalogue.applied"];
const noSystems: readonly TouchedSystem[] = [];

/** The probable root with the ways that lead to it, its alerts folded by system, and the quiet ones counted with their reasons. */
export function IncidentAlerts({ incident }: { readonly incident: ShownIncident }) {
  const { key, root } = incident;
  const systems = useLiveQuery(IncidentSystemsDocument, { key }, { kinds: ["incident.*", "catalogue.applied"] });
  const { data, refusal, again } = useLiveQuery(IncidentAlertsDocument, { key, first: SHOWN_ALERTS }, { kinds });
  const touched = systems.data?.incident?.systems ?? noSystems;
  const alerts = data?.alerts.nodes;
  const groups = useMemo(() => alertGroups(alerts ?? [], { systems: touched, root }), [alerts, touched, root]);
  if (alerts === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  return (
    <>
      {systems.refusal === null ? null : <ErrorState refusal={systems.refusal} onAgain={systems.again} />}
      <Root incident={incident} systems={touched} groups={groups} />
      <section>
        <h2>
          <FormattedMessage id="incidents.alerts.title" values={{ count: incident.alertCount, firing: incident.firingCount }} />
        </h2>
        {alerts.length === 0 ? (
          <Empty>
            <FormattedMessage id="incidents.alerts.gone" />
          </Empty>
        ) : (
          <Groups incident={incident} groups={groups} />
        )}
        {(data?.alerts.totalCount ?? 0) > alerts.length ? (
          <p className="quiet">
            <FormattedMessage id="incidents.alerts.only" values={{ shown: alerts.length, count: data?.alerts.totalCount ?? 0 }} />
          </p>
        ) : null}
        <Suppressed alerts={alerts} />
      </section>
    </>
  );
}

function Suppressed({ alerts }: { readonly alerts: readonly IncidentAlert[] }) {
  const intl = useIntl();
  const times = useTimes();
  const reasons = quietReasons(alerts);
  if (reasons.length === 0) return null;
  return (
    <ul className={styles["plain"]} aria-label={intl.formatMessage({ id: "incidents.suppressed" })}>
      {reasons.map(({ reason, count }) => (
        <li key={reason.kind + reason.rule + reason.path}>{quietSentence(reason, count, { intl, times })}</li>
      ))}
    </ul>
  );
}

function Groups({ incident, groups }: { readonly incident: ShownIncident; readonly groups: readonly AlertGroup[] }) {
  const { formatMessage } = useIntl();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const canSplit = incident.alertCount > 1 && liveStates.some((state) => state === incident.state);
  const own = new Set(groups.flatMap(({ alerts }) => alerts.map((alert) => alert.key)));
  // What has left the incident meanwhile is not chosen any more.
  const split = [...chosen].filter((key) => own.has(key));
  const choose = (key: string, isChosen: boolean) => setChosen(new Set(isChosen ? [...split, key] : split.filter((one) => one !== key)));
  return (
    <>
      <ul className={styles["groups"]}>
        {groups.map((group) => (
          <li key={group.node}>
            <Group group={group} chosen={chosen} onChoose={canSplit ? choose : null} />
          </li>
        ))}
      </ul>
      {split.length === 0 ? null : (
        <CommandButton
          document={SplitIncidentDocument}
          label={formatMessage({ id: "incidents.split" }, { count: split.length })}
          title={formatMessage({ id: "incidents.split.title" }, { key: incident.key })}
          words={formatMessage({ id: "incidents.split.words" }, { count: split.length })}
          isDangerous
          variables={(reason) => ({ input: { key: incident.key, alerts: split, reason } })}
          onDone={() => setChosen(new Set())}
        />
      )}
    </>
  );
}

function Group(props: {
  readonly group: AlertGroup;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: ((key: string, isChosen: boolean) => void) | null;
}) {
  const { group, chosen, onChoose } = props;
  const { name, isRoot, alerts, firing, muted } = group;
  const [isOpen, setOpen] = useState(isRoot);
  return (
    <Disclosure isExpanded={isOpen} onExpandedChange={setOpen}>
      <Heading level={3} className={styles["group-heading"]}>
        <AriaButton slot="trigger" className={styles["group-button"]}>
          <span className={styles["chevron"]} aria-hidden="true" />
          <Status tone={firing > 0 ? "failing" : "quiet"}>{name}</Status>
          {isRoot ? (
            <span className={styles["tag"]}>
              <FormattedMessage id="incidents.root.tag" />
            </span>
          ) : null}
          <span className={styles["group-count"]}>
            <FormattedMessage id="incidents.group" values={{ count: alerts.length, firing, muted }} />
          </span>
        </AriaButton>
      </Heading>
      <DisclosurePanel className={styles["group-panel"]}>
        {isOpen ? (
          <ul className={styles["plain"]}>
            {alerts.slice(0, ROWS_OF_GROUP).map((alert) => (
              <li key={alert.id}>
                <AlertLine alert={alert} isChosen={chosen.has(alert.key)} onChoose={onChoose} />
              </li>
            ))}
            {alerts.length > ROWS_OF_GROUP ? (
              <li className="quiet">
                <FormattedMessage id="windows.more" values={{ count: alerts.length - ROWS_OF_GROUP }} />
              </li>
            ) : null}
          </ul>
        ) : null}
      </DisclosurePanel>
    </Disclosure>
  );
}

function AlertLine(props: {
  readonly alert: IncidentAlert;
  readonly isChosen: boolean;
  readonly onChoose: ((key: string, isChosen: boolean) => void) | null;
}) {
  const { alert, isChosen, onChoose } = props;
  const { key, severity, status, startedAt, endedAt, reasons, url } = alert;
  const intl = useIntl();
  const title = alertTitle(alert, intl);
  const times = useTimes();
  const shown = reasons.filter((reason) => reason.endedAt === null || status === "RESOLVED").slice(0, 3);
  const span = endedAt === null ? times.instant(startedAt) : `${times.instant(startedAt)}–${times.end(startedAt, endedAt)}`;
  return (
    <div className={styles["alert"]}>
      {onChoose === null ? null : (
        <Checkbox
          className="checkbox"
          isSelected={isChosen}
          onChange={(isOn) => onChoose(key, isOn)}
          aria-label={intl.formatMessage({ id: "incidents.split.choose" }, { title })}
        >
          <span className="checkbox-box" aria-hidden="true" />
        </Checkbox>
      )}
      <span className={styles["alert-words"]}>
        <span>
          <Severity severity={severity} /> {url === null ? title : <a href={url}>{title}</a>}
        </span>
        <span className="quiet">
          <FormattedMessage id={`incidents.alert.${status}`} values={{ span, key }} />
        </span>
        {shown.map((reason) => (
          <span key={reason.kind + reason.rule + reason.path} className="quiet">
            {reasonSentence(reason, { intl, times })}
          </span>
        ))}
      </span>
    </div>
  );
}
