import { workspaceProblem, type SecretEntry, type WorkspaceDocument, type WorkspaceProblem } from "@quiesce/core";

/** How the values behind `env` and `file` are read; undefined when there is none. Paths are as written: the reader knows what they are relative to. */
export interface SecretReaders {
  readonly env: (name: string) => string | undefined;
  readonly file: (path: string) => Promise<string | undefined>;
}

export type ResolvedSecrets =
  | { readonly ok: true; readonly document: WorkspaceDocument }
  | { readonly ok: false; readonly problems: readonly WorkspaceProblem[] };

/**
 * Fills in the values of secrets that a file names by variable or path, where the file is read: the server never looks into its caller's
 * environment. One line break at the end of a secret file is not part of the secret.
 */
export async function resolveSecrets(document: WorkspaceDocument, readers: SecretReaders): Promise<ResolvedSecrets> {
  const problems: WorkspaceProblem[] = [];
  const resolved = async (secret: SecretEntry, what: string, path: readonly (string | number)[]): Promise<SecretEntry> => {
    const value = await valueOf(secret, readers);
    if (value !== undefined) return { ...secret, value };
    if (secret.env !== undefined || secret.file !== undefined) {
      const missing =
        secret.env === undefined
          ? `The file ${secret.file ?? ""} cannot be read or is empty`
          : `The environment variable ${secret.env} is not set or empty`;
      problems.push(workspaceProblem(path, `${missing}; expected ${what}. Set it and try again.`));
    }
    return secret;
  };
  const endpoints: WorkspaceDocument["endpoints"] = [];
  for (const [index, endpoint] of document.endpoints.entries()) {
    const secrets: { [name: string]: SecretEntry } = {};
    for (const [name, secret] of Object.entries(endpoint.secrets))
      secrets[name] = await resolved(secret, `the secret "${name}" of endpoint "${endpoint.key}"`, ["endpoints", index, "secrets", name]);
    endpoints.push({ ...endpoint, secrets });
  }
  const teams: WorkspaceDocument["teams"] = [];
  for (const [index, team] of document.teams.entries()) {
    const webhooks: (typeof team)["webhooks"] = [];
    for (const [at, hook] of team.webhooks.entries()) {
      const what = `the secret of the webhook ${hook.url} of team "${team.key}"`;
      webhooks.push({ ...hook, secret: await resolved(hook.secret, what, ["teams", index, "webhooks", at, "secret"]) });
    }
    teams.push({ ...team, webhooks });
  }
  const calendars: WorkspaceDocument["calendars"] = [];
  for (const [index, calendar] of document.calendars.entries()) {
    const url = await resolved(calendar.url, `the address of calendar "${calendar.key}"`, ["calendars", index, "url"]);
    calendars.push({ ...calendar, url });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, document: { ...document, endpoints, teams, calendars } };
}

async function valueOf(secret: SecretEntry, readers: SecretReaders): Promise<string | undefined> {
  if (secret.env !== undefined) return nonEmpty(readers.env(secret.env));
  if (secret.file !== undefined) return nonEmpty((await readers.file(secret.file))?.replace(/\r?\n$/, ""));
  return undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
