import type { Refusal } from "@quiesce/client";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useCommand, useLiveQuery } from "../app/live.js";
import { useSession } from "../app/session.js";
import { Button } from "../components/button.js";
import { Choice } from "../components/choice.js";
import { CommandButton } from "../components/command-button.js";
import { ErrorState } from "../components/states.js";
import { Field } from "../components/text-field.js";
import {
  AnswerIncidentOfferDocument,
  AssignIncidentDocument,
  type IncidentState,
  MergeIncidentsDocument,
  MoveIncidentDocument,
  OfferIncidentDocument,
  OtherIncidentsDocument,
} from "./incident.generated.js";
import type { ShownIncident } from "./incident-sentence.js";
import { OwnerTeamsDocument } from "./incidents.generated.js";
import { liveStates } from "./filters.js";
import { type Step, stepsOf } from "./steps.js";
import styles from "./incidents.module.css";

interface Of {
  readonly incident: ShownIncident;
}

/** What can be done about an incident now: the one thing that comes next first. */
export function IncidentActions({ incident }: Of) {
  // What still fires is not closed: it closes by itself later.
  const steps = stepsOf(incident.state).filter((step) => step !== "close" || incident.firingCount === 0);
  const isLive = liveStates.some((state) => state === incident.state);
  return (
    <>
      {steps.map((step, index) => (
        <Move key={step} step={step} isPrimary={index === 0} incident={incident} />
      ))}
      {isLive ? (
        <>
          <Assign incident={incident} />
          <Transfer incident={incident} />
          <Merge incident={incident} />
        </>
      ) : null}
    </>
  );
}

const goals: { readonly [step in Step]: Exclude<IncidentState, "MERGED"> } = {
  acknowledge: "ACKNOWLEDGED",
  start: "IN_PROGRESS",
  hold: "ON_HOLD",
  resolve: "RESOLVED",
  reopen: "OPEN",
  close: "CLOSED",
};

function Move({ step, isPrimary, incident }: Of & { readonly step: Step; readonly isPrimary: boolean }) {
  const { formatMessage } = useIntl();
  const { key, firingCount } = incident;
  const state = goals[step];
  const isResolvingFire = step === "resolve" && firingCount > 0;
  if (step !== "hold" && step !== "reopen" && !isResolvingFire) return <DirectMove step={step} isPrimary={isPrimary} incident={incident} />;
  return (
    <CommandButton
      document={MoveIncidentDocument}
      label={formatMessage({ id: `incidents.step.${step}` })}
      title={formatMessage({ id: `incidents.confirm.${step}.title` }, { key })}
      words={formatMessage({ id: `incidents.confirm.${step}` }, { firing: firingCount })}
      isPrimary={isPrimary}
      variables={(reason) => ({ input: { key, state, reason, ...(isResolvingFire ? { evenIfFiring: true } : {}) } })}
    />
  );
}

/** A step that needs no reason is taken at once. Nothing announces that it is pending: the button is gone when it is done, and its name with it. */
function DirectMove({ step, isPrimary, incident: { key } }: Of & { readonly step: Step; readonly isPrimary: boolean }) {
  const { run, isRunning, refusal, reset } = useCommand(MoveIncidentDocument);
  return (
    <>
      <Button isPrimary={isPrimary} onPress={() => void (isRunning ? null : run({ input: { key, state: goals[step] } }))}>
        <FormattedMessage id={`incidents.step.${step}`} />
      </Button>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={reset} />}
    </>
  );
}

function Assign({ incident: { key, assignee } }: Of) {
  const { formatMessage } = useIntl();
  const { name } = useSession();
  const [who, setWho] = useState(assignee ?? name);
  return (
    <CommandButton
      document={AssignIncidentDocument}
      label={formatMessage({ id: "incidents.assign" })}
      title={formatMessage({ id: "incidents.assign.title" }, { key })}
      words={formatMessage({ id: "incidents.assign.words" })}
      reason="optional"
      variables={(reason) => ({ input: { key, assignee: who.trim() === "" ? null : who.trim(), ...(reason === "" ? {} : { reason }) } })}
    >
      {() => <Field label={formatMessage({ id: "incidents.assign.who" })} value={who} onChange={setWho} maxLength={200} />}
    </CommandButton>
  );
}

