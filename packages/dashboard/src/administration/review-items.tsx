import { Checkbox } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { actorText } from "../app/actor-text.js";
import { useTimes } from "../app/times.js";
import { ServerText } from "../components/server-text.js";
import { Empty } from "../components/states.js";
import { Status, type StatusTone } from "../components/status.js";
import { Grants, grantText } from "./grants.js";
import type { ReviewPageQuery } from "./reviews.generated.js";
import styles from "./administration.module.css";

type Item = NonNullable<ReviewPageQuery["accessReview"]>["items"]["nodes"][number];

const tones: { readonly [decision in NonNullable<Item["decision"]>]: StatusTone } = { KEEP: "quiesced", NARROW: "held", REVOKE: "failing" };

/** The items of a page; `chosen` is null where nothing can be decided any more. */
export function ReviewItems({
  items,
  unusedDays,
  chosen,
  onChoose,
}: {
  readonly items: readonly Item[];
  /** So many days without use count as unused in this review. */
  readonly unusedDays: number;
  readonly chosen: ReadonlySet<string> | null;
  readonly onChoose: (chosen: ReadonlySet<string>) => void;
}) {
  if (items.length === 0)
    return (
      <Empty>
        <FormattedMessage id="administration.review.empty" />
      </Empty>
    );
  const choose = (key: string, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(key);
    else next.delete(key);
    onChoose(next);
  };
  return (
    <ul className={styles["list"]}>
      {items.map((item) => (
        <li key={item.key} className={styles["item"]}>
          <Who item={item} isChosen={chosen?.has(item.key) ?? null} onChoose={(isChosen) => choose(item.key, isChosen)} />
          <Suggestions item={item} unusedDays={unusedDays} />
          <Decision item={item} />
        </li>
      ))}
    </ul>
  );
}

function Who({
  item,
  isChosen,
  onChoose,
}: {
  readonly item: Item;
  readonly isChosen: boolean | null;
  readonly onChoose: (isChosen: boolean) => void;
}) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { account, token, subject, grants, lastUsedAt, owner } = item;
  const name = token === null ? account : formatMessage({ id: "administration.review.token" }, { token, account });
  return (
    <span className={styles["part"]}>
      {isChosen === null ? (
        <span className={styles["name"]}>{name}</span>
      ) : (
        <Checkbox className="checkbox" isSelected={isChosen} onChange={onChoose}>
          <span className="checkbox-box" aria-hidden="true" />
          <span className={styles["name"]}>{name}</span>
        </Checkbox>
      )}
      <span className="quiet">
        {formatMessage({ id: `administration.subject.${subject}` })}
        {owner === null ? null : ` · ${formatMessage({ id: "administration.owner" }, { owner })}`}
        {` · ${formatMessage({ id: "administration.token.used" }, { at: lastUsedAt === null ? "none" : times.instant(lastUsedAt) })}`}
      </span>
      <Grants grants={grants} />
    </span>
  );
}

function Suggestions({
  item: { suggestions, used, subject, owner, lastUsedAt },
  unusedDays,
}: {
  readonly item: Item;
  readonly unusedDays: number;
}) {
  const intl = useIntl();
  const times = useTimes();
  const facts = {
    subject,
    owner: owner ?? "",
    days: unusedDays,
    at: lastUsedAt === null ? "" : times.instant(lastUsedAt),
    used: used.length === 0 ? "none" : intl.formatList(used.map(({ action }) => action)),
  };
  return (
    <span className={styles["part"]}>
      {suggestions.length === 0 ? (
        <span className="quiet">
          <FormattedMessage id="administration.review.unsuspicious" values={{ count: used.length }} />
        </span>
      ) : (
        <ul className={styles["lines"]}>
          {suggestions.map(({ finding, decision, reason, grants }) => (
            <li key={finding}>
              <Status tone={decision === null ? "quiet" : tones[decision]}>
                {intl.formatMessage({ id: `administration.finding.${finding}` })}
              </Status>
              <span className={styles["why"]}>
                <ServerText
                  id={`server.suggestion.${finding}`}
                  values={{ ...facts, provider: finding === "EXCESSIVE" && decision === null ? "yes" : "no" }}
                  message={reason}
                />
              </span>
              {grants === null || decision !== "NARROW" ? null : (
                <>
                  {" "}
                  <FormattedMessage
                    id="administration.review.narrower"
                    values={{ grants: intl.formatList(grants.map((grant) => grantText(grant, intl))) }}
                  />
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </span>
  );
}

function Decision({ item: { decision, decidedBy, decidedAt, reason, outcome, left } }: { readonly item: Item }) {
  const intl = useIntl();
  const { formatMessage } = intl;
  const times = useTimes();
  if (decision === null)
    return (
      <span className="quiet">
        <FormattedMessage id="administration.review.open-item" />
      </span>
    );
  return (
    <span className={styles["part"]}>
      <Status tone={tones[decision]}>{formatMessage({ id: `administration.decided.${decision}` })}</Status>
      <span className="quiet">
        {[decidedBy === null ? null : actorText(decidedBy, intl), decidedAt === null ? null : times.instant(decidedAt), reason]
          .filter((part) => part !== null)
          .join(" · ")}
      </span>
      {left === null ? null : <Grants grants={left} />}
      {outcome === null ? null : <span>{formatMessage({ id: `administration.outcome.${outcome}` })}</span>}
    </span>
  );
}
