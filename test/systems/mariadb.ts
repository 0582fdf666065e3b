import { type Certificate, issueCertificate, makeAuthority } from "../tls/certificates.js";
import { startServer, type ServerProcess } from "./server-process.js";

/** What a suite with a real MariaDB needs. */
export const MARIADB = { programs: ["mariadbd", "mariadb-install-db"], packages: "mariadb-server" };

const ADMIN_PASSWORD = "admin";

/** A real MariaDB with a database `shop`, and who may use it. */
export interface Mariadb {
  readonly server: ServerProcess;
  readonly user: string;
  readonly password: string;
  /** May come in with a client certificate only; the password is the same. */
  readonly certified: string;
  /** Who may do everything. */
  readonly admin: { readonly user: string; readonly password: string };
  /** Who signed the server's certificate, as PEM; it is that of localhost. */
  readonly ca: string;
  /** One that the same authority has signed for a client. */
  readonly client: Certificate;
}

/** Starts MariaDB on loopback, with TLS at hand if nothing else is said. */
export async function startMariadb({ tls = true }: { readonly tls?: boolean } = {}): Promise<Mariadb> {
  const [user, certified] = ["quiesce", "certified"];
  const password = "pass'word\\";
  const authority = makeAuthority("MariaDB test authority");
  const certificate = issueCertificate(authority, { name: "localhost" });
  const client = issueCertificate(authority, { name: "quiesce" });
  const server = await startServer({
    name: "mariadb",
    user: "mysql",
    prepare: async (place) => {
      await place.write("server-cert.pem", certificate.cert);
      await place.write("server-key.pem", certificate.key);
      await place.write("ca.pem", authority.cert);
      await place.write(
        "init.sql",
        [
          "create database if not exists shop character set utf8mb4;",
          `create user if not exists ${user}@localhost identified by 'pass''word\\\\';`,
          `grant all on shop.* to ${user}@localhost;`,
          `create user if not exists admin@localhost identified by '${ADMIN_PASSWORD}';`,
          "grant all on *.* to admin@localhost;",
          "create user if not exists reader@localhost identified by 'reader';",
          `create user if not exists ${certified}@localhost identified by 'pass''word\\\\' require x509;`,
          `grant all on shop.* to ${certified}@localhost;`,
          "create table if not exists shop.readable (id int primary key);",
          "grant select on shop.readable to reader@localhost;",
          "",
        ].join("\n"),
      );
      // A MariaDB that starts clears the temporary tables of its temporary folder away: in a shared one, another's too.
      place.run(
        "mariadb-install-db",
        ["--no-defaults", `--datadir=${place.folder}/data`, "--auth-root-authentication-method=normal", "--skip-test-db"],
        { TMPDIR: place.folder },
      );
    },
    command: ({ folder, port }) => ({
      program: "mariadbd",
      args: [
        "--no-defaults",
        `--datadir=${folder}/data`,
        `--port=${port}`,
        "--bind-address=127.0.0.1",
        `--socket=${folder}/socket`,
        `--pid-file=${folder}/pid`,
        `--init-file=${folder}/init.sql`,
        `--tmpdir=${folder}`,
        ...(tls
          ? [`--ssl-ca=${folder}/ca.pem`, `--ssl-cert=${folder}/server-cert.pem`, `--ssl-key=${folder}/server-key.pem`]
          : ["--skip-ssl"]),
        "--innodb-flush-log-at-trx-commit=2",
      ],
    }),
  });
  return { server, user, certified, password, admin: { user: "admin", password: ADMIN_PASSWORD }, ca: authority.cert, client };
}
