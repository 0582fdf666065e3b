import { Command } from "commander";
import { type Cli, print, printJson } from "../cli.js";
import { approveWindow, rejectWindow } from "../operations/planning-operations.js";

interface DecisionOptions {
  readonly comment?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

/** `quiesce window approve`: somebody's word that the window may hold. */
export function windowApproveCommand(cli: Cli): Command {
  return new Command("approve")
    .description("give your word for a window that needs an approval; it holds once every policy is satisfied")
    .argument("<window>", "the window's key")
    .option("-c, --comment <text>", "what to say with it; stays on record")
    .option("--json", "print the window as JSON")
    .action(async (key: string, options: DecisionOptions) => {
      const input = { key, ...(options.comment === undefined ? {} : { comment: options.comment }) };
      const { approveMaintenanceWindow: window } = await (await cli.api()).request(approveWindow, { input });
      if (options.json === true) {
        printJson(cli, window);
        return;
      }
      const given = new Set(window.approval?.given.map(({ policy }) => policy));
      const open = (window.approval?.needed ?? []).map(({ policy }) => policy).filter((policy) => !given.has(policy));
      print(
        cli,
        open.length === 0
          ? `Window ${window.key} is approved: it holds.`
          : `Window ${window.key} has your word and holds nothing yet: ${open.join(", ")} wants another one.`,
      );
    });
}

/** `quiesce window reject`: the window shall not hold as it is. */
export function windowRejectCommand(cli: Cli): Command {
  return new Command("reject")
    .description("refuse a window that needs an approval; it holds nothing until it is changed and approved")
    .argument("<window>", "the window's key")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the window as JSON")
    .action(async (key: string, options: DecisionOptions) => {
      const { rejectMaintenanceWindow: window } = await (
        await cli.api()
      ).request(rejectWindow, { input: { key, comment: options.reason ?? "" } });
      if (options.json === true) printJson(cli, window);
      else print(cli, `Window ${window.key} is refused: it holds nothing until it is changed and approved.`);
    });
}
