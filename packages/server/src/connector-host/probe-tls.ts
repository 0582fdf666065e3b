import { checkServerIdentity, connect, type TLSSocket } from "node:tls";
import type { TlsFacts } from "@quiesce/core";
import type { ClientTls } from "@quiesce/sdk";

/** A handshake that takes longer tells nothing. */
const handshakeMs = 5_000;
const maxNames = 300;

/**
 * Looks at a server's certificate and protocol by a handshake, and sends nothing. It takes what it would never take for records, an old protocol or a
 * certificate of nobody, because it has to say so. null when there is no handshake.
 */
export function probeTls(target: {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly signal: AbortSignal;
  readonly tls: ClientTls | undefined;
}): Promise<TlsFacts | null> {
  const { host, address, port, signal, tls } = target;
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      ...(host === address ? {} : { servername: host }),
      rejectUnauthorized: false,
      ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls?.cert === undefined || tls.key === undefined ? {} : { cert: tls.cert, key: tls.key }),
      minVersion: "TLSv1",
      // OpenSSL's own level refuses what is to be found.
      ciphers: "DEFAULT:@SECLEVEL=0",
    });
    const end = (facts: TlsFacts | null): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(facts);
    };
    const abort = (): void => end(null);
    const timer = setTimeout(abort, handshakeMs);
    if (signal.aborted) return end(null);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", () => end(null));
    socket.once("secureConnect", () => end(factsOf(socket, host)));
  });
}

function factsOf(socket: TLSSocket, host: string): TlsFacts | null {
  const certificate = socket.getPeerCertificate();
  const expiresAt = Date.parse(certificate.valid_to ?? "");
  if (Number.isNaN(expiresAt)) return null;
  const { authorizationError } = socket;
  const code = authorizationError === undefined || authorizationError === null ? null : codeOf(authorizationError);
  const isOther = checkServerIdentity(host, certificate) !== undefined;
  return {
    protocol: socket.getProtocol() ?? "an unknown protocol",
    untrusted: code === "ERR_TLS_CERT_ALTNAME_INVALID" ? null : code,
    otherNames: isOther ? (certificate.subjectaltname ?? certificate.subject?.CN ?? "nobody").slice(0, maxNames) : null,
    expiresAt,
    issuer: (certificate.issuer?.O ?? certificate.issuer?.CN ?? "nobody").slice(0, maxNames),
  };
}

function codeOf(error: unknown): string {
  if (error instanceof Error) return "code" in error ? String(error.code) : error.message;
  return String(error);
}
