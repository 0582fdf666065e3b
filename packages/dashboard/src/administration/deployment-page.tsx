import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { CommandButton } from "../components/command-button.js";
import { Status } from "../components/status.js";
import { Field } from "../components/text-field.js";
import {
  AcknowledgeClockStepDocument,
  DeploymentDocument,
  type DeploymentQuery,
  MasterKeysDocument,
  type MasterKeysQuery,
  RotateMasterKeyDocument,
  SetModeDocument,
  SetRetentionDocument,
} from "./deployment.generated.js";
import { Read } from "./reading.js";
import { AdministrationPage } from "./rooms.js";
import styles from "./administration.module.css";

type Control = DeploymentQuery["control"];

/** What holds for the whole deployment: whether it holds at all, what is kept for how long, and which master key seals. */
export function DeploymentPage() {
  const { formatMessage } = useIntl();
  const reading = useLiveQuery(DeploymentDocument, {}, { kinds: ["control.*"] });
  const control = reading.data?.control;
  const title =
    control === undefined
      ? formatMessage({ id: "administration.deployment" })
      : formatMessage({ id: "administration.deployment.title" }, { mode: control.mode });
  return (
    <AdministrationPage title={title} actions={control === undefined ? undefined : <Mode control={control} onDone={reading.again} />}>
      <Read reading={reading}>
        {(data) => (
          <>
            <ClockStep control={data.control} onDone={reading.again} />
            <Facts control={data.control} onDone={reading.again} />
          </>
        )}
      </Read>
      <h2>{formatMessage({ id: "administration.keys" })}</h2>
      <MasterKeys />
      <h2>{formatMessage({ id: "administration.backups" })}</h2>
      <p>
        <FormattedMessage id="administration.backups.words" />
      </p>
      <pre className={styles["json"]} tabIndex={0}>
        quiesce backup --help
      </pre>
    </AdministrationPage>
  );
}

interface Of {
  readonly control: Control;
  readonly onDone: () => void;
}

function Mode({ control: { mode }, onDone }: Of) {
  const { formatMessage } = useIntl();
  const other: Control["mode"] = mode === "ENFORCE" ? "OBSERVE" : "ENFORCE";
  return (
    <CommandButton
      document={SetModeDocument}
      variables={(reason) => ({ input: { mode: other, reason } })}
      onDone={onDone}
      label={formatMessage({ id: `administration.mode.${other}` })}
      title={formatMessage({ id: `administration.mode.${other}.title` })}
      words={formatMessage({ id: `administration.mode.${other}.words` })}
      isDangerous
    />
  );
}

function ClockStep({ control: { clockStep }, onDone }: Of) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  if (clockStep === null) return null;
  const { byMs, seenAt, server } = clockStep;
  return (
    <div className={styles["notice"]}>
      <p>
        <Status tone="failing">
          {formatMessage({ id: "administration.clock" }, { length: times.length(byMs), at: times.full(seenAt), server })}
        </Status>
      </p>
      <CommandButton
        document={AcknowledgeClockStepDocument}
        variables={(reason) => ({ input: { reason } })}
        onDone={onDone}
        label={formatMessage({ id: "administration.clock.acknowledge" })}
        title={formatMessage({ id: "administration.clock.acknowledge" })}
        words={formatMessage({ id: "administration.clock.words" })}
        isDangerous
      />
    </div>
  );
}

function Facts({ control, onDone }: Of) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { expandedUntil, zoneDataVersion, retention } = control;
  const days = (count: number | null) => formatMessage({ id: "administration.days" }, { count: count ?? -1 });
  const facts = [
    ["administration.retention.runs", days(retention.runDays)],
    ["administration.retention.events", days(retention.eventDays)],
    [
      "administration.retention.from",
      retention.runsFrom === null ? formatMessage({ id: "administration.retention.all" }) : times.full(retention.runsFrom),
    ],
    ["administration.expanded", expandedUntil === null ? formatMessage({ id: "windows.nothing" }) : times.full(expandedUntil)],
    ["administration.zones", zoneDataVersion ?? formatMessage({ id: "windows.nothing" })],
  ] as const;
  return (
    <>
      <dl className={styles["facts"]}>
        {facts.map(([id, value]) => (
          <div key={id}>
            <dt>{formatMessage({ id })}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Retention control={control} onDone={onDone} />
    </>
  );
}

function Retention({ control: { retention }, onDone }: Of) {
  const { formatMessage } = useIntl();
  const [runDays, setRunDays] = useState(retention.runDays?.toString() ?? "");
  const [eventDays, setEventDays] = useState(retention.eventDays?.toString() ?? "");
  const number = (text: string) => (text.trim() === "" ? null : Math.trunc(Number(text)));
  return (
    <CommandButton
      document={SetRetentionDocument}
      variables={(reason) => ({ input: { runDays: number(runDays), eventDays: number(eventDays), reason } })}
      onDone={onDone}
      label={formatMessage({ id: "administration.retention.set" })}
      title={formatMessage({ id: "administration.retention.set" })}
      words={formatMessage({ id: "administration.retention.words" })}
      isDangerous
    >
      {() => (
        <>
          <Field label={formatMessage({ id: "administration.retention.runs" })} type="number" value={runDays} onChange={setRunDays} />
          <Field label={formatMessage({ id: "administration.retention.events" })} type="number" value={eventDays} onChange={setEventDays} />
        </>
      )}
    </CommandButton>
  );
}

function MasterKeys() {
  const reading = useLiveQuery(MasterKeysDocument, {}, { kinds: ["control.master-key-rotated", "credential.*"] });
  return <Read reading={reading}>{({ masterKey }) => <Sealed masterKey={masterKey} onDone={reading.again} />}</Read>;
}

function Sealed({ masterKey, onDone }: { readonly masterKey: MasterKeysQuery["masterKey"]; readonly onDone: () => void }) {
  const { formatMessage } = useIntl();
  const { current, remaining, sealed } = masterKey;
  return (
    <>
      <p>
        <FormattedMessage id="administration.keys.current" values={{ key: current, remaining }} />
      </p>
      <ul className={styles["lines"]}>
        {sealed.map((one) => (
          <li key={one.masterKey}>
            <code>{one.masterKey}</code> <FormattedMessage id="administration.keys.sealed" values={{ count: one.values }} />
          </li>
        ))}
      </ul>
      {remaining === 0 ? null : (
        <CommandButton
          document={RotateMasterKeyDocument}
          variables={(reason) => ({ input: { reason: reason === "" ? null : reason } })}
          onDone={onDone}
          label={formatMessage({ id: "administration.keys.move" })}
          title={formatMessage({ id: "administration.keys.move" })}
          words={formatMessage({ id: "administration.keys.words" }, { remaining })}
          reason="optional"
        />
      )}
    </>
  );
}
