import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { Provider as GraphqlProvider } from "urql";
import { ConnectionProvider, openConnection } from "./connection.js";
import { Messages } from "./messages.js";
import { router } from "./router.js";

export function App() {
  const [connection] = useState(openConnection);
  return (
    <ConnectionProvider value={connection}>
      <GraphqlProvider value={connection.client}>
        <Messages>
          <RouterProvider router={router} />
        </Messages>
      </GraphqlProvider>
    </ConnectionProvider>
  );
}
