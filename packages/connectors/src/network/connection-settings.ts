import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { ConnectorError, z } from "@quiesce/sdk";

/** Where a server is and how the connection to it is kept from others' eyes: the settings of every connector with a socket of its own. */
export const connectionFields = {
  host: z.string().min(1).max(255).describe("The server's name, as its certificate has it, or an address."),
  tls: z
    .enum(["disable", "require", "verify-full"])
    .default("verify-full")
    .describe("verify-full checks certificate and name; require encrypts without checking; disable is for the same machine."),
  ca: z.string().max(100_000).optional().describe("Certificates to trust instead of the system's, as PEM."),
  connectTimeoutSeconds: z.int().min(1).max(60).default(10),
};

/** A client certificate, for servers that ask for one. */
export const certificateFields = {
  certificate: z.string().includes("-----BEGIN CERTIFICATE-----").optional().describe("A client certificate and its chain, as PEM."),
  privateKey: z.string().includes("PRIVATE KEY-----").optional().describe("The client certificate's key, as PEM without a passphrase."),
};

/** A port's schema with its default. */
export function portField(fallback: number): z.ZodDefault<z.ZodInt> {
  return z.int().min(1).max(65_535).default(fallback);
}

interface Place {
  readonly host: string;
  readonly port: number;
}

interface TlsSettings {
  readonly host: string;
  readonly tls: "disable" | "require" | "verify-full";
  readonly ca?: string | undefined;
}

interface Certificates {
  readonly certificate?: string | undefined;
  readonly privateKey?: string | undefined;
}

/** What TLS is to be done with. */
export type TlsOptions = Pick<ConnectionOptions, "rejectUnauthorized" | "servername" | "ca" | "cert" | "key">;

/** The origin of a place, for `egress`. */
export function originOf(scheme: string, { host, port }: Place): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What TLS is to be done with; undefined without encryption. The name to compare is the configured host, whatever address is connected to. */
export function tlsOptionsOf(settings: TlsSettings, secrets: Certificates = {}): TlsOptions | undefined {
  const { certificate: cert, privateKey: key } = secrets;
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConnectorError("config", "Of the secrets certificate and privateKey only one is set; a client certificate needs both.");
  }
  if (settings.tls === "disable") return undefined;
  return {
    rejectUnauthorized: settings.tls === "verify-full",
    ...(isIP(settings.host) === 0 ? { servername: settings.host } : {}),
    ...(settings.ca === undefined ? {} : { ca: settings.ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}
