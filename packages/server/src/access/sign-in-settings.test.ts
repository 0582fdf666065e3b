import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DomainError } from "@quiesce/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { silentLog } from "../../../../test/database/silent-log.js";
import { readConfig } from "../config.js";
import { loadProvider } from "./oidc/load-provider.js";

const provider = {
  QUIESCE_OIDC_ISSUER: "https://login.example.com/realms/staff",
  QUIESCE_OIDC_CLIENT_ID: "quiesce",
  QUIESCE_OIDC_ROLES: "ops=operator",
};
const refusal = (environment: Record<string, string>) => {
  try {
    readConfig(environment);
    return "nothing was refused";
  } catch (error) {
    return error instanceof DomainError ? error.message : String(error);
  }
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-sign-in-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("the settings of signing in", () => {
  it("have defaults: links alone, a working day without a request, one sign-in a day", () => {
    expect(readConfig({}).signIn).toEqual({ publicUrl: undefined, sessions: { idleSeconds: 28_800, lifetimeSeconds: 86_400 }, oidc: null });
    expect(readConfig({ QUIESCE_SESSION_HOURS: "1" }).signIn.sessions).toEqual({ idleSeconds: 3_600, lifetimeSeconds: 3_600 });
    expect(readConfig({ QUIESCE_PUBLIC_URL: "https://quiesce.example.com/" }).signIn.publicUrl).toBe("https://quiesce.example.com");
    expect(readConfig(provider).signIn.oidc).toMatchObject({ roleClaim: "groups", scopes: "openid profile email", defaultRole: null });
  });

  it("are refused by name where credentials would travel in the clear or nobody could come in", () => {
    for (const address of [
      "http://quiesce.example.com",
      "quiesce.example.com",
      "https://quiesce.example.com/below",
      "https://user@quiesce.example.com",
      "ftp://x",
    ])
      expect(refusal({ QUIESCE_PUBLIC_URL: address }), address).toContain("QUIESCE_PUBLIC_URL does not fit");
    for (const issuer of [
      "http://login.example.com",
      "http://127.0.0.1.evil.example",
      "login.example.com",
      "https://a:b@login.example.com",
    ])
      expect(refusal({ ...provider, QUIESCE_OIDC_ISSUER: issuer }), issuer).toContain("QUIESCE_OIDC_ISSUER does not fit");
    expect(refusal({ ...provider, QUIESCE_OIDC_ROLES: "" })).toContain("QUIESCE_OIDC_ROLES does not fit");
    expect(refusal({ ...provider, QUIESCE_OIDC_ROLES: "ops=root" })).toContain('found "ops=root"');
    expect(refusal({ ...provider, QUIESCE_OIDC_SCOPES: "profile" })).toContain("QUIESCE_OIDC_SCOPES does not fit");
    expect(refusal({ ...provider, QUIESCE_OIDC_CLIENT_ID: "" })).toContain("QUIESCE_OIDC_CLIENT_ID does not fit");
    expect(refusal({ QUIESCE_OIDC_CLIENT_ID: "quiesce" })).toContain("QUIESCE_OIDC_ISSUER does not fit");
    const both = { ...provider, QUIESCE_OIDC_CLIENT_SECRET: "hunter2-hunter2", QUIESCE_OIDC_CLIENT_SECRET_FILE: "/x" };
    expect(refusal(both)).toContain("QUIESCE_OIDC_CLIENT_SECRET_FILE does not fit");
    expect(refusal({ ...provider, QUIESCE_OIDC_CLIENT_SECRET: `hunter2${"x".repeat(2_000)}` })).not.toContain("hunter2");
  });

  it("take the client's secret from a file, and say which one cannot be read", async () => {
    const file = join(folder, "secret");
    await writeFile(file, "the-secret\n");
    const load = async (name: string) => {
      const { oidc } = readConfig({ ...provider, QUIESCE_OIDC_CLIENT_SECRET_FILE: name }).signIn;
      if (oidc === null) throw new Error("No provider was set up.");
      const loaded = await loadProvider(oidc, { log: silentLog, privateHosts: [] });
      await loaded.close();
      return loaded.settings.clientSecret;
    };
    expect(await load(file)).toBe("the-secret");
    await expect(load(join(folder, "absent"))).rejects.toThrow(/QUIESCE_OIDC_CLIENT_SECRET_FILE.*ENOENT/);
    await writeFile(file, " \n");
    await expect(load(file)).rejects.toThrow(/is empty/);
  });
});
