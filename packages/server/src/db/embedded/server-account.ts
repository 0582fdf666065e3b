import { spawnSync } from "node:child_process";
import { DomainError } from "@quiesce/core";

/** The operating system account that PostgreSQL runs under when Quiesce itself runs as root. */
export interface ServerAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const ACCOUNT_NAMES = ["postgres", "nobody"] as const;

const readId = (flag: "-u" | "-g", name: string): number | undefined => {
  const answer = spawnSync("id", [flag, name], { encoding: "utf8" });
  const id = Number.parseInt(answer.stdout ?? "", 10);
  return answer.status === 0 && Number.isInteger(id) ? id : undefined;
};

/**
 * PostgreSQL refuses to run as root, so root hands it to `postgres`, else to `nobody`.
 * Answers undefined for an ordinary user: then PostgreSQL runs as that user.
 */
export function chooseServerAccount(): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ACCOUNT_NAMES) {
    const uid = readId("-u", name);
    const gid = readId("-g", name);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { name, uid, gid };
  }
  throw new DomainError(
    "QSC_DB_NO_ACCOUNT",
    "Quiesce runs as root, PostgreSQL does not run as root, and this system has neither the user postgres nor nobody. " +
      "Run Quiesce as an ordinary user, or set DATABASE_URL to a PostgreSQL 15 or newer.",
  );
}
