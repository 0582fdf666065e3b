import { Menu, MenuItem, MenuSection, MenuTrigger, Popover, Separator, Header as SectionHeader } from "react-aria-components";
import { FormattedMessage, useIntl } from "react-intl";
import { Button } from "../components/button.js";
import { forgetToken } from "./connection.js";
import { choosePreferences, type Language, languages, themes, type Theme, usePreferences } from "./preferences.js";
import { useSession } from "./session.js";
import styles from "./person-menu.module.css";

const languageNames: { readonly [language in Language]: string } = { en: "English", es: "Español" };

/** Who is signed in, the language, the colours, and the way out. */
export function PersonMenu() {
  const { name } = useSession();
  const { language, theme } = usePreferences();
  const { formatMessage } = useIntl();
  return (
    <MenuTrigger>
      <Button isQuiet aria-label={formatMessage({ id: "app.person" }, { name })}>
        <span aria-hidden="true" className={styles["face"]}>
          {name.slice(0, 1).toUpperCase()}
        </span>
      </Button>
      <Popover placement="bottom end" className="popover">
        <Menu className="menu" aria-label={formatMessage({ id: "app.person" }, { name })}>
          <MenuSection
            selectionMode="single"
            selectedKeys={[language]}
            onSelectionChange={(keys) => chosen(keys, languages, (one) => choosePreferences({ language: one }))}
          >
            <SectionHeader>
              <FormattedMessage id="app.language" />
            </SectionHeader>
            {languages.map((one) => (
              <MenuItem key={one} id={one} className="menu-item" textValue={languageNames[one]}>
                <span lang={one}>{languageNames[one]}</span>
              </MenuItem>
            ))}
          </MenuSection>
          <Separator />
          <MenuSection
            selectionMode="single"
            selectedKeys={[theme]}
            onSelectionChange={(keys) => chosen(keys, themes, (one: Theme) => choosePreferences({ theme: one }))}
          >
            <SectionHeader>
              <FormattedMessage id="app.theme" />
            </SectionHeader>
            {themes.map((one) => (
              <MenuItem key={one} id={one} className="menu-item">
                <FormattedMessage id={`app.theme.${one}`} />
              </MenuItem>
            ))}
          </MenuSection>
          <Separator />
          <MenuItem id="sign-out" className="menu-item" onAction={() => void signOut()}>
            <FormattedMessage id="app.sign-out" />
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function chosen<T extends string>(keys: "all" | ReadonlySet<unknown>, of: readonly T[], choose: (one: T) => void): void {
  if (keys === "all") return;
  const found = of.find((one) => keys.has(one));
  if (found !== undefined) choose(found);
}

async function signOut(): Promise<void> {
  forgetToken();
  await fetch("/auth/sign-out", { method: "POST" });
  // A new page: nothing of what this person saw stays in memory.
  location.assign("/");
}
