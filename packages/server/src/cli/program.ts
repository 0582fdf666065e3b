import { Command } from "commander";
import type { Cli } from "./cli.js";
import { accessReviewCommand } from "./commands/access-review-command.js";
import { accountCommand } from "./commands/account-command.js";
import { alertCommand } from "./commands/alert-command.js";
import { incidentsCommand } from "./commands/incidents-command.js";
import { correlationRulesCommand } from "./commands/correlation-rules-command.js";
import { problemsCommand } from "./commands/problems-command.js";
import { applyCommand } from "./commands/apply-command.js";
import { auditCommand } from "./commands/audit-command.js";
import { backupCommand } from "./commands/backup-command.js";
import { breakGlassCommand } from "./commands/break-glass-command.js";
import { clockCommand } from "./commands/clock-command.js";
import { calendarCommand } from "./commands/calendar-command.js";
import { connectorCommand } from "./commands/connector-command.js";
import { credentialCommand } from "./commands/credential-command.js";
import { deadLettersCommand } from "./commands/dead-letters-command.js";
import { doctorCommand } from "./commands/doctor-command.js";
import { execCommand } from "./commands/exec-command.js";
import { explainCommand } from "./commands/explain-command.js";
import { exportCommand } from "./commands/export-command.js";
import { gateCommand } from "./commands/gate-command.js";
import { importCommand } from "./commands/import-command.js";
import { integrationCommand } from "./commands/integration-command.js";
import { keyCommand } from "./commands/key-command.js";
import { kpiCommand } from "./commands/kpi-command.js";
import { anomaliesCommand } from "./commands/anomalies-command.js";
import { objectivesCommand } from "./commands/objectives-command.js";
import { thresholdsCommand } from "./commands/thresholds-command.js";
import { ledgerCommand } from "./commands/ledger-command.js";
import { mappingCommand } from "./commands/mapping-command.js";
import { migrateCommand } from "./commands/migrate-command.js";
import { modeCommand } from "./commands/mode-command.js";
import { pauseCommand } from "./commands/pause-command.js";
import { pushCommand } from "./commands/push-command.js";
import { reconcileCommand } from "./commands/reconcile-command.js";
import { restoreCommand } from "./commands/restore-command.js";
import { resumeCommand } from "./commands/resume-command.js";
import { runCommand } from "./commands/run-command.js";
import { runsCommand } from "./commands/runs-command.js";
import { samplesCommand } from "./commands/samples-command.js";
import { signInLinkCommand } from "./commands/sign-in-link-command.js";
import { slaCommand } from "./commands/sla-command.js";
import { startCommand } from "./commands/start-command.js";
import { statusCommand } from "./commands/status-command.js";
import { syncConflictsCommand } from "./commands/sync-conflicts-command.js";
import { teamCommand } from "./commands/team-command.js";
import { tokenCommand } from "./commands/token-command.js";
import { traceCommand } from "./commands/trace-command.js";
import { validateCommand } from "./commands/validate-command.js";
import { webhookCommand } from "./commands/webhook-command.js";
import { windowCommand } from "./commands/window-command.js";
import { zonesCommand } from "./commands/zones-command.js";

/** The command `quiesce` with everything below it; parsing it runs a command in the given world. */
export function buildProgram(cli: Cli): Command {
  const program = new Command("quiesce")
    .description("hold every job that touches a system in maintenance, and let it go again in order")
    .version(cli.version, "-V, --version", "print the version")
    .option("--url <url>", "the server's address (QUIESCE_URL; default: http://127.0.0.1:4000)")
    .option("--token <token>", "the API token (QUIESCE_TOKEN is better: other users see command lines)");
  const commands = [
    startCommand,
    migrateCommand,
    backupCommand,
    restoreCommand,
    statusCommand,
    explainCommand,
    runsCommand,
    runCommand,
    ledgerCommand,
    windowCommand,
    calendarCommand,
    teamCommand,
    connectorCommand,
    credentialCommand,
    pauseCommand,
    resumeCommand,
    deadLettersCommand,
    syncConflictsCommand,
    traceCommand,
    webhookCommand,
    alertCommand,
    incidentsCommand,
    problemsCommand,
    correlationRulesCommand,
    kpiCommand,
    samplesCommand,
    objectivesCommand,
    thresholdsCommand,
    anomaliesCommand,
    slaCommand,
    integrationCommand,
    mappingCommand,
    reconcileCommand,
    breakGlassCommand,
    pushCommand,
    gateCommand,
    execCommand,
    validateCommand,
    applyCommand,
    exportCommand,
    importCommand,
    modeCommand,
    clockCommand,
    zonesCommand,
    accountCommand,
    tokenCommand,
    signInLinkCommand,
    accessReviewCommand,
    keyCommand,
    auditCommand,
    doctorCommand,
  ];
  for (const command of commands) program.addCommand(command(cli));
  return program;
}

/** Every command with its full name, the groups included: `window`, `window create`. */
export function commandsOf(
  command: Command,
  parents: readonly string[] = [],
): readonly { readonly name: string; readonly command: Command }[] {
  return command.commands.flatMap((child) => {
    const names = [...parents, child.name()];
    return [{ name: names.join(" "), command: child }, ...commandsOf(child, names)];
  });
}
