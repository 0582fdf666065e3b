import { useNavigate } from "@tanstack/react-router";
import { Button, Disclosure, DisclosurePanel, Heading, ToggleButton } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { isMoreBetter, type KpiName } from "./kpi-names.js";
import { changeText, figureText } from "./units.js";
import { type FigureNow, isUnmeasured, type UnmeasuredReason, whyUnmeasured } from "./use-figures.js";
import styles from "./kpis.module.css";

const reasons: readonly UnmeasuredReason[] = ["HANDED", "QUEUE", "CHECKS", "RUNS"];

/** Every figure with the period before; a pressed one is drawn below. What nobody measures is one line, which can be opened. */
export function Figures({ figures, drawn }: { readonly figures: readonly FigureNow[]; readonly drawn: KpiName }) {
  const { formatMessage } = useIntl();
  const unmeasured = figures.filter(isUnmeasured);
  const measured = figures.filter((one) => !isUnmeasured(one));
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.figures" />
      </h2>
      {measured.length === 0 ? null : (
        <div className={styles["figures"]} role="group" aria-label={formatMessage({ id: "kpis.figures" })}>
          {measured.map((one) => (
            <Figure key={one.name} figure={one} isDrawn={one.name === drawn} />
          ))}
        </div>
      )}
      {unmeasured.length === 0 ? null : <Unmeasured figures={unmeasured} drawn={drawn} />}
    </section>
  );
}

function Unmeasured({ figures, drawn }: { readonly figures: readonly FigureNow[]; readonly drawn: KpiName }) {
  const { formatMessage, formatList } = useIntl();
  const groups = reasons.flatMap((reason) => {
    const names = figures
      .filter(({ kpi }) => whyUnmeasured(kpi).reason === reason)
      .map(({ kpi }) => shortName(formatMessage({ id: `kpis.kpi.${kpi}` })));
    return names.length === 0 ? [] : [formatMessage({ id: "kpis.unmeasured.group" }, { names: formatList(names), reason })];
  });
  return (
    <Disclosure className={styles["unmeasured"] ?? ""}>
      <Heading level={3} className={styles["objective-heading"]}>
        <Button slot="trigger" className={styles["objective-button"] ?? ""}>
          <span className={styles["chevron"]} aria-hidden="true" />
          <span className="quiet">
            <FormattedMessage id="kpis.unmeasured" values={{ groups: groups.join("; ") }} />
          </span>
        </Button>
      </Heading>
      <DisclosurePanel>
        <div className={styles["figures"]} role="group" aria-label={formatMessage({ id: "kpis.unmeasured.figures" })}>
          {figures.map((one) => (
            <Figure key={one.name} figure={one} isDrawn={one.name === drawn} />
          ))}
        </div>
      </DisclosurePanel>
    </Disclosure>
  );
}

/** Within a list the percentile would be one more comma, and where nothing is measured it says nothing. */
function shortName(name: string): string {
  return name.replace(/, p95$/, "");
}

function Figure({ figure: { name, kpi, unit, now, before }, isDrawn }: { readonly figure: FigureNow; readonly isDrawn: boolean }) {
  const intl = useIntl();
  const navigate = useNavigate({ from: "/kpis" });
  const change = changeText(now, before, { unit, intl });
  return (
    <ToggleButton
      className={styles["figure"] ?? ""}
      isSelected={isDrawn}
      onChange={() => void navigate({ search: (present) => ({ ...present, kpi: name }), replace: true, resetScroll: false })}
    >
      <span className={styles["figure-name"]}>
        <FormattedMessage id={`kpis.kpi.${kpi}`} />
      </span>
      <span className={styles["figure-value"]}>{figureText(now, unit, intl)}</span>
      <span className="quiet">
        {isUnmeasured({ now, before }) ? (
          <FormattedMessage id="kpis.unmeasured.why" values={whyUnmeasured(kpi)} />
        ) : change === null ? (
          <FormattedMessage id={now === null ? "kpis.no-samples" : before === null ? "kpis.new" : "kpis.unchanged"} />
        ) : (
          <FormattedMessage
            id="kpis.change"
            values={{ change, tendency: (now ?? 0) > (before ?? 0) === isMoreBetter(kpi) ? "better" : "worse" }}
          />
        )}
      </span>
    </ToggleButton>
  );
}
