import { useIntl } from "react-intl";

/**
 * What the server says in English itself, in the words that another language has for its kind; in English, and where another language has none, the
 * server's own. A severity, a subject and whatever else the words want is given as values.
 */
export function ServerText({
  id,
  values = {},
  message,
}: {
  readonly id: `server.${string}`;
  readonly values?: { readonly [name: string]: string | number };
  readonly message: string;
}) {
  const { messages, locale, formatMessage } = useIntl();
  if (messages[id] !== undefined) return <>{formatMessage({ id }, values)}</>;
  return locale.startsWith("en") ? <>{message}</> : <span lang="en">{message}</span>;
}
