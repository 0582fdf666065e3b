import { issueCertificate, makeAuthority } from "../tls/certificates.js";
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
}

/** Starts a NATS server on loopback; with `tls` it demands encryption. */
export async function startNats({ tls = false }: { readonly tls?: boolean } = {}): Promise<Nats> {
  const authority = makeAuthority("NATS test authority");
  const certificate = issueCertificate(authority, { name: "localhost" });
  const [user, password] = ["quiesce", "p@ss word"];
  const limited = { user: "limited", password: "limited" };
  const server = await startServer({
    name: "nats",
    user: "nats",
    prepare: async (place) => {
      await place.write("cert.pem", certificate.cert);
      await place.write("key.pem", certificate.key);
      await place.write(
        "nats.conf",
        [
          `listen: "127.0.0.1:${place.port}"`,
          `jetstream { store_dir: "${place.folder}/data" }`,
          "authorization { users: [",
          `  { user: "${user}", password: "${password}" }`,
          `  { user: "${limited.user}", password: "${limited.password}", permissions: { publish: { deny: "orders.secret" } } }`,
          "] }",
          ...(tls ? [`tls { cert_file: "${place.folder}/cert.pem", key_file: "${place.folder}/key.pem" }`] : []),
          "",
        ].join("\n"),
      );
    },
    command: ({ folder }) => ({ program: "nats-server", args: ["-c", `${folder}/nats.conf`] }),
  });
  return { server, user, password, limited, ca: authority.cert };
}
