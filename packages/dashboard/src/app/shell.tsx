import { Link, Outlet, useLocation, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
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
  const menu = useActiveInView();
  const path = useLocation({ select: ({ pathname }) => pathname });
  return (
    <header className={styles["header"]}>
      <Link to="/" className={styles["brand"]} aria-label="Quiesce">
        <img src="/icon.svg" alt="" width="24" height="24" />
        <span aria-hidden="true">Quiesce</span>
      </Link>
      <nav ref={menu} className={styles["menu"]} aria-label={formatMessage({ id: "app.menu" })}>
        {places
          .filter(({ isHidden }) => isHidden !== true)
          .map(({ to, title, has = [] }) => (
            <Link
              key={to}
              to={to}
              className={styles["place"]}
              activeOptions={{ exact: to === "/" }}
              aria-current={has.some((page) => path === page || path.startsWith(`${page}/`)) ? "page" : undefined}
            >
              <FormattedMessage id={title} />
            </Link>
          ))}
      </nav>
      <PalettePlace />
      <PersonMenu />
    </header>
  );
}

/** Where there is no room for all places the active one is scrolled to the middle of the menu: it says where somebody is. */
function useActiveInView() {
  const menu = useRef<HTMLElement>(null);
  const router = useRouter();
  const { locale } = useIntl();
  useEffect(() => {
    const show = () => {
      const frame = menu.current;
      const active = frame?.querySelector<HTMLElement>('[aria-current="page"]') ?? null;
      if (frame === null || active === null) return;
      frame.scrollLeft = active.offsetLeft - frame.offsetLeft - (frame.clientWidth - active.offsetWidth) / 2;
    };
    show();
    // After the links know which of them is active, and after the router has put every scrolled element back to where it was.
    return router.subscribe("onRendered", show);
  }, [locale, router]);
  return menu;
}
