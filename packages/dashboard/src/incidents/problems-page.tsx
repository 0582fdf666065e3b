import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { Checkbox } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Page } from "../components/page.js";
import { PageButtons, usePages } from "../components/pages.js";
import { Empty, ErrorState, Loading } from "../components/states.js";
import { ProblemsDocument, type ProblemState } from "./problems.generated.js";
import { Tabs } from "./tabs.js";
import styles from "./incidents.module.css";

const PAGE_SIZE = 50;
const open: ProblemState[] = ["OPEN", "KNOWN_ERROR"];
const kinds = ["incident.problem-linked", "incident.problem-updated"];

/** What comes again and again. */
export function ProblemsPage() {
  const { closed = false } = useSearch({ from: "/problems" });
  const navigate = useNavigate({ from: "/problems" });
  const { formatMessage } = useIntl();
  return (
    <Page title={formatMessage({ id: "incidents.problems.title" })}>
      <Tabs />
      <search className={styles["filters"]}>
        <Checkbox
          className="checkbox"
          isSelected={closed}
          onChange={(isShown) => void navigate({ search: isShown ? { closed: true } : {}, replace: true })}
        >
          <span className="checkbox-box" aria-hidden="true" />
          <FormattedMessage id="incidents.problems.closed" />
        </Checkbox>
      </search>
      <List key={String(closed)} isClosedShown={closed} />
    </Page>
  );
}

function List({ isClosedShown }: { readonly isClosedShown: boolean }) {
  const times = useTimes();
  const pages = usePages();
  const { after } = pages;
  const variables = useMemo(() => ({ states: isClosedShown ? null : open, first: PAGE_SIZE, after }), [isClosedShown, after]);
  const { data, refusal, again } = useLiveQuery(ProblemsDocument, variables, { kinds });
  if (data === undefined) return refusal === null ? <Loading /> : <ErrorState refusal={refusal} onAgain={again} />;
  const { nodes, pageInfo } = data.problems;
  if (nodes.length === 0)
    return (
      <Empty>
        <FormattedMessage id="incidents.problems.none" />
      </Empty>
    );
  return (
    <>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      <ul className={styles["list"]}>
        {nodes.map(({ id, key, title, state, root, system, cause, openedAt }) => (
          <li key={id} className={styles["row"]}>
            <span className={styles["name"]}>
              <Link to="/problems/$key" params={{ key }}>
                {title}
              </Link>
              <span className="quiet">
                <FormattedMessage id="incidents.problem.row" values={{ key, root: system?.name ?? root, since: times.instant(openedAt) }} />
              </span>
            </span>
            <span className={styles["cell"]}>
              <FormattedMessage id={`incidents.problem.state.${state}`} />
            </span>
            <span className={styles["cell"]}>{cause ?? ""}</span>
          </li>
        ))}
      </ul>
      <PageButtons pages={pages} pageInfo={pageInfo} />
    </>
  );
}
