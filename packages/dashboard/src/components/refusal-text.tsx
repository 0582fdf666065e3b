import type { Refusal } from "@quiesce/client";
import { FormattedMessage, useIntl } from "react-intl";

/** A message as the build has parsed it. */
type Parsed = readonly { readonly type: number; readonly value?: unknown; readonly options?: unknown }[];
const LITERAL = 0;
const POUND = 7;

/**
 * What a refusal says, in the language of the page where that has words for its code and the server gave the values that they want; else in the
 * server's own words, which are English.
 */
export function RefusalText({ refusal }: { readonly refusal: Pick<Refusal, "code" | "message" | "details"> }) {
  const intl = useIntl();
  const { code, message, details } = refusal;
  if (code === "CONNECTION_LOST") return <FormattedMessage id="app.no-answer" />;
  const id = `refusals.${code}` as const;
  const known: unknown = intl.messages[id];
  if (isParsed(known) && valuesOf(known).every((name) => isShown(details[name]))) {
    const values = Object.fromEntries(Object.entries(details).filter(([, value]) => isShown(value))) as {
      readonly [name: string]: string | number;
    };
    return <>{intl.formatMessage({ id }, values)}</>;
  }
  return intl.locale.startsWith("en") ? <>{message}</> : <span lang="en">{message}</span>;
}

function isShown(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

function isParsed(message: unknown): message is Parsed {
  return Array.isArray(message);
}

/** The names of the values that a message wants; those inside a plural are its own number or plain words. */
function valuesOf(message: Parsed): readonly string[] {
  return message.flatMap(({ type, value }) => (type === LITERAL || type === POUND || typeof value !== "string" ? [] : [value]));
}
