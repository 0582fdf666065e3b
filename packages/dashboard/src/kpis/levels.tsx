import { FormattedMessage, useIntl } from "react-intl";
import type { ServiceLevelsBeforeQuery, ServiceLevelsQuery } from "./kpis.generated.js";
import { availabilityText, changeText, wholeLength } from "./units.js";
import styles from "./kpis.module.css";

type Report = ServiceLevelsQuery["slaReport"];

/** Net and gross side by side, each beside the period before. */
export function Levels({ report, before }: { readonly report: Report; readonly before: ServiceLevelsBeforeQuery["slaReport"] | null }) {
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.levels" />
      </h2>
      <div className={styles["levels"]}>
        <Level which="net" report={report} before={before?.net.availability ?? null} />
        <Level which="gross" report={report} before={before?.gross.availability ?? null} />
      </div>
    </section>
  );
}

function Level({ which, report, before }: { readonly which: "net" | "gross"; readonly report: Report; readonly before: number | null }) {
  const intl = useIntl();
  const { availability, coverage, downMs, excludedMs } = report[which];
  const change = changeText(availability, before, { unit: "share", intl });
  return (
    <div className={styles["level"]}>
      <span className={styles["level-name"]}>
        <FormattedMessage id={`kpis.${which}`} />
      </span>
      <span className={styles["level-value"]}>{availabilityText(availability, intl)}</span>
      <span className="quiet">
        {before === null ? (
          <FormattedMessage id="kpis.before.none" />
        ) : (
          <FormattedMessage id="kpis.before" values={{ before: availabilityText(before, intl), change: change ?? "none" }} />
        )}
      </span>
      <span className="quiet">
        <FormattedMessage
          id={`kpis.level.${which}`}
          values={{ down: wholeLength(downMs), excluded: wholeLength(excludedMs), coverage: availabilityText(coverage, intl) }}
        />
      </span>
    </div>
  );
}
