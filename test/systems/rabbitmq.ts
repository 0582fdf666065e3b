import { type Certificate, issueCertificate, makeAuthority } from "../tls/certificates.js";
import { freePort } from "../lifecycle/free-port.js";
import { startServer, type ServerProcess } from "./server-process.js";

/** What a suite with a real RabbitMQ needs. */
export const RABBITMQ = { programs: ["rabbitmq-server", "epmd"], packages: "rabbitmq-server" };

/** A real RabbitMQ, and who may use it. */
export interface Rabbitmq extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly tlsPort: number;
  readonly user: string;
  readonly password: string;
  /** Who signed the server's certificate, as PEM; it is that of localhost. */
  readonly ca: string;
  /** One that the same authority has signed for a client. */
  readonly client: Certificate;
  remove(): Promise<void>;
}

/** Starts RabbitMQ on loopback, with a port mapper of its own: the machine's would outlive it. With `clientCertificates` TLS wants one. */
export async function startRabbitmq({ clientCertificates = false }: { readonly clientCertificates?: boolean } = {}): Promise<Rabbitmq> {
  const authority = makeAuthority("RabbitMQ test authority");
  const certificate = issueCertificate(authority, { name: "localhost" });
  const client = issueCertificate(authority, { name: "quiesce" });
  const [tlsPort, distributionPort] = [await freePort(), await freePort()];
  const user = "quiesce";
  const password = "p@ss/word";
  const mapper = await startServer({
    name: "epmd",
    user: "rabbitmq",
    command: ({ port }) => ({ program: "epmd", args: ["-port", String(port), "-address", "127.0.0.1"] }),
  });
  try {
    const server = await startServer({
      name: "rabbitmq",
      user: "rabbitmq",
      prepare: async (place) => {
        const path = (name: string): string => `${place.folder}/${name}`;
        await place.write("cert.pem", certificate.cert);
        await place.write("key.pem", certificate.key);
        await place.write("ca.pem", authority.cert);
        await place.write("plugins", "[].\n");
        await place.write(
          "rabbit.conf",
          [
            `listeners.tcp.1 = 127.0.0.1:${place.port}`,
            `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
            `ssl_options.cacertfile = ${path("ca.pem")}`,
            `ssl_options.certfile = ${path("cert.pem")}`,
            `ssl_options.keyfile = ${path("key.pem")}`,
            `ssl_options.verify = ${clientCertificates ? "verify_peer" : "verify_none"}`,
            `ssl_options.fail_if_no_peer_cert = ${clientCertificates}`,
            `default_user = ${user}`,
            `default_pass = ${password}`,
            "",
          ].join("\n"),
        );
      },
      command: ({ folder, port }) => ({
        // Debian's wrapper in sbin changes the user by itself.
        program: "/usr/lib/rabbitmq/bin/rabbitmq-server",
        args: [],
        env: {
          RABBITMQ_NODENAME: `q${port}@localhost`,
          RABBITMQ_MNESIA_BASE: `${folder}/mnesia`,
          RABBITMQ_LOG_BASE: `${folder}/log`,
          RABBITMQ_CONFIG_FILE: `${folder}/rabbit.conf`,
          RABBITMQ_ENABLED_PLUGINS_FILE: `${folder}/plugins`,
          RABBITMQ_PID_FILE: `${folder}/pid`,
          RABBITMQ_DIST_PORT: String(distributionPort),
          ERL_EPMD_ADDRESS: "127.0.0.1",
          ERL_EPMD_PORT: String(mapper.port),
        },
      }),
    });
    const remove = async (): Promise<void> => {
      await server.remove();
      await mapper.remove();
    };
    return { server, tlsPort, user, password, ca: authority.cert, client, remove, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await mapper.remove();
    throw error;
  }
}
