import { Link, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { Choice } from "../components/choice.js";
import { CommandButton } from "../components/command-button.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty } from "../components/states.js";
import { Read } from "./reading.js";
import { Decisions } from "./review-decisions.js";
import { ReviewItems } from "./review-items.js";
import { ReviewStatus } from "./review-status.js";
import { CloseReviewDocument, type ListedReviewFragment, ReviewPageDocument } from "./reviews.generated.js";
import { AdministrationPage } from "./rooms.js";
import styles from "./administration.module.css";

const filters = ["ALL", "UNDECIDED", "SUGGESTED"] as const;
type Filter = (typeof filters)[number];
const filterOf: { readonly [filter in Filter]: { readonly decided?: boolean; readonly suggested?: boolean } } = {
  ALL: {},
  UNDECIDED: { decided: false },
  SUGGESTED: { suggested: true },
};

/** One review: each account and token, what speaks against it, and what was decided. */
export function ReviewPage() {
  const { key } = useParams({ from: "/administration/reviews/$key" });
  const { formatMessage } = useIntl();
  const [filter, setFilter] = useState<Filter>("ALL");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const pages = usePages();
  const variables = useMemo(() => ({ key, filter: filterOf[filter], after: pages.after }), [key, filter, pages.after]);
  const reading = useLiveQuery(ReviewPageDocument, variables, { kinds: ["access-review.*"] });
  const review = reading.data?.accessReview ?? null;
  const isOpen = review !== null && review.closedAt === null && review.closingAt === null;
  const title =
    review === null
      ? formatMessage({ id: "administration.reviews" })
      : formatMessage(
          { id: "administration.review.title" },
          { title: review.title, undecided: review.undecidedCount, items: review.itemCount },
        );
  return (
    <AdministrationPage title={title} actions={review !== null && isOpen ? <Close review={review} onDone={reading.again} /> : undefined}>
      <Read reading={reading}>
        {() =>
          review === null ? (
            <Empty
              action={
                <Link to="/administration/reviews" className="button">
                  <FormattedMessage id="administration.reviews" />
                </Link>
              }
            >
              <FormattedMessage id="administration.review.unknown" values={{ key }} />
            </Empty>
          ) : (
            <>
              <About review={review} />
              <div className={styles["filters"]}>
                <Choice
                  label={formatMessage({ id: "administration.review.show" })}
                  value={filter}
                  options={filters.map((id) => ({ id, text: formatMessage({ id: `administration.review.show.${id}` }) }))}
                  onChange={(one) => {
                    setFilter(one);
                    setChosen(new Set());
                    pages.restart();
                  }}
                />
              </div>
              {isOpen ? (
                <Decisions
                  review={review.key}
                  chosen={chosen}
                  onDone={() => {
                    setChosen(new Set());
                    reading.again();
                  }}
                />
              ) : null}
              <ReviewItems items={review.items.nodes} unusedDays={review.unusedDays} chosen={isOpen ? chosen : null} onChoose={setChosen} />
              <PageButtons pages={pages} pageInfo={review.items.pageInfo} />
            </>
          )
        }
      </Read>
    </AdministrationPage>
  );
}

function About({ review }: { readonly review: ListedReviewFragment }) {
  const { formatMessage } = useIntl();
  const { reason, reviewers, unusedDays, hash } = review;
  return (
    <>
      <p>
        <ReviewStatus review={review} />
      </p>
      <p className="quiet">
        {reason === null ? null : `${reason} · `}
        {formatMessage(
          { id: "administration.review.about" },
          { reviewers: reviewers.length === 0 ? "none" : reviewers.join(", "), days: unusedDays },
        )}
        {hash === null ? null : (
          <>
            {" · SHA-256 "}
            <code>{hash}</code>
          </>
        )}
      </p>
    </>
  );
}

const undecided = ["STOP", "KEEP", "REVOKE"] as const;

function Close({ review: { key, title, undecidedCount }, onDone }: { readonly review: ListedReviewFragment; readonly onDone: () => void }) {
  const { formatMessage } = useIntl();
  const [rest, setRest] = useState<(typeof undecided)[number]>("STOP");
  return (
    <CommandButton
      document={CloseReviewDocument}
      variables={(reason) => ({ input: { key, reason, undecided: rest === "STOP" ? null : rest } })}
      onDone={onDone}
      label={formatMessage({ id: "administration.review.close" })}
      title={formatMessage({ id: "administration.review.close.title" }, { title })}
      words={formatMessage({ id: "administration.review.close.words" }, { undecided: undecidedCount })}
      isDangerous
    >
      {() =>
        undecidedCount === 0 ? null : (
          <Choice
            label={formatMessage({ id: "administration.review.undecided" })}
            value={rest}
            options={undecided.map((id) => ({ id, text: formatMessage({ id: `administration.review.undecided.${id}` }) }))}
            onChange={setRest}
          />
        )
      }
    </CommandButton>
  );
}
