import { Command, Option } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { enumOf, type GrantInput, grantOption } from "../grants.js";
import { createSignInLink } from "../operations/account-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";

const ROLES = ["viewer", "operator", "approver", "connector-author", "auditor", "admin"] as const;

interface LinkOptions {
  readonly for?: string;
  readonly role?: string;
  readonly grant: readonly GrantInput[];
  readonly json?: boolean;
}

/** `quiesce sign-in-link`: into the browser without a provider of identities. */
export function signInLinkCommand(cli: Cli): Command {
  return new Command("sign-in-link")
    .description("make a link that signs a browser in, once, within 15 minutes; it is printed to standard output")
    .option("--for <name>", "a local person (default: the local admin); people of the identity provider sign in there")
    .addOption(new Option("--role <role>", "makes a new local person of that name, who may do this everywhere").choices(ROLES))
    .option("--grant <grant>", "the same for a part: operator@team:erp; again for more", grantOption, [])
    .option("--json", "print it as JSON")
    .action(async (options: LinkOptions) => {
      const api = await cli.api();
      const wanted = [...(options.role === undefined ? [] : [{ role: enumOf(options.role), scope: "ALL" }]), ...options.grant];
      const grants = wanted.length === 0 ? {} : { grants: wanted };
      const input = { ...(options.for === undefined ? {} : { name: options.for }), ...grants };
      const { createSignInLink: link } = await api.request(createSignInLink, { input });
      const url = link.url ?? `${api.connection.url}/auth/link#${link.secret}`;
      if (options.json === true) {
        printJson(cli, { name: link.name, url, expiresAt: link.expiresAt });
        return;
      }
      note(
        cli,
        `Signs a browser in as ${plainText(link.name)}, once, until ${formatLocalInstant(instantOf(link.expiresAt))}. Whoever has the link can use it.`,
      );
      print(cli, url);
    });
}
