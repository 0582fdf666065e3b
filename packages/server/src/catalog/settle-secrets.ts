import {
  DomainError,
  NEW_SECRET_VALUE,
  workspaceProblem,
  webhookSecretProblem,
  type SecretEntry,
  type SettledSecret,
  type SettledWorkspace,
  type WorkspaceDocument,
  type WorkspaceProblem,
} from "@quiesce/core";
import { calendarUrlProblem } from "../calendars/fetch-calendar.js";
import { calendarUrlAddress } from "../calendars/table.js";
import type { KeyRing } from "../credentials/master-key.js";
import { isSealedValue } from "../credentials/sealed-secret.js";
import { webhookSecretAddress } from "../notifications/table.js";
import type { LoadedWorkspace, StoredSecret } from "./store/load-workspace.js";

/** Values that are not stored yet, by the endpoint of their address and the secret's name. The only place where they are; never shown. */
export type NewSecretValues = ReadonlyMap<string, ReadonlyMap<string, string>>;

export interface SettledSecrets {
  readonly workspace: SettledWorkspace;
  readonly values: NewSecretValues;
  readonly problems: readonly WorkspaceProblem[];
}

/** Compares the secrets of a document with the stored ones, so that everything after this knows fingerprints and no values. */
export function settleSecrets(
  document: WorkspaceDocument,
  input: { readonly stored: LoadedWorkspace["secrets"]; readonly keys: KeyRing },
): SettledSecrets {
  const values = new Map<string, Map<string, string>>();
  const problems: WorkspaceProblem[] = [];
  const settledOf = (one: SecretOf, path: readonly (string | number)[]): SettledSecret => {
    const { address, secret } = one;
    const stored = input.stored.get(address.endpoint)?.get(address.name);
    const settled = settle({ ...one, stored, keys: input.keys });
    if (settled.kind === "problem") problems.push(workspaceProblem(path, settled.message));
    if (settled.kind === "new") {
      const own = values.get(address.endpoint) ?? new Map<string, string>();
      values.set(address.endpoint, own.set(address.name, settled.value));
    }
    return settled.kind === "kept" ? settled.secret : { source: sourceOf(secret, stored), fingerprint: NEW_SECRET_VALUE };
  };
  const endpoints = document.endpoints.map((endpoint, index) => {
    const secrets = Object.entries(endpoint.secrets).map(([name, secret]): readonly [string, SettledSecret] => {
      const address = { endpoint: endpoint.key, name };
      const what = `the secret "${name}" of endpoint "${endpoint.key}"`;
      return [name, settledOf({ address, secret, what }, ["endpoints", index, "secrets", name])];
    });
    return { ...endpoint, secrets: Object.fromEntries(secrets) };
  });
  const teams = document.teams.map((team, index) => ({
    ...team,
    webhooks: team.webhooks.map((hook, at) => {
      const { secret } = hook;
      const path = ["teams", index, "webhooks", at, "secret"];
      const problem = secret.value === undefined ? undefined : webhookSecretProblem(secret.value);
      if (problem !== undefined) problems.push(workspaceProblem(path, problem));
      const what = `the webhook ${hook.url} of team "${team.key}"`;
      return { ...hook, secret: settledOf({ address: webhookSecretAddress(team.key, hook.url), secret, what }, path) };
    }),
  }));
  const calendars = document.calendars.map((calendar, index) => {
    const path = ["calendars", index, "url"];
    const problem = calendar.url.value === undefined ? undefined : calendarUrlProblem(calendar.url.value);
    if (problem !== undefined) problems.push(workspaceProblem(path, problem));
    const secret = { address: calendarUrlAddress(calendar.key), secret: calendar.url, what: `the address of calendar "${calendar.key}"` };
    return { ...calendar, url: settledOf(secret, path) };
  });
  return { workspace: { ...document, endpoints, teams, calendars }, values, problems };
}

/** A secret of a document: where it is sealed, and how it is called in messages. */
interface SecretOf {
  readonly address: { readonly endpoint: string; readonly name: string };
  readonly secret: SecretEntry;
  readonly what: string;
}

type Settled =
  | { readonly kind: "kept"; readonly secret: SettledSecret }
  | { readonly kind: "new"; readonly value: string }
  | { readonly kind: "problem"; readonly message: string };

function settle(input: SecretOf & { readonly stored: StoredSecret | undefined; readonly keys: KeyRing }): Settled {
  const { address, secret, what, stored, keys } = input;
  const source = sourceOf(secret, stored);
  if (secret.value !== undefined) {
    const same = stored !== undefined && isStoredValue(stored, address, secret.value, keys);
    return same ? { kind: "kept", secret: { source, fingerprint: stored.fingerprint } } : { kind: "new", value: secret.value };
  }
  if (secret.sealed !== undefined) {
    if (stored?.fingerprint === secret.sealed) return { kind: "kept", secret: { source, fingerprint: stored.fingerprint } };
    const found = stored === undefined ? "no value is stored here" : `the stored value is ${stored.fingerprint}`;
    return {
      kind: "problem",
      message: `Found the fingerprint ${secret.sealed} for ${what}, but ${found}. Give the value with env, file or value.`,
    };
  }
  // Nobody read the variable or the file: fine, as long as the stored value came from there.
  if (stored?.source === source) return { kind: "kept", secret: { source, fingerprint: stored.fingerprint } };
  return {
    kind: "problem",
    message: `The value of ${what} (${source}) was not sent, and none from there is stored. Apply the file where ${source} can be read.`,
  };
}

function sourceOf(secret: SecretEntry, stored: StoredSecret | undefined): string {
  if (secret.env !== undefined) return `env:${secret.env}`;
  if (secret.file !== undefined) return `file:${secret.file}`;
  return secret.sealed !== undefined && stored !== undefined ? stored.source : "inline";
}

/** How a stored secret is written in a file: by its source, or else by the fingerprint of its value. */
export function secretEntryOf(secret: SettledSecret): SecretEntry {
  if (secret.source.startsWith("env:")) return { env: secret.source.slice("env:".length) };
  if (secret.source.startsWith("file:")) return { file: secret.source.slice("file:".length) };
  return { sealed: secret.fingerprint };
}

function isStoredValue(
  stored: StoredSecret,
  address: { readonly endpoint: string; readonly name: string },
  value: string,
  keys: KeyRing,
): boolean {
  try {
    return isSealedValue({ ring: keys, address, sealed: stored.sealed, fingerprint: stored.fingerprint, value });
  } catch (error) {
    // What cannot be opened any more is replaced by giving it again: that is what the refusal tells people to do.
    if (error instanceof DomainError) return false;
    throw error;
  }
}
