import { z } from "zod";
import type { KeyRing } from "./master-key.js";
import { open, rewrap, seal, sealedSecretSchema, type SealedSecret } from "./sealed-secret.js";

/** Plain values by name. Never log them. */
export type SecretValues = { readonly [name: string]: string };

const sealedCredentialSchema = z.record(z.string(), sealedSecretSchema);

/** The sealed values of a credential, by name. */
export type SealedCredential = { readonly [name: string]: SealedSecret };

/** Where a credential's value is sealed. No secret of the workspace has a colon in its name, so neither passes for the other. */
const addressOf = (endpoint: string, name: string) => ({ endpoint, name: `credential:${name}` });

/** Seals the values of one version of an endpoint's credential. */
export function sealCredential(
  ring: KeyRing,
  of: { readonly endpoint: string; readonly version: number },
  values: SecretValues,
): SealedCredential {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, seal(ring, { ...addressOf(of.endpoint, name), version: of.version }, value)]),
  );
}

/** Opens them. Throws as {@link open}. */
export function openCredential(ring: KeyRing, endpoint: string, stored: unknown): SecretValues {
  return Object.fromEntries(
    Object.entries(sealedCredentialSchema.parse(stored)).map(([name, sealed]) => [name, open(ring, addressOf(endpoint, name), sealed)]),
  );
}

/** Their data keys under the current master key. */
export function rewrapCredential(ring: KeyRing, endpoint: string, stored: unknown): SealedCredential {
  return Object.fromEntries(
    Object.entries(sealedCredentialSchema.parse(stored)).map(([name, sealed]) => [name, rewrap(ring, addressOf(endpoint, name), sealed)]),
  );
}
