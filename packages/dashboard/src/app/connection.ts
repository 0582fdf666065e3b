import { connect, type Connection } from "@quiesce/client";
import { createContext, useContext } from "react";

const STORE_KEY = "quiesce.token";

/** The token that somebody showed instead of signing in: for this tab, or kept for a screen on a wall. */
export function shownToken(): string | null {
  return sessionStorage.getItem(STORE_KEY) ?? localStorage.getItem(STORE_KEY);
}

export function keepToken(token: string, options: { readonly onThisScreen: boolean }): void {
  (options.onThisScreen ? localStorage : sessionStorage).setItem(STORE_KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(STORE_KEY);
  localStorage.removeItem(STORE_KEY);
}

export function openConnection(): Connection {
  const connection = connect({ url: new URL("/graphql", location.origin).href, token: shownToken });
  // The browser knows before any ping that the network is back, or another one.
  addEventListener("online", () => connection.live.reconnect());
  return connection;
}

const ConnectionContext = createContext<Connection | null>(null);
export const ConnectionProvider = ConnectionContext.Provider;

/** The way to the server, for what the hooks of `live.ts` do not do. */
export function useConnection(): Connection {
  const connection = useContext(ConnectionContext);
  if (connection === null) throw new Error("useConnection is used outside the app.");
  return connection;
}
