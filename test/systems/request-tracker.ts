import { type ServerProcess, startServer } from "./server-process.js";

const LIBEXEC = "/usr/share/request-tracker5/libexec/rt-server";

/** What a suite with a real Request Tracker needs. */
export const REQUEST_TRACKER = { programs: ["rt-setup-database-5", LIBEXEC], packages: "request-tracker5 rt5-db-sqlite" };

/** REST 2.0 of RT 5.0 cannot apply a custom field to a queue. */
const DATA = `
our @CustomFields = (
  { Name => 'Quiesce key', Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket', Queue => 0 },
  { Name => 'Area', Type => 'SelectSingle', LookupType => 'RT::Queue-RT::Ticket', Queue => 0, Values => [{ Name => 'erp' }, { Name => 'shop' }] },
);
our @Users = ({ Name => 'alice', Password => 'password', Privileged => 1 });
our @ACL = ({ UserId => 'alice', Right => 'SuperUser' });
1;
`;

/** A real RT 5 on loopback with an SQLite file of its own; user root, password `password`. */
export interface RequestTracker extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Asks REST 2.0 as some user would; gives back what it answers. */
  ask(method: string, path: string, body?: unknown, user?: string): Promise<unknown>;
}

/** Starts RT (a quarter of a minute), with the custom fields "Quiesce key" and "Area" on all queues, and a second user alice. */
export async function startRequestTracker(): Promise<RequestTracker> {
  const [user, password] = ["root", "password"];
  const environment = (folder: string) => ({ RT_SITE_CONFIG: `${folder}/RT_SiteConfig.pm`, RT_SITE_CONFIG_DIR: `${folder}/none` });
  const server = await startServer({
    name: "request-tracker",
    prepare: async ({ folder, port, run, write }) => {
      await write("RT_SiteConfig.pm", configuration(folder, port));
      run("rt-setup-database-5", ["--action", "init", "--skip-create"], environment(folder));
      const data = await write("data.pl", DATA);
      run("rt-setup-database-5", ["--action", "insert", "--skip-create", "--datafile", data], environment(folder));
    },
    command: ({ folder, port }) => ({ program: LIBEXEC, args: ["--port", String(port), "--host", "127.0.0.1"], env: environment(folder) }),
  });
  const url = `http://127.0.0.1:${server.port}`;
  const ask = async (method: string, path: string, body?: unknown, as = user): Promise<unknown> => {
    const authorization = `Basic ${Buffer.from(`${as}:${password}`).toString("base64")}`;
    const response = await fetch(`${url}/REST/2.0${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${await response.text()}`);
    return response.json();
  };
  return { server, url, user, password, ask, [Symbol.asyncDispose]: () => server.remove() };
}

function configuration(folder: string, port: number): string {
  return [
    `Set($rtname,'quiesce'); Set($Organization,'example.test'); Set($WebDomain,'127.0.0.1'); Set($WebPort,${port});`,
    `Set($WebBaseURL,'http://127.0.0.1:${port}'); Set($CanonicalizeRedirectURLs,0); Set($RestrictReferrer,0);`,
    `Set($DatabaseType,'SQLite'); Set($DatabaseName,'${folder}/rt.sqlite');`,
    "Set($LogToSyslog,undef); Set($LogToSTDERR,'warning'); Set($MailCommand,'testfile');",
    "1;",
    "",
  ].join("\n");
}
