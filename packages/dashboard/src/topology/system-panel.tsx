import { Link } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import { SystemStatus } from "./state-words.js";
import type { Standing } from "./topology-page.js";
import styles from "./topology.module.css";

/** One system: where it is and why, what it needs, what needs it, what runs over it. */
export function SystemPanel({
  chosen,
  standing,
  onChoose,
}: {
  readonly chosen: Standing;
  readonly standing: readonly Standing[];
  readonly onChoose: (key: string) => void;
}) {
  const { system, state } = chosen;
  const { key, name, kind, ownerTeam, dependencies, integrationCounts: counts } = system;
  const at = (wanted: string) => standing.find((one) => one.system.key === wanted);
  const needs = dependencies.flatMap(({ system: needed, strength }) => {
    const found = at(needed.key);
    return found === undefined ? [] : [{ ...found, isSoft: strength === "SOFT" }];
  });
  const neededBy = standing.flatMap((one) =>
    one.system.dependencies
      .filter(({ system: needed }) => needed.key === key)
      .map(({ strength }) => ({ ...one, isSoft: strength === "SOFT" })),
  );
  return (
    <section className={styles["panel"]} aria-labelledby="system-title">
      <h2 id="system-title">{name}</h2>
      <p>
        <SystemStatus state={state} />
      </p>
      <Why standing={chosen} />
      <p className="quiet">{[kind, ownerTeam].filter(Boolean).join(" · ")}</p>
      <p>
        <Link to="/integrations" search={{ system: key }}>
          <FormattedMessage id="topology.integrations" values={{ count: counts.all }} />
        </Link>
        {counts.held + counts.failing === 0 ? null : (
          <>
            {" "}
            <FormattedMessage id="topology.of-these" values={{ held: counts.held, failing: counts.failing }} />
          </>
        )}
      </p>
      <Neighbours id="topology.needs" neighbours={needs} onChoose={onChoose} />
      <Neighbours id="topology.needed-by" neighbours={neededBy} onChoose={onChoose} />
    </section>
  );
}

function Why({ standing: { state } }: { readonly standing: Standing }) {
  const times = useTimes();
  const { hold, reason } = state;
  if (reason !== null)
    return (
      <p>
        <FormattedMessage id="topology.why.away" values={{ reason }} />
      </p>
    );
  if (hold === null) return null;
  if (hold.occurrence === null) {
    const values = { owner: hold.owner, reason: hold.reason, until: hold.expiresAt === null ? "none" : times.instant(hold.expiresAt) };
    return (
      <p>
        <FormattedMessage id="topology.why.hold" values={values} />
      </p>
    );
  }
  const { window, endsAt, timeZone } = hold.occurrence;
  const until = `${times.instant(endsAt, timeZone)}${timeZone === times.ownZone ? "" : ` ${timeZone}`}`;
  return (
    <p>
      <Link to="/windows/$key" params={{ key: window.key }}>
        {window.title}
      </Link>{" "}
      <FormattedMessage id="topology.why.window" values={{ owner: hold.owner, until, reason: hold.reason }} />
    </p>
  );
}

function Neighbours({
  id,
  neighbours,
  onChoose,
}: {
  readonly id: "topology.needs" | "topology.needed-by";
  readonly neighbours: readonly (Standing & { readonly isSoft: boolean })[];
  readonly onChoose: (key: string) => void;
}) {
  const { formatMessage } = useIntl();
  return (
    <>
      <h3>{formatMessage({ id })}</h3>
      {neighbours.length === 0 ? (
        <p className="quiet">
          <FormattedMessage id="topology.nothing" />
        </p>
      ) : (
        <ul className={styles["neighbours"]}>
          {neighbours.map((one) => (
            <li key={one.system.key}>
              <Button isQuiet onPress={() => onChoose(one.system.key)}>
                {one.system.name}
              </Button>
              <SystemStatus state={one.state} />
              {one.isSoft ? (
                <span className="quiet">
                  <FormattedMessage id="topology.soft" />
                </span>
              ) : null}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