function Transfer({ incident: { key, ownerTeam } }: Of) {
  const { formatMessage } = useIntl();
  const [team, setTeam] = useState("");
  return (
    <CommandButton
      document={OfferIncidentDocument}
      label={formatMessage({ id: "incidents.transfer" })}
      title={formatMessage({ id: "incidents.transfer.title" }, { key })}
      words={formatMessage({ id: "incidents.transfer.words" }, { team: ownerTeam ?? "none" })}
      variables={(reason) => (team === "" ? null : { input: { key, team, reason } })}
    >
      {() => <TeamChoice without={ownerTeam} team={team} onChange={setTeam} />}
    </CommandButton>
  );
}

function TeamChoice(props: { readonly without: string | null; readonly team: string; readonly onChange: (team: string) => void }) {
  const { without, team, onChange } = props;
  const { formatMessage } = useIntl();
  const { data } = useLiveQuery(OwnerTeamsDocument, {});
  const options = (data?.teams.nodes ?? [])
    .filter(({ key }) => key !== without)
    .map(({ key, title }) => ({ id: key, text: title === "" ? key : title }));
  const none = { id: "", text: formatMessage({ id: "incidents.choose" }) };
  return <Choice label={formatMessage({ id: "incidents.filter.team" })} value={team} options={[none, ...options]} onChange={onChange} />;
}

function Merge({ incident: { key } }: Of) {
  const { formatMessage } = useIntl();
  const navigate = useNavigate();
  const [into, setInto] = useState("");
  return (
    <CommandButton
      document={MergeIncidentsDocument}
      label={formatMessage({ id: "incidents.merge" })}
      title={formatMessage({ id: "incidents.merge.title" }, { key })}
      words={formatMessage({ id: "incidents.merge.words" })}
      isDangerous
      variables={(reason) => (into === "" ? null : { input: { key, into, reason } })}
      onDone={({ mergeIncidents }) => void navigate({ to: "/incidents/$key", params: { key: mergeIncidents.key } })}
    >
      {(refusal) => <OtherChoice without={key} into={into} refusal={refusal} onChange={setInto} />}
    </CommandButton>
  );
}

function OtherChoice(props: {
  readonly without: string;
  readonly into: string;
  readonly refusal: Refusal | null;
  readonly onChange: (key: string) => void;
}) {
  const { without, into, onChange } = props;
  const { formatMessage } = useIntl();
  const { data } = useLiveQuery(OtherIncidentsDocument, {}, { kinds: ["incident.opened", "incident.state-changed", "incident.merged"] });
  const others = (data?.incidents.nodes ?? []).filter(({ key }) => key !== without);
  const options = others.map(({ key, title }) => ({ id: key, text: formatMessage({ id: "incidents.named" }, { key, title }) }));
  const none = { id: "", text: formatMessage({ id: others.length === 0 ? "incidents.merge.none" : "incidents.choose" }) };
  return <Choice label={formatMessage({ id: "incidents.merge.into" })} value={into} options={[none, ...options]} onChange={onChange} />;
}

/** Another team is asked to take it over. */
export function Offer({ incident }: Of) {
  const { formatMessage } = useIntl();
  const { key, state, offeredTo, offeredBy, offerReason } = incident;
  const answer = useCommand(AnswerIncidentOfferDocument);
  return (
    <section className={styles["offer"]} aria-label={formatMessage({ id: "incidents.offer" })}>
      <p>
        <FormattedMessage id="incidents.offer.words" values={{ team: offeredTo ?? "", by: offeredBy ?? "", reason: offerReason ?? "" }} />
      </p>
      <div className={styles["buttons"]}>
        {/* What is over is taken over by nobody; the offer stands while it may open again. */}
        {state === "RESOLVED" ? null : (
          <Button isPrimary onPress={() => void (answer.isRunning ? null : answer.run({ input: { key, accept: true } }))}>
            <FormattedMessage id="incidents.offer.accept" values={{ team: offeredTo ?? "" }} />
          </Button>
        )}
        <CommandButton
          document={AnswerIncidentOfferDocument}
          label={formatMessage({ id: "incidents.offer.decline" })}
          title={formatMessage({ id: "incidents.offer.decline.title" }, { key })}
          words={formatMessage({ id: "incidents.offer.decline.words" })}
          variables={(reason) => ({ input: { key, accept: false, reason } })}
        />
      </div>
      {answer.refusal === null ? null : <ErrorState refusal={answer.refusal} />}
    </section>
  );
}
