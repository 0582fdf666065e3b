import { type ReactNode, useEffect, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { type IntlConfig, IntlProvider } from "react-intl";
import { type Language, usePreferences } from "./preferences.js";

type Texts = { readonly [id: string]: string };

const load: { readonly [language in Language]: () => Promise<{ readonly default: Texts }> } = {
  en: () => import("../messages/en.js"),
  es: () => import("../messages/es.js"),
};
/** Operators read 02:00, not 2:00 AM. */
const locales: { readonly [language in Language]: string } = { en: "en-GB", es: "es-ES" };

/** The texts of the chosen language; nothing is shown before they are there, and the old ones stay until the new ones are. */
export function Messages({ children }: { readonly children: ReactNode }) {
  const { language } = usePreferences();
  const [shown, setShown] = useState<{ readonly language: Language; readonly messages: Texts } | null>(null);
  useEffect(() => {
    let isCurrent = true;
    void load[language]().then(({ default: messages }) => {
      if (isCurrent) setShown({ language, messages });
    });
    return () => {
      isCurrent = false;
    };
  }, [language]);
  if (shown === null) return null;
  const locale = locales[shown.language];
  return (
    <I18nProvider locale={locale}>
      <IntlProvider locale={locale} messages={shown.messages as IntlConfig["messages"]} onError={refuseMissing}>
        {children}
      </IntlProvider>
    </I18nProvider>
  );
}

/** A test compares the ids of both languages; whatever passes it is a fault of ours, and shows its id. */
function refuseMissing(error: unknown): void {
  console.error(error);
}
