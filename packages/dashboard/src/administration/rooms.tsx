import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { Page } from "../components/page.js";
import styles from "./administration.module.css";

const rooms = [
  { to: "/administration/endpoints", title: "administration.endpoints" },
  { to: "/administration/connectors", title: "administration.connectors" },
  { to: "/administration/accounts", title: "administration.accounts" },
  { to: "/administration/tokens", title: "administration.tokens" },
  { to: "/administration/reviews", title: "administration.reviews" },
  { to: "/administration/audit", title: "administration.audit" },
  { to: "/administration/deployment", title: "administration.deployment" },
] as const;

/** A page of the administration: its sentence, the way to the other ones, and what is in it. */
export function AdministrationPage({
  title,
  actions,
  children,
}: {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  const { formatMessage } = useIntl();
  return (
    <Page title={title} actions={actions}>
      <nav className={styles["rooms"]} aria-label={formatMessage({ id: "administration.menu" })}>
        {rooms.map(({ to, title: room }) => (
          <Link key={to} to={to} className={styles["room"]}>
            <FormattedMessage id={room} />
          </Link>
        ))}
      </nav>
      {children}
    </Page>
  );
}
