import { randomBytes } from "node:crypto";
import postgres from "postgres";

export interface FreshDatabase {
  readonly url: string;
  /** Ends the connections that are still open and removes the database. */
  drop(): Promise<void>;
}

const fromEnvironment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} is not set: give the vitest project of this test globalSetup ["test/database/global-setup.ts"].`);
  }
  return value;
};

const runOnce = async (url: string, statement: string): Promise<void> => {
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await admin.unsafe(statement);
  } finally {
    await admin.end();
  }
};

/**
 * A database of its own for one test file: a copy of the migrated template, or an empty one. Whatever a test
 * forgets to drop goes with the cluster at the end of the run.
 */
export async function freshDatabase(options: { readonly empty?: boolean } = {}): Promise<FreshDatabase> {
  const adminUrl = fromEnvironment("QUIESCE_TEST_ADMIN_URL");
  const template = fromEnvironment("QUIESCE_TEST_TEMPLATE");
  const name = `${template}_${randomBytes(5).toString("hex")}`;
  await runOnce(adminUrl, `create database ${name} template ${options.empty === true ? "template0" : template} strategy file_copy`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runOnce(adminUrl, `drop database if exists ${name} with (force)`) };
}
