import { type ServerProcess, startServer } from "./server-process.js";
import { answersHttp } from "./wait-until.js";

/** What a suite with a real Alertmanager needs. */
export const ALERTMANAGER = { programs: ["prometheus-alertmanager", "prometheus"], packages: "prometheus-alertmanager prometheus" };

/** A real Alertmanager on loopback with a folder of its own. */
export interface Alertmanager extends AsyncDisposable, Pick<ServerProcess, "start" | "stop" | "kill"> {
  readonly url: string;
  /** Tells it of alerts, as Prometheus does; `endsAt` in the past resolves one. */
  tell(
    alerts: readonly { labels: Record<string, string>; annotations?: Record<string, string>; startsAt?: string; endsAt?: string }[],
  ): Promise<void>;
  /** Makes a silence as a person at its page would; gives its id. */
  silence(matchers: Record<string, string>, comment: string): Promise<string>;
  remove(): Promise<void>;
}

/** Where Alertmanager delivers, and what it shows there. */
interface Receiver {
  readonly url: string;
  readonly authorization: string;
}

/** Starts Alertmanager. It groups nothing and waits for nothing; with `webhooks` it delivers to each. */
export async function startAlertmanager(options: { readonly webhooks?: readonly Receiver[] } = {}): Promise<Alertmanager> {
  const server = await startServer({
    name: "alertmanager",
    prepare: async (place) => void (await place.write("alertmanager.yml", configuration(options.webhooks ?? []))),
    command: ({ folder, port }) => ({
      program: "prometheus-alertmanager",
      args: [
        `--config.file=${folder}/alertmanager.yml`,
        `--storage.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--cluster.listen-address=",
      ],
    }),
    ready: ({ port }) => answersHttp(`http://127.0.0.1:${port}/-/ready`),
  });
  const url = `http://127.0.0.1:${server.port}`;
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path} was answered with ${response.status}: ${await response.text()}`);
    const text = await response.text();
    return text === "" ? undefined : JSON.parse(text);
  };
  const alertmanager: Alertmanager = {
    url,
    start: () => server.start(),
    stop: () => server.stop(),
    kill: () => server.kill(),
    tell: async (alerts) => void (await post("/api/v2/alerts", alerts)),
    silence: async (matchers, comment) => {
      const body = {
        matchers: Object.entries(matchers).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
        createdBy: "admin",
        comment,
      };
      return ((await post("/api/v2/silences", body)) as { silenceID: string }).silenceID;
    },
    remove: () => server.remove(),
    [Symbol.asyncDispose]: () => server.remove(),
  };
  return alertmanager;
}

function configuration(webhooks: readonly Receiver[]): string {
  const hooks = webhooks.map(
    ({ url, authorization }) => `{url: '${url}', send_resolved: true, http_config: {authorization: {credentials: '${authorization}'}}}`,
  );
  return [
    "route: {receiver: hook, group_by: [alertname, system], group_wait: 0s, group_interval: 1s, repeat_interval: 1m}",
    "receivers:",
    "- name: hook",
    ...(hooks.length === 0 ? [] : [`  webhook_configs: [${hooks.join(", ")}]`]),
    "",
  ].join("\n");
}

/** Starts a real Prometheus that watches itself, and a target `erp` where nothing listens, every second. */
export function startPrometheus(): Promise<ServerProcess> {
  return startServer({
    name: "prometheus",
    prepare: async ({ port, write }) => {
      const targets = [["self", `127.0.0.1:${port}`] as const, ["erp", "127.0.0.1:1"] as const];
      const jobs = targets.map(([name, target]) => `- {job_name: ${name}, static_configs: [{targets: ['${target}']}]}`);
      await write("prometheus.yml", ["global: {scrape_interval: 1s}", "scrape_configs:", ...jobs, ""].join("\n"));
    },
    command: ({ folder, port }) => ({
      program: "prometheus",
      args: [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
    }),
    ready: ({ port }) => answersHttp(`http://127.0.0.1:${port}/-/ready`),
  });
}
