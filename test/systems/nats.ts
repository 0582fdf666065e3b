import { type Certificate, issueCertificate, makeAuthority } from "../tls/certificates.js";
import { startServer, type ServerProcess } from "./server-process.js";

/** What a suite with a real NATS server needs. */
export const NATS = { programs: ["nats-server"], packages: "nats-server" };

/** A real NATS server with JetStream, and who may use it. */
export interface Nats {
  readonly server: ServerProcess;
  readonly user: string;
  readonly password: string;
  /** May not publish to `orders.secret`. */
  readonly limited: { readonly user: string; readonly password: string };
  /** Who signed the server's certificate, as PEM; it is that of localhost. */
  readonly ca: string;
  /** One that the same authority has signed for a client. */
  readonly client: Certificate;
}

/** Starts a NATS server on loopback; with `tls` it demands encryption, with `clientCertificates` one of those too. */
export async function startNats({
  clientCertificates = false,
  tls = clientCertificates,
}: { readonly tls?: boolean; readonly clientCertificates?: boolean } = {}): Promise<Nats> {
  const authority = makeAuthority("NATS test authority");
  const certificate = issueCertificate(authority, { name: "localhost" });
  const client = issueCertificate(authority, { name: "quiesce" });
  const [user, password] = ["quiesce", "p@ss word"];
  const limited = { user: "limited", password: "limited" };
  const server = await startServer({
    name: "nats",
    user: "nats",
    prepare: async (place) => {
      await place.write("cert.pem", certificate.cert);
      await place.write("key.pem", certificate.key);
      await place.write("ca.pem", authority.cert);
      const verify = clientCertificates ? `ca_file: "${place.folder}/ca.pem", verify: true` : "verify: false";
      await place.write(
        "nats.conf",
        [
          `listen: "127.0.0.1:${place.port}"`,
          `jetstream { store_dir: "${place.folder}/data" }`,
          "authorization { users: [",
          `  { user: "${user}", password: "${password}" }`,
          `  { user: "${limited.user}", password: "${limited.password}", permissions: { publish: { deny: "orders.secret" } } }`,
          "] }",
          ...(tls ? [`tls { cert_file: "${place.folder}/cert.pem", key_file: "${place.folder}/key.pem", ${verify} }`] : []),
          "",
        ].join("\n"),
      );
    },
    command: ({ folder }) => ({ program: "nats-server", args: ["-c", `${folder}/nats.conf`] }),
  });
  return { server, user, password, limited, ca: authority.cert, client };
}
