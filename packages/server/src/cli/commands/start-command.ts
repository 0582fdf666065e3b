import { Command } from "commander";
import type { Cli } from "../cli.js";

/** `quiesce start`: the server in this process. */
export function startCommand(cli: Cli): Command {
  return new Command("start")
    .description("start the server in the foreground; Ctrl-C stops it. Its settings are environment variables")
    .action(async () => {
      const main = (await import(new URL("../../main.js", import.meta.url).href)) as { readonly runServer: () => Promise<number> };
      cli.exitCode = await main.runServer();
    });
}
