import { readFile } from "node:fs/promises";
import { DomainError } from "@quiesce/core";
import type { Log } from "../../log.js";
import type { OidcConfig } from "../sign-in-settings.js";
import { createIdentityProvider, type IdentityProvider } from "./identity-provider.js";

/** The identity provider of the settings, its secret read from where they say. It is first asked when somebody signs in. Throws QSC_CONFIG_INVALID. */
export async function loadProvider(
  { clientSecretFile, ...settings }: OidcConfig,
  services: { readonly log: Log; readonly privateHosts: readonly string[] },
): Promise<IdentityProvider> {
  const clientSecret = clientSecretFile === null ? settings.clientSecret : await secretOf(clientSecretFile);
  return createIdentityProvider({ ...settings, clientSecret }, services);
}

async function secretOf(file: string): Promise<string> {
  const refusal = (found: string) =>
    new DomainError("QSC_CONFIG_INVALID", `The file of QUIESCE_OIDC_CLIENT_SECRET_FILE, ${file}, ${found}. Expected the client's secret.`, {
      field: "QUIESCE_OIDC_CLIENT_SECRET_FILE",
    });
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw refusal(`cannot be read (${error instanceof Error && "code" in error ? String(error.code) : "unknown"})`);
  }
  if (text === "" || text.length > 2_000) throw refusal(text === "" ? "is empty" : "is too long");
  return text;
}
