import { useIntl } from "react-intl";
import { useTimes } from "../app/times.js";
import { Status } from "../components/status.js";
import type { ListedReviewFragment } from "./reviews.generated.js";

/** Whether it is open, late, being carried out, or closed. */
export function ReviewStatus({ review }: { readonly review: ListedReviewFragment }) {
  const { formatMessage } = useIntl();
  const times = useTimes();
  const { closedAt, closingAt, closedBy, isOverdue, dueAt } = review;
  if (closedAt !== null)
    return (
      <Status tone="quiet">
        {formatMessage({ id: "administration.review.closed" }, { at: times.instant(closedAt), by: closedBy ?? "" })}
      </Status>
    );
  if (closingAt !== null) return <Status tone="resuming">{formatMessage({ id: "administration.review.closing" })}</Status>;
  return (
    <Status tone={isOverdue ? "failing" : "held"}>
      {formatMessage({ id: isOverdue ? "administration.review.late" : "administration.review.until" }, { at: times.day(dueAt) })}
    </Status>
  );
}
