import { Link, Outlet, useSearch } from "@tanstack/react-router";
import { FormattedMessage, useIntl } from "react-intl";
import { ConnectionBanner } from "./connection-banner.js";
import { places } from "./navigation.js";
import { PalettePlace } from "./palette-place.js";
import { PersonMenu } from "./person-menu.js";
import { SignedIn } from "./session.js";
import styles from "./shell.module.css";

/** What stands around every page: the menu, the palette, who is signed in, and whether what is shown is the present. */
export function Shell() {
  const isWall = useSearch({ strict: false }).wall === true;
  return (
    <SignedIn>
      <a className="skip" href="#main">
        <FormattedMessage id="app.skip" />
      </a>
      {isWall ? null : <Header />}
      <ConnectionBanner />
      <main id="main" tabIndex={-1} className={isWall ? styles["wall"] : styles["main"]}>
        <Outlet />
      </main>
    </SignedIn>
  );
}

function Header() {
  const { formatMessage } = useIntl();
  return (
    <header className={styles["header"]}>
      <Link to="/" className={styles["brand"]} aria-label="Quiesce">
        <img src="/icon.svg" alt="" width="24" height="24" />
        <span aria-hidden="true">Quiesce</span>
      </Link>
      <nav className={styles["menu"]} aria-label={formatMessage({ id: "app.menu" })}>
        {places
          .filter(({ isHidden }) => isHidden !== true)
          .map(({ to, title }) => (
            <Link key={to} to={to} className={styles["place"]} activeOptions={{ exact: to === "/" }}>
              <FormattedMessage id={title} />
            </Link>
          ))}
      </nav>
      <PalettePlace />
      <PersonMenu />
    </header>
  );
}
