import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { basicAuth, bearer, hmac, standardWebhooks, type WebhookRequest, type WebhookVerifier } from "./index.js";

const NOW = new Date("2026-11-20T08:00:00.000Z");

/** What a system documents as a good request, and the secret it is signed with. */
interface Published {
  readonly verify: WebhookVerifier;
  readonly secret: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  readonly signature: string;
  readonly verdict: { readonly deliveryId?: string; readonly sentAt?: Date };
}

// The example of the specification's own test suite.
const STANDARD: Published = {
  verify: standardWebhooks(),
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  headers: {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  body: '{"test": 2432232314}',
  signature: "webhook-signature",
  verdict: { deliveryId: "msg_p5jXN8AQM9LWM0D4loKWxJek", sentAt: new Date(1_614_265_330_000) },
};

// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
const GITHUB: Published = {
  verify: hmac({ header: "X-Hub-Signature-256", prefix: "sha256=", encoding: "hex", deliveryHeader: "X-GitHub-Delivery" }),
  secret: "It's a Secret to Everybody",
  headers: {
    "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
  },
  body: "Hello, World!",
  signature: "x-hub-signature-256",
  verdict: { deliveryId: "72d3162e-cc78-11e3-81ab-4c9367dc0958" },
};

// https://api.slack.com/authentication/verifying-requests-from-slack
const SLACK: Published = {
  verify: hmac({
    header: "X-Slack-Signature",
    prefix: "v0=",
    encoding: "hex",
    timestampHeader: "X-Slack-Request-Timestamp",
    signed: ({ timestamp }) => `v0:${timestamp}:`,
  }),
  secret: "8f742231b10e8888abcd99yyyzzz85a5",
  headers: {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
  },
  body:
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
    "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
    "%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
  signature: "x-slack-signature",
  verdict: { sentAt: new Date(1_531_420_618_000) },
};

function request(headers: WebhookRequest["headers"], body: string | Uint8Array): WebhookRequest {
  return { method: "POST", path: "/", headers, query: {}, body: typeof body === "string" ? new TextEncoder().encode(body) : body };
}

describe.each([
  ["Standard Webhooks", STANDARD],
  ["GitHub", GITHUB],
  ["Slack", SLACK],
])("the published example of %s", (_name, published) => {
  const { verify, secret, headers, body, signature } = published;

  test("is accepted, with what it says of itself", () => {
    expect(verify(request(headers, body), [secret], NOW)).toEqual({ ok: true, ...published.verdict });
  });

  test("is refused with any one byte altered", () => {
    const bytes = new TextEncoder().encode(body);
    for (let index = 0; index < bytes.length; index += 1) {
      const altered = Uint8Array.from(bytes, (byte, at) => (at === index ? byte ^ 1 : byte));
      expect(verify(request(headers, altered), [secret], NOW), `byte ${index}`).toMatchObject({ ok: false });
    }
    expect(verify(request(headers, `${body} `), [secret], NOW)).toMatchObject({ ok: false });
  });

  test("is refused with another secret, with none, and with an empty one that a stranger signs with", () => {
    for (const secrets of [["wrong"], [], [`x${secret}`]])
      expect(verify(request(headers, body), secrets, NOW)).toMatchObject({ ok: false });
    const empty = createHmac("sha256", "");
    const before = { STANDARD: "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.", SLACK: "v0:1531420618:" };
    const prefix = published === STANDARD ? before.STANDARD : published === SLACK ? before.SLACK : "";
    const digest = empty.update(prefix + body).digest(published === STANDARD ? "base64" : "hex");
    const given = headers[signature] ?? "";
    const forged = { ...headers, [signature]: given.slice(0, given.search(/[,=]/u) + 1) + digest };
    for (const secrets of [[""], ["whsec_"]].slice(0, published === STANDARD ? 2 : 1))
      expect(verify(request(forged, body), secrets, NOW)).toMatchObject({ ok: false });
  });

  test("is accepted while two secrets are good, in either order", () => {
    for (const secrets of [
      [secret, "dGhlIG5ldyBvbmU="],
      ["dGhlIG5ldyBvbmU=", secret],
    ])
      expect(verify(request(headers, body), secrets, NOW)).toMatchObject({ ok: true });
  });

  test("is refused without its signature, with a shorter and a longer one, naming the header", () => {
    const { [signature]: given = "", ...others } = headers;
    const refused = verify(request(others, body), [secret], NOW);
    expect(refused).toMatchObject({ ok: false, why: expect.stringMatching(new RegExp(signature, "iu")) });
    for (const other of [given.slice(0, -1), `${given}0`, "", "nonsense", given.toUpperCase().slice(0, 4)])
      expect(verify(request({ ...headers, [signature]: other }, body), [secret], NOW)).toMatchObject({ ok: false });
  });
});

describe("a time of sending", () => {
  test.each([
    ["webhook-timestamp", STANDARD],
    ["webhook-id", STANDARD],
    ["x-slack-request-timestamp", SLACK],
  ])("%s is signed: another one, none, and one that is no time are refused", (name, { verify, headers, body, secret }) => {
    const { [name]: given = "", ...others } = headers;
    expect(given).not.toBe("");
    for (const changed of [{ ...headers, [name]: "1614265331" }, { ...headers, [name]: "soon" }, others])
      expect(verify(request(changed, body), [secret], NOW)).toMatchObject({ ok: false });
  });

  test("that is not signed is refused when the scheme is made", () => {
    expect(() => hmac({ header: "x-signature", encoding: "hex", timestampHeader: "x-time" })).toThrow(
      /timestampHeader "x-time" without signed/u,
    );
  });
});

describe("several signatures in one header", () => {
  const sign = (secret: string) => createHmac("sha256", secret).update("body").digest("hex");
  const verify = hmac({ header: "x-signature", prefix: "v1=", encoding: "hex", separator: "," });

  test("one good one is enough, and hexadecimal digits may be capitals", () => {
    const header = `v0=${sign("good")}, v1=${sign("old")}, v1=${sign("good").toUpperCase()}`;
    expect(verify(request({ "x-signature": header }, "body"), ["good"], NOW)).toEqual({ ok: true });
    expect(verify(request({ "x-signature": `v0=${sign("good")}` }, "body"), ["good"], NOW)).toMatchObject({ ok: false });
  });

  test("only the first ten are looked at", () => {
    const header = `${`v1=${sign("old")},`.repeat(10)}v1=${sign("good")}`;
    expect(verify(request({ "x-signature": header }, "body"), ["good"], NOW)).toMatchObject({ ok: false });
  });
});

describe("credentials instead of a signature", () => {
  test("bearer wants the scheme, whatever its case, and one of the secrets", () => {
    const verify = bearer();
    const asked = (authorization: string) => verify(request({ authorization }, ""), ["one", "two"], NOW);
    expect(asked("Bearer two")).toEqual({ ok: true });
    expect(asked("bearer one")).toEqual({ ok: true });
    for (const bad of ["one", "Basic one", "Bearer", "Bearer three", "Bearer one two", ""])
      expect(asked(bad), bad).toMatchObject({ ok: false });
    expect(verify(request({ authorization: "Bearer " }, ""), [""], NOW)).toMatchObject({ ok: false });
  });

  test("a header of the system's choice holds the secret alone", () => {
    const verify = bearer({ header: "X-Gitlab-Token" });
    expect(verify(request({ "x-gitlab-token": "one" }, ""), ["one"], NOW)).toEqual({ ok: true });
    expect(verify(request({ "x-gitlab-token": "Bearer one" }, ""), ["one"], NOW)).toMatchObject({ ok: false });
  });

  test("basic compares user and password, which may hold a colon and letters of any script", () => {
    const verify = basicAuth();
    const asked = (pair: string) =>
      verify(request({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` }, ""), ["zoë:a:b"], NOW);
    expect(asked("zoë:a:b")).toEqual({ ok: true });
    for (const bad of ["zoë:a", "zoë", "", ":"]) expect(asked(bad)).toMatchObject({ ok: false });
    expect(verify(request({}, ""), ["a:b"], NOW)).toMatchObject({ ok: false });
  });
});
