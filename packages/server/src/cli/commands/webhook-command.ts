import { Command, InvalidArgumentError, Option } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { discardDelivery, listWebhookDeliveries, replayDelivery } from "../operations/alert-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";

const MOST = 10_000;
const STATES = ["waiting", "done", "dead", "discarded"] as const;

/** `quiesce webhook`: what systems send by themselves. */
export function webhookCommand(cli: Cli): Command {
  return new Command("webhook")
    .description("what systems send to /hooks/<endpoint>: see what came, try what failed once more, give it up")
    .addCommand(listCommand(cli))
    .addCommand(changeCommand(cli, "replay"))
    .addCommand(changeCommand(cli, "discard"));
}

interface ListOptions {
  readonly endpoint?: string;
  readonly state?: readonly string[];
  readonly limit: number;
  readonly json?: boolean;
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("deliveries, the newest first")
    .option("-e, --endpoint <key>", "to one endpoint")
    .addOption(new Option("--state <state...>", "in these states").choices(STATES))
    .option("-n, --limit <count>", "at most so many (1 to 10000)", limitOf, 50)
    .option("--json", "print them as JSON")
    .action(async (options: ListOptions) => {
      const filter = { endpoint: options.endpoint, states: options.state?.map((state) => state.toUpperCase()) };
      const api = await cli.api();
      const deliveries = await readPages(
        options.limit,
        async (page) => (await api.request(listWebhookDeliveries, { ...page, filter })).webhookDeliveries,
      );
      if (options.json === true) return printJson(cli, deliveries);
      if (deliveries.length === 0) return note(cli, "No deliveries.");
      print(
        cli,
        ...renderTable(
          [
            { title: "NUMBER", value: (one) => one.key, align: "right" },
            { title: "CAME", value: (one) => formatLocalInstant(instantOf(one.receivedAt)) },
            { title: "ENDPOINT", value: (one) => one.endpoint.key },
            { title: "FOR", value: (one) => one.facet },
            { title: "STATE", value: (one) => one.state.toLowerCase() },
            { title: "BYTES", value: (one) => String(one.bytes), align: "right" },
            { title: "", value: (one) => plainText(one.error?.message ?? ""), flexible: true },
          ],
          deliveries,
          { width: cli.out.columns(), styles: cli.out.styles },
        ),
      );
    });
}

function changeCommand(cli: Cli, deed: "replay" | "discard"): Command {
  return new Command(deed)
    .description(
      deed === "replay"
        ? "have deliveries that are dead tried once more"
        : "give deliveries up that are dead; their contents are let go of",
    )
    .argument("<numbers...>", "their numbers")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print their numbers as JSON")
    .action(async (numbers: readonly string[], { reason, json }: { readonly reason: string; readonly json?: boolean }) => {
      const api = await cli.api();
      for (const key of numbers) {
        if (deed === "replay") await api.request(replayDelivery, { input: { key, reason } });
        else await api.request(discardDelivery, { input: { key, reason } });
      }
      if (json === true) return printJson(cli, numbers);
      print(cli, `${numbers.length} ${deed === "replay" ? "to be tried once more" : "given up"}.`);
    });
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return limit;
  throw new InvalidArgumentError(`Expected 1 to ${MOST}.`);
}
