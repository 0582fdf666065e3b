/** How an endpoint shows who asks. The host adds it to requests of `x.fetch` to the connector's own origins, and never to another origin. */
export type AuthMethod =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "header"; readonly name: string; readonly value: string }
  | {
      readonly kind: "oauth2-client-credentials";
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scopes?: readonly string[] | undefined;
      /** How the client shows itself to the token endpoint: `basic` (RFC 6749, 2.3.1) if absent, or in the `body`. */
      readonly clientAuthentication?: "basic" | "body" | undefined;
      /** Parameters that this system wants beside the standard's, such as `audience`. */
      readonly parameters?: { readonly [name: string]: string } | undefined;
    }
  | {
      readonly kind: "oauth2-authorization-code";
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret?: string | undefined;
      /** What a person's consent has given. A newer one that the system hands out later is kept by the host. */
      readonly refreshToken: string;
      readonly scopes?: readonly string[] | undefined;
      readonly clientAuthentication?: "basic" | "body" | undefined;
    }
  | {
      readonly kind: "mtls";
      /** The client's certificate and key, and authorities to trust instead of the usual ones; each PEM. */
      readonly cert: string;
      readonly key: string;
      readonly ca?: string | undefined;
    };

/** The ways to show who asks. */
export type AuthKind = AuthMethod["kind"];
