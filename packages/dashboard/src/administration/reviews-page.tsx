import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { CommandButton } from "../components/command-button.js";
import { DayField } from "../components/date-fields.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty } from "../components/states.js";
import { Field } from "../components/text-field.js";
import { instantOf, localAt } from "../windows/clock-change.js";
import { Read } from "./reading.js";
import { ReviewStatus } from "./review-status.js";
import { type ListedReviewFragment, OpenReviewDocument, ReviewsDocument } from "./reviews.generated.js";
import { AdministrationPage } from "./rooms.js";
import styles from "./administration.module.css";

const MONTH_MS = 30 * 86_400_000;

/** Reviews of who may do what, the newest first. */
export function ReviewsPage() {
  const { formatMessage } = useIntl();
  const pages = usePages();
  const reading = useLiveQuery(ReviewsDocument, { after: pages.after }, { kinds: ["access-review.*"] });
  return (
    <AdministrationPage title={formatMessage({ id: "administration.reviews.title" })} actions={<Begin />}>
      <Read reading={reading}>
        {({ accessReviews: { nodes, pageInfo } }) => (
          <>
            {nodes.length === 0 ? (
              <Empty>
                <FormattedMessage id="administration.reviews.none" />
              </Empty>
            ) : (
              <ul className={styles["list"]}>
                {nodes.map((review) => (
                  <Line key={review.id} review={review} />
                ))}
              </ul>
            )}
            <PageButtons pages={pages} pageInfo={pageInfo} />
          </>
        )}
      </Read>
    </AdministrationPage>
  );
}

function Line({ review }: { readonly review: ListedReviewFragment }) {
  const times = useTimes();
  const { key, title, openedBy, openedAt, itemCount, undecidedCount, suggestedCount } = review;
  return (
    <li className={styles["item"]}>
      <span className={styles["part"]}>
        <Link to="/administration/reviews/$key" params={{ key }}>
          {title}
        </Link>
        <span className="quiet">
          <FormattedMessage id="administration.review.opened" values={{ by: openedBy, at: times.instant(openedAt) }} />
        </span>
      </span>
      <span>
        <FormattedMessage
          id="administration.review.counts"
          values={{ items: itemCount, undecided: undecidedCount, suggested: suggestedCount }}
        />
      </span>
      <ReviewStatus review={review} />
    </li>
  );
}

function Begin() {
  const { formatMessage } = useIntl();
  const { ownZone } = useTimes();
  const navigate = useNavigate();
  const [title, setTitle] = useState("");
  const [due, setDue] = useState(() => localAt(Date.now() + MONTH_MS, ownZone).slice(0, 10));
  const [reviewers, setReviewers] = useState("");
  const [unusedDays, setUnusedDays] = useState("90");
  const dueAt = instantOf(`${due}T23:59`, ownZone);
  const names = reviewers
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return (
    <CommandButton
      document={OpenReviewDocument}
      variables={(reason) =>
        dueAt === null
          ? null
          : {
              input: {
                title: title.trim(),
                dueAt,
                reason: reason === "" ? null : reason,
                reviewers: names.length === 0 ? null : names,
                unusedDays: Math.trunc(Number(unusedDays)),
              },
            }
      }
      onDone={({ openAccessReview: { key } }) => void navigate({ to: "/administration/reviews/$key", params: { key } })}
      label={formatMessage({ id: "administration.review.open" })}
      title={formatMessage({ id: "administration.review.open" })}
      words={formatMessage({ id: "administration.review.open.words" })}
      reason="optional"
      isPrimary
    >
      {() => (
        <>
          <Field label={formatMessage({ id: "administration.review.name" })} value={title} onChange={setTitle} isRequired maxLength={200} />
          <DayField
            label={formatMessage({ id: "administration.review.due" })}
            value={due}
            onChange={setDue}
            isRequired
            error={dueAt === null ? formatMessage({ id: "windows.missing" }) : null}
          />
          <Field
            label={formatMessage({ id: "administration.review.reviewers" })}
            hint={formatMessage({ id: "administration.review.reviewers.hint" })}
            value={reviewers}
            onChange={setReviewers}
            maxLength={1_000}
          />
          <Field
            label={formatMessage({ id: "administration.review.unused" })}
            type="number"
            value={unusedDays}
            onChange={setUnusedDays}
            isRequired
          />
        </>
      )}
    </CommandButton>
  );
}
