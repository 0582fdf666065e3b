import { MeDocument, type MeQuery, refusalOf } from "@quiesce/client";
import { createContext, type ReactNode, useContext } from "react";
import { useQuery } from "urql";
import { ErrorState, Loading } from "../components/states.js";
import { SignInPage } from "./sign-in-page.js";
import { useConnectionStatus } from "./live.js";

/** Who is signed in. */
export type Session = MeQuery["me"];

const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("useSession is used outside the app.");
  return session;
}

/** Shows what is inside to whoever is signed in; everybody else signs in here, and stays at the address. */
export function SignedIn({ children }: { readonly children: ReactNode }) {
  const [{ data, error }, again] = useQuery({ query: MeDocument, variables: {} });
  const status = useConnectionStatus();
  if (status.kind === "signed-out") return <SignInPage refusal={status.refusal} />;
  if (data !== undefined) return <SessionContext.Provider value={data.me}>{children}</SessionContext.Provider>;
  const refusal = refusalOf(error);
  if (refusal === null) return <Loading />;
  return <ErrorState refusal={refusal} onAgain={() => again({ requestPolicy: "network-only" })} />;
}
