import { Link, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveState } from "../app/live.js";
import { Page } from "../components/page.js";
import { ErrorState, Loading } from "../components/states.js";
import { IncidentsLine } from "../incidents/incidents-line.js";
import { Cards } from "./cards.js";
import { Causes } from "./causes.js";
import { Lanes } from "./lanes.js";
import { NowDocument } from "./now.generated.js";
import { UndecidedFreeze } from "../windows/undecided-freeze.js";
import { useNowSentence } from "./sentence.js";
import { type Card, causesOf, numbersOf, type Summary } from "./summary.js";
import styles from "./now.module.css";

/** What is held and why, where work may begin, what comes back, what fails: live, and for a screen on a wall. */
export function NowPage() {
  const { data, refusal, again } = useLiveState(NowDocument, {});
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <Now summary={data.statusSummary} />
    </>
  );
}

function Now({ summary }: { readonly summary: Summary }) {
  const isWall = useSearch({ strict: false }).wall === true;
  const { formatMessage } = useIntl();
  const [card, setCard] = useState<Card | null>(null);
  const numbers = numbersOf(summary);
  const sentence = useNowSentence(summary, numbers);
  const wallLink = (
    <Link to="/" search={isWall ? {} : { wall: true }} className={isWall ? "skip" : `button button-quiet ${styles["to-wall"]}`}>
      <FormattedMessage id={isWall ? "now.wall.leave" : "now.wall"} />
    </Link>
  );
  return (
    <Page title={sentence} actions={wallLink}>
      {summary.mode === "OBSERVE" ? (
        <p className={styles["notice"]} role="status">
          <FormattedMessage id="now.observe" />
        </p>
      ) : null}
      {summary.freezeConflicts.map((conflict) => (
        <p key={conflict.window.id + conflict.localStart + conflict.freeze.id + conflict.from} className={styles["notice"]}>
          <UndecidedFreeze window={conflict.window} conflict={conflict} />
        </p>
      ))}
      <Cards numbers={numbers} chosen={card} onChoose={isWall ? null : setCard} />
      <IncidentsLine />
      <h2>{formatMessage({ id: "now.lanes" })}</h2>
      <Lanes />
      <h2>{formatMessage({ id: "now.causes" })}</h2>
      <Causes causes={causesOf(summary)} card={card} isWall={isWall} hasIntegrations={summary.integrations > 0} />
    </Page>
  );
}
