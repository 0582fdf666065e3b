import { Command } from "commander";
import { openKeyFile } from "../backup-place.js";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { type MasterKeyAnswer, readMasterKey, rotateMasterKey } from "../operations/credential-operations.js";

/** A call seals 10,000 rows; more than this nobody has. */
const MOST_CALLS = 1_000;

/** `quiesce key`: the master key that seals all secrets, and how it is changed. */
export function keyCommand(cli: Cli): Command {
  return new Command("key")
    .description("the master key that seals all secrets: make a new one, seal everything with it, throw the old one away")
    .addCommand(statusCommand(cli))
    .addCommand(addCommand(cli))
    .addCommand(rotateCommand(cli))
    .addCommand(dropCommand(cli));
}

function statusCommand(cli: Cli): Command {
  return new Command("status")
    .description("which master keys the server has, by their ids, and how many secrets each has sealed")
    .option("--json", "print it as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const { masterKey } = await (await cli.api()).request(readMasterKey);
      if (options.json === true) printJson(cli, masterKey);
      else print(cli, ...linesOf(masterKey));
    });
}

function linesOf({ current, others, sealed, remaining }: MasterKeyAnswer): readonly string[] {
  const counts = new Map(sealed.map(({ masterKey, values }) => [masterKey, values]));
  const line = (id: string, what: string): string => `${id}  ${what}, has sealed ${counts.get(id) ?? 0}`;
  const unknown = sealed.filter(({ masterKey }) => masterKey !== current && !others.includes(masterKey));
  return [
    line(current, "seals"),
    ...others.map((id) => line(id, "opens only")),
    ...unknown.map(({ masterKey, values }) => `${masterKey}  NOT HERE, has sealed ${values}: they do not open`),
    remaining === 0 ? "Everything is sealed by the first one." : `${remaining} are sealed by others. Next: quiesce key rotate`,
  ];
}

function addCommand(cli: Cli): Command {
  return new Command("add")
    .description("put a fresh master key before that of this machine's data folder; servers seal with it from their next start")
    .option("--json", "print the ids as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const keyFile = await openKeyFile(cli);
      const { addMasterKey } = await import("../../credentials/master-key.js");
      const { added, others } = await addMasterKey(keyFile);
      if (options.json === true) return printJson(cli, { keyFile, added, others });
      print(cli, `${keyFile}: ${added} is the first of ${others.length + 1} keys now. Back the file up.`);
      print(cli, "Next: restart the server, then: quiesce key rotate");
    });
}

function rotateCommand(cli: Cli): Command {
  return new Command("rotate")
    .description("seal everything again with the server's master key; goes on where it was interrupted")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--json", "print what is sealed by which key as JSON")
    .action(async (options: { readonly reason?: string; readonly json?: boolean }) => {
      const api = await cli.api();
      const input = options.reason === undefined ? {} : { reason: options.reason };
      let moved = 0;
      for (let call = 0; call < MOST_CALLS; call += 1) {
        const { rotateMasterKey: answer } = await api.request(rotateMasterKey, { input });
        moved += answer.moved;
        if (answer.moved > 0 && answer.remaining > 0) {
          note(cli, `${answer.remaining} left…`);
          continue;
        }
        if (options.json === true) printJson(cli, { ...answer, moved });
        else {
          print(cli, `${moved} rows were sealed again.`, ...linesOf(answer));
          if (answer.remaining === 0 && answer.others.length > 0) print(cli, "Next, when every server has the first key: quiesce key drop");
        }
        return;
      }
      throw new CliError(
        "refused",
        "Something goes on sealing with another master key. Look at quiesce key status, and at the other servers.",
      );
    });
}

function dropCommand(cli: Cli): Command {
  return new Command("drop")
    .description("take the keys that only open out of this machine's key file, once nothing is sealed by them")
    .option("--json", "print the ids as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const keyFile = await openKeyFile(cli);
      const { masterKey } = await (await cli.api()).request(readMasterKey);
      const { dropOtherMasterKeys, loadMasterKey } = await import("../../credentials/master-key.js");
      const first = await loadMasterKey({ keyFile });
      if (first.id !== masterKey.current)
        throw new CliError(
          "refused",
          `The server seals with ${masterKey.current}, the first key of ${keyFile} is ${first.id}. Restart it first.`,
        );
      if (masterKey.remaining > 0)
        throw new CliError("refused", `${masterKey.remaining} values are sealed by other keys. Run first: quiesce key rotate`);
      const dropped = await dropOtherMasterKeys(keyFile);
      if (options.json === true) return printJson(cli, { keyFile, current: first.id, dropped });
      print(cli, dropped.length === 0 ? `${keyFile} holds one key.` : `${keyFile}: ${dropped.join(", ")} taken out; ${first.id} stays.`);
      if (dropped.length > 0) print(cli, "Backups from before need the old key: keep it with them, or make a new backup now.");
    });
}
