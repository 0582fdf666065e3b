import { createLiveValue } from "@quiesce/client";
import { useSyncExternalStore } from "react";

/** Languages that are complete; a test compares them. */
export const languages = ["en", "es"] as const;
export type Language = (typeof languages)[number];
export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** What somebody chose for this browser. */
export interface Preferences {
  readonly language: Language;
  readonly theme: Theme;
}

const STORE_KEY = "quiesce.preferences";
const preferences = createLiveValue<Preferences>(stored());
apply(preferences.get());

export function usePreferences(): Preferences {
  return useSyncExternalStore(preferences.subscribe, preferences.get);
}

export function choosePreferences(change: Partial<Preferences>): void {
  const next = { ...preferences.get(), ...change };
  preferences.set(next);
  apply(next);
  localStorage.setItem(STORE_KEY, JSON.stringify(next));
}

function stored(): Preferences {
  const usual: Preferences = { language: browserLanguage(), theme: "system" };
  try {
    const found = JSON.parse(localStorage.getItem(STORE_KEY) ?? "{}") as Partial<Record<keyof Preferences, unknown>>;
    return {
      language: languages.find((one) => one === found.language) ?? usual.language,
      theme: themes.find((one) => one === found.theme) ?? usual.theme,
    };
  } catch {
    // Somebody wrote something else there: it is as if nothing were chosen.
    return usual;
  }
}

function browserLanguage(): Language {
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2));
  return wanted.flatMap((tag) => languages.filter((one) => one === tag))[0] ?? "en";
}

function apply({ language, theme }: Preferences): void {
  document.documentElement.lang = language;
  document.documentElement.dataset["theme"] = theme;
}
