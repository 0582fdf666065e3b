import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { type Authority, issueCertificate } from "./certificates.js";

/** A real https server that lets in whoever shows a good client certificate and a good token, gives out tokens, and ends them. */
export interface MutualServer {
  readonly url: string;
  /** Tokens that are good, by their ids. */
  readonly tokens: Map<string, string>;
  /** Serial numbers of certificates that are good. */
  readonly certificates: Set<string>;
  /** Requests that were let in, and those that were refused with the reason. */
  readonly counts: { allowed: number; refused: string[] };
  /** Called before records are answered. */
  beforeItems: () => Promise<void>;
  close(): Promise<void>;
}

export const serialOf = (cert: string): string => new X509Certificate(cert).serialNumber;

export async function startMutualServer(
  authority: Authority,
  first: { readonly token: string; readonly cert: string },
): Promise<MutualServer> {
  const tokens = new Map([["t1", first.token]]);
  const certificates = new Set([serialOf(first.cert)]);
  const counts: MutualServer["counts"] = { allowed: 0, refused: [] };
  let made = 1;
  const server: Server = createServer(
    { ...issueCertificate(authority, { name: "localhost" }), ca: authority.cert, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const answer = (status: number, body: unknown): void => {
        request.resume();
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      };
      const { serialNumber } = (request.socket as TLSSocket).getPeerCertificate();
      const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
      const refusal = !certificates.has(serialNumber) ? "certificate" : ![...tokens.values()].includes(token) ? "token" : null;
      if (refusal !== null) {
        counts.refused.push(refusal);
        // As many systems do, it repeats what it was sent.
        return answer(401, { error: refusal, sent: token });
      }
      counts.allowed += 1;
      if (request.method === "POST" && request.url === "/tokens") {
        made += 1;
        tokens.set(`t${made}`, `mutual-token-canary-${String(made).padStart(4, "0")}`);
        return answer(201, { data: { id: `t${made}`, secret: tokens.get(`t${made}`) } });
      }
      if (request.method === "DELETE") return answer(tokens.delete(request.url?.split("/").at(-1) ?? "") ? 200 : 404, {});
      if (request.url === "/me") return answer(200, {});
      void running.beforeItems().then(() => answer(200, [{ id: "1", name: "one" }]));
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const running: MutualServer = {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    tokens,
    certificates,
    counts,
    beforeItems: () => Promise.resolve(),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return running;
}
