import { chmod } from "node:fs/promises";
import { type Certificate, issueCertificate, makeAuthority } from "../tls/certificates.js";
import { freePort } from "../lifecycle/free-port.js";
import { startServer, type ServerProcess } from "./server-process.js";

/** What a suite with a real Mosquitto needs. */
export const MOSQUITTO = { programs: ["mosquitto", "mosquitto_passwd"], packages: "mosquitto" };

/** A real Mosquitto, and who may use it. */
export interface Mosquitto {
  readonly server: ServerProcess;
  readonly tlsPort: number;
  readonly user: string;
  readonly password: string;
  /** Who signed the server's certificate, as PEM; it is that of localhost. */
  readonly ca: string;
  /** One that the same authority has signed for a client. */
  readonly client: Certificate;
}

/** Starts Mosquitto on loopback. Nobody may publish to, or subscribe to, what begins with `secret/`. With `clientCertificates` TLS wants one. */
export async function startMosquitto({ clientCertificates = false }: { readonly clientCertificates?: boolean } = {}): Promise<Mosquitto> {
  const authority = makeAuthority("Mosquitto test authority");
  const certificate = issueCertificate(authority, { name: "localhost" });
  const client = issueCertificate(authority, { name: "quiesce" });
  const tlsPort = await freePort();
  const [user, password] = ["quiesce", "p@ss word"];
  const server = await startServer({
    name: "mosquitto",
    user: "mosquitto",
    prepare: async (place) => {
      await place.write("cert.pem", certificate.cert);
      await place.write("key.pem", certificate.key);
      await place.write("ca.pem", authority.cert);
      await place.write("acl", `user ${user}\ntopic readwrite orders/#\ntopic readwrite devices/#\n`);
      await place.write("passwords", "");
      place.run("mosquitto_passwd", ["-b", `${place.folder}/passwords`, user, password]);
      await chmod(`${place.folder}/passwords`, 0o600);
      await place.write(
        "mosquitto.conf",
        [
          `listener ${place.port} 127.0.0.1`,
          `listener ${tlsPort} 127.0.0.1`,
          `certfile ${place.folder}/cert.pem`,
          `keyfile ${place.folder}/key.pem`,
          ...(clientCertificates ? [`cafile ${place.folder}/ca.pem`, "require_certificate true"] : []),
          "allow_anonymous false",
          `password_file ${place.folder}/passwords`,
          `acl_file ${place.folder}/acl`,
          "persistence true",
          `persistence_location ${place.folder}/`,
          "autosave_interval 1",
          "autosave_on_changes true",
          "max_queued_messages 10000",
          "",
        ].join("\n"),
      );
    },
    command: ({ folder }) => ({ program: "mosquitto", args: ["-c", `${folder}/mosquitto.conf`] }),
  });
  return { server, tlsPort, user, password, ca: authority.cert, client };
}
