import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { CommandButton } from "../components/command-button.js";
import { type GrantInput, GrantsField } from "./grants.js";
import { DecideAccessDocument } from "./reviews.generated.js";
import styles from "./administration.module.css";

const decisions = ["KEEP", "NARROW", "REVOKE"] as const;

/** What can be decided about the items that are marked. */
export function Decisions({
  review,
  chosen,
  onDone,
}: {
  readonly review: string;
  readonly chosen: ReadonlySet<string>;
  readonly onDone: () => void;
}) {
  const { formatMessage } = useIntl();
  const [grants, setGrants] = useState<readonly GrantInput[]>([]);
  return (
    <div className={styles["decisions"]} role="group" aria-label={formatMessage({ id: "administration.decide" })}>
      <span role="status">
        <FormattedMessage id="administration.decide.chosen" values={{ count: chosen.size }} />
      </span>
      {decisions.map((decision) => (
        <CommandButton
          key={decision}
          document={DecideAccessDocument}
          variables={(reason) => ({
            input: {
              review,
              decision,
              reason,
              items: [...chosen],
              grants: decision === "NARROW" && grants.length > 0 ? [...grants] : null,
            },
          })}
          onDone={onDone}
          onClosed={() => setGrants([])}
          label={formatMessage({ id: `administration.decide.${decision}` })}
          title={formatMessage({ id: `administration.decide.${decision}.title` }, { count: chosen.size })}
          words={formatMessage({ id: `administration.decide.${decision}.words` })}
          isDangerous={decision === "REVOKE"}
          isDisabled={chosen.size === 0}
        >
          {() => (decision === "NARROW" ? <GrantsField grants={grants} onChange={setGrants} /> : null)}
        </CommandButton>
      ))}
    </div>
  );
}
