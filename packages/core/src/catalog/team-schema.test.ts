import { describe, expect, it } from "vitest";
import { webhookSecretProblem } from "./team-schema.js";
import { parseWorkspace } from "./workspace-document.js";

const team = (webhook: object) => parseWorkspace({ quiesce: 1, teams: [{ key: "erp-team", webhooks: [webhook] }] });
const good = { url: "https://hooks.example.com/quiesce", secret: { env: "HOOK_SECRET" } };

describe("a team in a workspace", () => {
  it("has webhooks with an address, a secret and the kinds that they want", () => {
    expect(team({ ...good, events: ["window.quiesced", "window.*", "window.quiesced"] })).toMatchObject({
      ok: true,
      document: { teams: [{ title: "erp-team", webhooks: [{ events: ["window.*", "window.quiesced"], observe: false }] }] },
    });
  });

  it.each([
    [{ ...good, url: "ftp://hooks.example.com" }, "teams[0].webhooks[0].url"],
    [{ ...good, url: "https://user:word@hooks.example.com" }, "teams[0].webhooks[0].url"],
    [{ ...good, url: "https://hooks.example.com/#here" }, "teams[0].webhooks[0].url"],
    [{ ...good, events: ["run.finished"] }, "teams[0].webhooks[0].events[0]"],
    [{ ...good, events: ["access.new-network", "access.netwrok"] }, "teams[0].webhooks[0].events[1]"],
    [{ ...good, events: ["access-review.*", "access-review.decided"] }, "teams[0].webhooks[0].events[1]"],
    [{ url: good.url }, "teams[0].webhooks[0].secret"],
  ])("refuses %j", (webhook, path) => {
    expect(team(webhook)).toMatchObject({ ok: false, problems: [{ path }] });
  });

  it("has mail addresses, each with the stream of an endpoint by which mails go there", () => {
    const mails = (...some: readonly object[]) => parseWorkspace({ quiesce: 1, teams: [{ key: "erp-team", mails: some }] });
    const mail = { to: "oncall@example.com", endpoint: "post", stream: "notices" };
    expect(mails({ ...mail, events: ["incident.*", "incident.opened"] })).toMatchObject({
      ok: true,
      document: { teams: [{ mails: [{ ...mail, events: ["incident.*", "incident.opened"], observe: false }] }] },
    });
    for (const to of ["oncall", "On call <oncall@example.com>", "a@example.com, b@example.com", "a@example.com\nBcc: b@example.com"])
      expect(mails({ ...mail, to })).toMatchObject({ ok: false, problems: [{ path: "teams[0].mails[0].to" }] });
    expect(mails(mail, mail)).toMatchObject({ ok: false, problems: [{ path: "teams[0].mails" }] });
    expect(mails({ to: mail.to, endpoint: "post" })).toMatchObject({ ok: false, problems: [{ path: "teams[0].mails[0].stream" }] });
  });

  it("does not repeat a secret that stands where a source is expected", () => {
    const parsed = team({ ...good, secret: "whsec_hidden" });
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain("hidden");
  });
});

it.each([
  [`whsec_${Buffer.alloc(24).toString("base64")}`, true],
  [`whsec_${Buffer.alloc(64).toString("base64")}`, true],
  [`whsec_${Buffer.alloc(23).toString("base64")}`, false],
  [`whsec_${Buffer.alloc(65).toString("base64")}`, false],
  [Buffer.alloc(32).toString("base64"), false],
  ["whsec_", false],
  ["a password", false],
])("%s as a webhook's secret is taken: %s", (value, taken) => {
  expect(webhookSecretProblem(value) === undefined).toBe(taken);
});
