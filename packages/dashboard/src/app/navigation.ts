import type { MessageDescriptor } from "react-intl";

/** A place in the menu and in the palette. */
export interface Place {
  readonly to: string;
  readonly title: NonNullable<MessageDescriptor["id"]>;
  /** Found by the palette as well, in the reader's language. */
  readonly words?: NonNullable<MessageDescriptor["id"]>;
  /** Only in the palette. */
  readonly isHidden?: true;
}

/** In the order of the menu. */
export const places: readonly Place[] = [
  { to: "/", title: "now.menu" },
  { to: "/windows", title: "windows.menu", words: "windows.words" },
];
