import { createHash, randomBytes } from "node:crypto";
import { ConnectorError, type IssuedSecrets, type IssueRequest } from "@quiesce/sdk";
import { type Database, openDatabase, type PostgresContext, quoted } from "./postgres-client.js";
import { loginOf, type PostgresConfig, type PostgresSecrets } from "./postgres-config.js";
import { scramVerifier } from "./scram-verifier.js";

const PASSWORD_BYTES = 32;
/** Our note in a role's comment: the number of the last step, and which password it gave. What else the comment says stays. */
const NOTE = /\s*\[quiesce step=(\d+) password=([0-9a-f]{16})\]/u;

/** Gives the role that is not in use a new password. The other one, which runs work with, is not touched. */
export async function issuePassword(x: PostgresContext, request: IssueRequest): Promise<IssuedSecrets> {
  const { roles } = rotationOf(x.config);
  const turn = loginOf(x.config, x.secrets).turn === "a" ? "b" : "a";
  const role = turn === "a" ? roles[0] : roles[1];
  const password = randomBytes(PASSWORD_BYTES).toString("base64url");
  await asRotator(x, role, async (database, { step, comment }) => {
    if (step !== null && step >= request.fence)
      throw new ConnectorError(
        "conflict",
        `The role ${role} was given a password by step ${step}, this is step ${request.fence}: another server has gone on. If the server was restored from a backup, remove the note in [] from the comment of the role.`,
      );
    await database.query(`alter role ${quoted(role)} login password '${scramVerifier(password)}'`);
    await database.query(commentOn(role, `${comment} [quiesce step=${request.fence} password=${digestOf(password)}]`.trim()));
  });
  return { secrets: { turn, password } };
}

/** Ends a password: its role cannot log in until it is given another one. */
export async function revokePassword(x: PostgresContext, old: PostgresSecrets): Promise<void> {
  const { roles } = rotationOf(x.config);
  const ended = loginOf(x.config, old).turn;
  // Never the one that runs work with.
  if (ended === loginOf(x.config, x.secrets).turn) return;
  const role = ended === "a" ? roles[0] : roles[1];
  await asRotator(x, role, async (database, { password }) => {
    // A later rotation gave the role another one: that was not meant.
    if (password !== null && password !== digestOf(old.password ?? "")) return;
    await database.query(`alter role ${quoted(role)} nologin password null`);
  });
}

interface Note {
  readonly step: number | null;
  readonly password: string | null;
  /** The comment without the note. */
  readonly comment: string;
}

/** Works on a role as the rotator, one at a time: all or nothing. */
async function asRotator(x: PostgresContext, role: string, work: (database: Database, note: Note) => Promise<void>): Promise<void> {
  const { as } = rotationOf(x.config);
  const database = await openDatabase(x, { user: as, password: x.secrets.rotatorPassword ?? "", role: undefined });
  try {
    await database.transaction(async () => {
      await database.query("select pg_advisory_xact_lock(hashtextextended('quiesce rotation ' || $1::text, 0))", [role]);
      const [found] = await database.query("select shobj_description(oid, 'pg_authid') as comment from pg_roles where rolname = $1::text", [
        role,
      ]);
      if (found === undefined)
        throw new ConnectorError("config", `There is no role ${role}. Create it, or correct rotation.roles.`, { field: "rotation" });
      const comment = typeof found["comment"] === "string" ? found["comment"] : "";
      const [note, step, password] = NOTE.exec(comment) ?? [];
      await work(database, {
        step: step === undefined ? null : Number(step),
        password: password ?? null,
        comment: comment.replace(note ?? "", ""),
      });
    });
  } finally {
    await database.close();
  }
}

function rotationOf(config: PostgresConfig): NonNullable<PostgresConfig["rotation"]> {
  if (config.rotation === undefined)
    throw new ConnectorError("config", "The endpoint's configuration has no rotation, so its passwords are given by a person.", {
      field: "rotation",
    });
  return config.rotation;
}

function commentOn(role: string, comment: string): string {
  const text = comment.replaceAll("\\", "\\\\").replaceAll("'", "''");
  return `comment on role ${quoted(role)} is E'${text}'`;
}

function digestOf(password: string): string {
  return createHash("sha256").update(password).digest("hex").slice(0, 16);
}
