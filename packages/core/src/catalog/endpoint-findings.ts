const dayMs = 86_400_000;

/** Teams are told so many days before a certificate ends. */
export const certificateWarningDays = [30, 14, 7, 1] as const;

export const findingKinds = [
  "certificate-expiry",
  "certificate-untrusted",
  "certificate-name",
  "protocol-old",
  "plain-text",
  "authentication",
  "credential-expiry",
  "credential-age",
] as const;
export type FindingKind = (typeof findingKinds)[number];

export const findingSeverities = ["info", "low", "medium", "high", "critical"] as const;
export type FindingSeverity = (typeof findingSeverities)[number];

/** How requests to an origin say who asks: the scheme of their header, `secret` in another place, `none`; `unseen` when nothing was asked. */
export type SeenAuthentication = "basic" | "bearer" | "secret" | "other" | "none" | "unseen";

/** What was seen of one origin of an endpoint. */
export interface OriginFacts {
  readonly origin: string;
  /** https, or http to this machine or another one. */
  readonly transport: "https" | "http" | "http-loopback";
  readonly authentication: SeenAuthentication;
  /** null: not https, or no connection. */
  readonly tls: TlsFacts | null;
}

export interface TlsFacts {
  /** As OpenSSL names it: TLSv1.3. */
  readonly protocol: string;
  /** Why the chain is not trusted: a code of OpenSSL; null when it is. */
  readonly untrusted: string | null;
  /** The names of the certificate, when the host's is not among them; else null. */
  readonly otherNames: string | null;
  /** When the certificate ends, in epoch milliseconds. */
  readonly expiresAt: number;
  readonly issuer: string;
}

export interface EndpointFinding {
  readonly kind: FindingKind;
  readonly origin: string;
  readonly severity: FindingSeverity;
  readonly message: string;
  /** Of a certificate-expiry. */
  readonly expiresAt: number | null;
}

/** What is wrong with the way to a system, or will be. A certificate's end is always among them, so that it can be followed. */
export function endpointFindings(facts: OriginFacts, now: number): readonly EndpointFinding[] {
  return [
    ...transportFindings(facts),
    ...authenticationFindings(facts),
    ...(facts.tls === null ? [] : tlsFindings(facts.origin, facts.tls, now)),
  ];
}

/** What could not be looked at this time, because nobody answered or nothing was asked: what is known of it stays. */
export function unseenKinds({ transport, tls, authentication }: OriginFacts): readonly FindingKind[] {
  return [
    ...(transport === "https" && tls === null
      ? (["certificate-expiry", "certificate-untrusted", "certificate-name", "protocol-old"] as const)
      : []),
    ...(authentication === "unseen" ? (["authentication", "plain-text"] as const) : []),
  ];
}

/** How bad the end of a certificate is, at an instant. */
export function expirySeverity(expiresAt: number, now: number): FindingSeverity {
  const days = (expiresAt - now) / dayMs;
  if (days <= 1) return "critical";
  if (days <= 7) return "high";
  if (days <= 14) return "medium";
  return days <= 30 ? "low" : "info";
}

/** The nearest of the warnings that is due and was not given yet; null for none. A certificate that was replaced begins anew. */
export function dueWarning(certificate: { readonly expiresAt: number; readonly toldDays: number | null }, now: number): number | null {
  const left = (certificate.expiresAt - now) / dayMs;
  const due = certificateWarningDays.findLast((days) => left <= days);
  if (due === undefined || (certificate.toldDays !== null && certificate.toldDays <= due)) return null;
  return due;
}

function transportFindings({ origin, transport, authentication }: OriginFacts): readonly EndpointFinding[] {
  if (transport !== "http") return [];
  const secrets = authentication === "basic" || authentication === "bearer" || authentication === "secret";
  return [
    {
      kind: "plain-text",
      origin,
      severity: secrets ? "critical" : "medium",
      message: secrets
        ? "Credentials go over http: whoever is on the way reads them. Use https."
        : "Records go over http, readable on the way. Use https.",
      expiresAt: null,
    },
  ];
}

function authenticationFindings({ origin, transport, authentication }: OriginFacts): readonly EndpointFinding[] {
  const finding = (severity: FindingSeverity, message: string): readonly EndpointFinding[] => [
    { kind: "authentication", origin, severity, message, expiresAt: null },
  ];
  if (authentication === "none")
    return finding(transport === "http-loopback" ? "info" : "medium", "Nobody has to say who asks: no request carried credentials.");
  if (authentication === "basic")
    return finding("low", "User name and password go with every request (Basic). A token that ends is better, if the system has them.");
  return [];
}

function tlsFindings(origin: string, tls: TlsFacts, now: number): readonly EndpointFinding[] {
  const found: EndpointFinding[] = [];
  const add = (kind: FindingKind, severity: FindingSeverity, message: string): void => {
    found.push({ kind, origin, severity, message, expiresAt: null });
  };
  const ends = new Date(tls.expiresAt).toISOString().slice(0, 10);
  const over = tls.expiresAt <= now;
  found.push({
    kind: "certificate-expiry",
    origin,
    severity: expirySeverity(tls.expiresAt, now),
    message: `The certificate ${over ? "ended" : "ends"} on ${ends} (issued by ${tls.issuer}).`,
    expiresAt: tls.expiresAt,
  });
  // An ended certificate makes its chain untrusted too; that is one thing, not two.
  if (tls.untrusted !== null && !(over && tls.untrusted === "CERT_HAS_EXPIRED"))
    add(
      "certificate-untrusted",
      "high",
      `The certificate is not trusted: ${tls.untrusted}. Runs fail; give the server the authority with NODE_EXTRA_CA_CERTS, or mend the chain.`,
    );
  if (tls.otherNames !== null) add("certificate-name", "high", `The certificate is for ${tls.otherNames}, not for this host. Runs fail.`);
  if (!["TLSv1.2", "TLSv1.3"].includes(tls.protocol))
    add("protocol-old", "high", `The system speaks ${tls.protocol} at best, which is broken; runs fail. Expected TLS 1.2 or newer.`);
  return found;
}
