import { parseClaimMapping, type Role, roles } from "@quiesce/core";
import { z } from "zod";
import type { OidcSettings } from "./oidc/identity-provider.js";
import type { SessionLimits } from "./sessions.js";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** An address that credentials may travel to: https, or plain http that does not leave the machine. */
function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  return username === "" && password === "" && hash === "" && (protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname)));
}

const isOrigin = (text: string): boolean => isSafe(text) && new URL(text).href === `${text.replace(/\/$/, "")}/`;
const duration = (most: number, fallback: number, unit: string) => {
  const expected = `Expected a whole number of ${unit} from 1 to ${most}.`;
  return z.coerce.number(expected).int(expected).min(1, expected).max(most, expected).default(fallback);
};

/** What a server can be told about signing in, each from one environment variable. */
export const signInSettings = {
  QUIESCE_PUBLIC_URL: z
    .string()
    .refine(
      isOrigin,
      "Expected the address that people have in their browsers, as https://quiesce.example.com: https (http on this machine alone), and no path.",
    )
    .optional()
    .describe("Where browsers reach this server, as https://quiesce.example.com; without it only browsers of this machine can sign in."),
  QUIESCE_SESSION_IDLE_MINUTES: duration(10_080, 480, "minutes").describe("A session ends when so much time has passed without a request."),
  QUIESCE_SESSION_HOURS: duration(720, 24, "hours").describe(
    "A session ends after so many hours, whatever is done; then one signs in again.",
  ),
  QUIESCE_OIDC_ISSUER: z
    .string()
    .refine(isSafe, "Expected the issuer as the provider writes it, with https (http on this machine alone).")
    .optional()
    .describe("The identity provider (OpenID Connect) at which people sign in; without it they sign in by links alone."),
  QUIESCE_OIDC_CLIENT_ID: z.string().min(1).max(500).optional().describe("What the identity provider calls this deployment."),
  QUIESCE_OIDC_CLIENT_SECRET: z.string().min(1).max(2_000).optional().describe("The client's secret; a public client has none."),
  QUIESCE_OIDC_CLIENT_SECRET_FILE: z.string().min(1).optional().describe("A file that holds it, instead."),
  QUIESCE_OIDC_SCOPES: z
    .string()
    .regex(/^openid(?: [\x21-\x7e]+)*$/, "Expected scopes separated by spaces, openid first.")
    .default("openid profile email")
    .describe("What is asked of the identity provider, openid first."),
  QUIESCE_OIDC_ROLE_CLAIM: z
    .string()
    .min(1)
    .max(200)
    .default("groups")
    .describe("The claim that the roles come from: its name, or a path such as realm_access.roles."),
  QUIESCE_OIDC_ROLES: z
    .string()
    .default("")
    .superRefine((text, context) => {
      const found = parseClaimMapping(text);
      if (typeof found === "string") context.addIssue({ code: "custom", message: found });
    })
    .describe("Which value of that claim gives which role, separated by commas: platform=admin, erp-ops=operator@team:erp."),
  QUIESCE_OIDC_DEFAULT_ROLE: z
    .enum(["none", ...roles])
    .default("none")
    .describe("The role of people whom no value of the claim gives one; none: they may not come in."),
  QUIESCE_OIDC_NAME_CLAIM: z
    .string()
    .min(1)
    .max(200)
    .default("email")
    .describe("The claim that people are called by here. Choose one that they cannot change themselves: approvals go by names."),
} as const;

type Values = z.output<z.ZodObject<typeof signInSettings>>;

/** The identity provider as it is set up; the secret may still have to be read from a file. */
export type OidcConfig = Omit<OidcSettings, "clientSecret"> & {
  readonly clientSecret: string | null;
  readonly clientSecretFile: string | null;
};

export interface SignInConfig {
  readonly publicUrl: string | undefined;
  readonly sessions: SessionLimits;
  readonly oidc: OidcConfig | null;
}

/** A setting that does not go with another one. */
export interface SettingProblem {
  readonly name: keyof typeof signInSettings;
  readonly message: string;
}

/** What the settings mean together, or what does not go together. */
export function signInOf(values: Values): SignInConfig | SettingProblem {
  const { QUIESCE_OIDC_ISSUER: issuer, QUIESCE_OIDC_CLIENT_ID: clientId } = values;
  const publicUrl = values.QUIESCE_PUBLIC_URL?.replace(/\/$/, "");
  const lifetimeSeconds = values.QUIESCE_SESSION_HOURS * 3_600;
  const sessions = { lifetimeSeconds, idleSeconds: Math.min(lifetimeSeconds, values.QUIESCE_SESSION_IDLE_MINUTES * 60) };
  if (issuer === undefined) {
    if (clientId === undefined) return { publicUrl, sessions, oidc: null };
    return { name: "QUIESCE_OIDC_ISSUER", message: "Expected with QUIESCE_OIDC_CLIENT_ID." };
  }
  if (clientId === undefined) return { name: "QUIESCE_OIDC_CLIENT_ID", message: "Expected with QUIESCE_OIDC_ISSUER." };
  const secretFile = values.QUIESCE_OIDC_CLIENT_SECRET_FILE;
  if (values.QUIESCE_OIDC_CLIENT_SECRET !== undefined && secretFile !== undefined)
    return { name: "QUIESCE_OIDC_CLIENT_SECRET_FILE", message: "Expected instead of QUIESCE_OIDC_CLIENT_SECRET, not beside it." };
  const mappings = parseClaimMapping(values.QUIESCE_OIDC_ROLES);
  if (typeof mappings === "string") return { name: "QUIESCE_OIDC_ROLES", message: mappings };
  const defaultRole: Role | null = values.QUIESCE_OIDC_DEFAULT_ROLE === "none" ? null : values.QUIESCE_OIDC_DEFAULT_ROLE;
  if (mappings.length === 0 && defaultRole === null)
    return {
      name: "QUIESCE_OIDC_ROLES",
      message: "Expected at least one group=role, or a QUIESCE_OIDC_DEFAULT_ROLE: nobody could come in.",
    };
  const oidc: OidcConfig = {
    issuer,
    clientId,
    clientSecret: values.QUIESCE_OIDC_CLIENT_SECRET ?? null,
    clientSecretFile: secretFile ?? null,
    scopes: values.QUIESCE_OIDC_SCOPES,
    roleClaim: values.QUIESCE_OIDC_ROLE_CLAIM,
    mappings,
    defaultRole,
    nameClaim: values.QUIESCE_OIDC_NAME_CLAIM,
  };
  return { publicUrl, sessions, oidc };
}
