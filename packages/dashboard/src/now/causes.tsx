import { type ReactNode, useState } from "react";
import { Button, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { StatusGlyph } from "../components/status.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { coveragePathText } from "../windows/coverage-path.js";
import { useCauseSentence } from "./cause-sentence.js";
import { HoldRowsDocument } from "./now.generated.js";
import { type ActiveHold, type Card, cardFits, type Cause, type OpenOccurrence } from "./summary.js";
import styles from "./now.module.css";

/** Groups by cause: what has one reason is one line, and its integrations are there on demand. */
export function Causes({
  causes,
  card,
  isWall,
  hasIntegrations,
}: {
  readonly causes: readonly Cause[];
  readonly card: Card | null;
  readonly isWall: boolean;
  /** Where there is none yet, what to do first stands here. */
  readonly hasIntegrations: boolean;
}) {
  const shown = card === null ? causes : causes.filter((cause) => cardFits(card, cause));
  if (causes.length === 0 && !hasIntegrations)
    return (
      <Empty>
        <FormattedMessage id="integrations.none" />
      </Empty>
    );
  if (shown.length === 0)
    return (
      <Empty>
        <FormattedMessage id={causes.length === 0 ? "now.causes.none" : "now.causes.filtered"} />
      </Empty>
    );
  return (
    <ul className={styles["causes"]}>
      {shown.map((cause) => (
        <li key={cause.id} className={`${styles["cause"]} ${styles[`cause-${cause.tone}`]}`}>
          {isWall ? <CauseLine cause={cause} /> : <CauseDisclosure cause={cause} />}
        </li>
      ))}
    </ul>
  );
}

function CauseLine({ cause }: { readonly cause: Cause }) {
  const sentence = useCauseSentence(cause);
  const progress = progressOf(cause);
  return (
    <span className={styles["cause-line"]}>
      <StatusGlyph tone={cause.tone} />
      <span className={styles["cause-words"]}>
        {sentence}
        {progress === null ? null : <Progress {...progress} />}
      </span>
      <CauseCount cause={cause} />
    </span>
  );
}

function CauseDisclosure({ cause }: { readonly cause: Cause }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Disclosure isExpanded={isOpen} onExpandedChange={setOpen}>
      <Heading level={3} className={styles["cause-heading"]}>
        <Button slot="trigger" className={styles["cause-button"]}>
          <span className={styles["chevron"]} aria-hidden="true" />
          <CauseLine cause={cause} />
        </Button>
      </Heading>
      <DisclosurePanel className={styles["cause-panel"]}>{isOpen ? <CauseRows cause={cause} /> : null}</DisclosurePanel>
    </Disclosure>
  );
}

function CauseCount({ cause }: { readonly cause: Cause }) {
  if (cause.kind === "resume") return null;
  const count = cause.kind === "hold" ? cause.hold.memberCount : cause.failure.integrations;
  return (
    <span className={styles["cause-count"]}>
      <FormattedMessage id="now.cause.members" values={{ count }} />
    </span>
  );
}

function progressOf(cause: Cause): { readonly released: number; readonly total: number } | null {
  const resume: OpenOccurrence["resume"] = cause.kind === "resume" ? cause.occurrence.resume : null;
  return resume === null || resume.total === 0 ? null : resume;
}

function Progress({ released, total }: { readonly released: number; readonly total: number }) {
  const { formatMessage } = useIntl();
  return <progress className={styles["progress"]} value={released} max={total} aria-label={formatMessage({ id: "now.progress" })} />;
}

function CauseRows({ cause }: { readonly cause: Cause }) {
  if (cause.kind === "hold") return <HoldRows hold={cause.hold} />;
  if (cause.kind === "resume") return <p className="quiet">{cause.occurrence.window.owner}</p>;
  const { sample, integrations } = cause.failure;
  return <Rows rows={sample.map((integration) => ({ integration, note: null }))} count={integrations} />;
}

function HoldRows({ hold }: { readonly hold: ActiveHold }) {
  const intl = useIntl();
  const { data, refusal, again } = useLiveQuery(HoldRowsDocument, { id: hold.id }, { kinds: ["hold.*", "window.*", "catalogue.applied"] });
  const about = (
    <p className="quiet">
      <FormattedMessage id="now.cause.owner" values={{ owner: hold.owner, reason: hold.reason }} />
    </p>
  );
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const members = data.node !== null && "members" in data.node ? data.node.members : [];
  const rows = members.map(({ integration, path }) => ({
    integration,
    note: intl.formatMessage({ id: "now.path" }, { path: coveragePathText(path, intl) }),
  }));
  return (
    <>
      {about}
      <Rows rows={rows} count={hold.memberCount} />
    </>
  );
}

interface Row {
  readonly integration: { readonly id: string; readonly key: string; readonly name: string };
  readonly note: string | null;
}

function Rows({ rows, count }: { readonly rows: readonly Row[]; readonly count: number }): ReactNode {
  return (
    <>
      <ul className={styles["rows"]}>
        {rows.map(({ integration, note }) => (
          <li key={integration.id} className={styles["row"]}>
            <a href={`/integrations/${encodeURIComponent(integration.key)}`}>{integration.name}</a>
            {note === null ? null : <span className="quiet">{note}</span>}
          </li>
        ))}
      </ul>
      {rows.length < count ? (
        <p className="quiet">
          <FormattedMessage id="now.cause.only" values={{ shown: rows.length, count }} />
        </p>
      ) : null}
    </>
  );
}
