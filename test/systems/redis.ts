import { type Certificate, issueCertificate, makeAuthority } from "../tls/certificates.js";
import { startServer, type ServerProcess } from "./server-process.js";

/** What a suite with a real Redis needs. */
export const REDIS = { programs: ["redis-server"], packages: "redis-server" };

/** A real Redis, and who may use it. */
export interface Redis {
  readonly server: ServerProcess;
  readonly user: string;
  readonly password: string;
  /** May only read. */
  readonly reader: { readonly user: string; readonly password: string };
  /** Who signed the server's certificate, as PEM; it is that of localhost. */
  readonly ca: string;
  /** One that the same authority has signed for a client. */
  readonly client: Certificate;
}

/** Starts Redis on loopback, with an append-only file that is written at every command; with `tls` it speaks nothing else, with `clientCertificates` to nobody without one. */
export async function startRedis({
  clientCertificates = false,
  tls = clientCertificates,
}: { readonly tls?: boolean; readonly clientCertificates?: boolean } = {}): Promise<Redis> {
  const authority = makeAuthority("Redis test authority");
  const certificate = issueCertificate(authority, { name: "localhost" });
  const client = issueCertificate(authority, { name: "quiesce" });
  const [user, password] = ["quiesce", "p@ss-word"];
  const reader = { user: "reader", password: "reader" };
  const server = await startServer({
    name: "redis",
    user: "redis",
    prepare: async (place) => {
      await place.write("cert.pem", certificate.cert);
      await place.write("key.pem", certificate.key);
      await place.write("ca.pem", authority.cert);
      const ports = tls
        ? [
            "port 0",
            `tls-port ${place.port}`,
            `tls-cert-file ${place.folder}/cert.pem`,
            `tls-key-file ${place.folder}/key.pem`,
            `tls-ca-cert-file ${place.folder}/ca.pem`,
            `tls-auth-clients ${clientCertificates ? "yes" : "no"}`,
          ]
        : [`port ${place.port}`];
      const users = [
        `user ${user} on >${password} ~* &* +@all`,
        `user ${reader.user} on >${reader.password} ~* &* +@read +@connection`,
        "user default off",
      ];
      await place.write(
        "redis.conf",
        [...ports, "bind 127.0.0.1", `dir ${place.folder}`, 'save ""', "appendonly yes", "appendfsync always", ...users, ""].join("\n"),
      );
    },
    command: ({ folder }) => ({ program: "redis-server", args: [`${folder}/redis.conf`] }),
  });
  return { server, user, password, reader, ca: authority.cert, client };
}
