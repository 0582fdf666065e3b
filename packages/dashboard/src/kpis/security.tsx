import { Link } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { ErrorState, Loading } from "../components/states.js";
import { Status } from "../components/status.js";
import { SecurityScoreDocument, type SecurityScoreQuery } from "./care.generated.js";
import type { Question } from "./kpis-page.js";
import { type PartLoss, securityLosses } from "./security-losses.js";
import styles from "./kpis.module.css";

type Score = SecurityScoreQuery["securityScore"];

const kinds = ["endpoint.*", "credential.*", "access-review.*", "catalogue.applied"];
/** Where somebody can do something about a part. */
const rooms: { readonly [part in PartLoss["part"]]: "/administration/endpoints" | "/administration/reviews" } = {
  CREDENTIAL_AGE: "/administration/endpoints",
  TLS: "/administration/endpoints",
  CERTIFICATE: "/administration/endpoints",
  ENCRYPTED_ENDPOINTS: "/administration/endpoints",
  ACCESS_REVIEW: "/administration/reviews",
  LEAST_PRIVILEGE: "/administration/reviews",
};

/** How well access to the systems of the scope is kept, as of now, and what lowers it: the most expensive first. */
export function Security({ question: { variables } }: { readonly question: Question }) {
  const { data, refusal, again } = useLiveQuery(SecurityScoreDocument, { scope: variables.scope }, { kinds });
  const score = data?.securityScore;
  return (
    <section>
      <h2>
        <FormattedMessage id="kpis.security" />
      </h2>
      {refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />}
      {score === undefined ? (
        refusal === null ? (
          <Loading />
        ) : null
      ) : score.score === null ? (
        <p className="quiet">
          <FormattedMessage id="kpis.security.none" />
        </p>
      ) : (
        <Told score={score} points={score.score} />
      )}
    </section>
  );
}

function Told({ score: { endpoints, parts, caps }, points }: { readonly score: Score; readonly points: number }) {
  const intl = useIntl();
  const whole = (value: number) => intl.formatNumber(value, { maximumFractionDigits: 1 });
  return (
    <>
      <p>
        <span className={styles["level-value"]}>{whole(points)}</span>{" "}
        <FormattedMessage id="kpis.security.of" values={{ count: endpoints }} />
      </p>
      {caps.map(({ reason, most }) => (
        <p key={reason}>
          <Status tone="failing">{intl.formatMessage({ id: `kpis.security.cap.${reason}` }, { most })}</Status>
        </p>
      ))}
      <div className={styles["table-frame"]} tabIndex={0} role="region" aria-label={intl.formatMessage({ id: "kpis.security.parts" })}>
        <table className={`${styles["table"]} ${styles["narrow"]}`}>
          <thead>
            <tr>
              <th scope="col">
                <FormattedMessage id="kpis.security.part" />
              </th>
              <th scope="col" className={styles["number"]}>
                <FormattedMessage id="kpis.security.lost" />
              </th>
              <th scope="col">
                <FormattedMessage id="kpis.security.found" />
              </th>
            </tr>
          </thead>
          <tbody>
            {securityLosses(parts).map(({ part, lost, judged, bad }) => (
              <tr key={part}>
                <th scope="row">
                  {lost === null || lost === 0 ? (
                    <FormattedMessage id={`kpis.security.${part}`} />
                  ) : (
                    <Link to={rooms[part]}>
                      <FormattedMessage id={`kpis.security.${part}`} />
                    </Link>
                  )}
                </th>
                <td className={styles["number"]}>{lost === null || lost === 0 ? "–" : `−${whole(lost)}`}</td>
                <td>
                  {lost === null ? (
                    <span className="quiet">
                      <FormattedMessage id="kpis.security.not-here" />
                    </span>
                  ) : (
                    <FormattedMessage id="kpis.security.bad" values={{ bad, judged, part }} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
