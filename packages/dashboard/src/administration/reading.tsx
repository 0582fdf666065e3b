import type { ReactNode } from "react";
import type { Reading } from "../app/live.js";
import { ErrorState, Loading } from "../components/states.js";

/** What was read, with what the last attempt said; until there is something, that it is on its way. */
export function Read<Data>({ reading, children }: { readonly reading: Reading<Data>; readonly children: (data: Data) => ReactNode }) {
  const { data, refusal, again } = reading;
  const told = refusal === null ? null : <ErrorState refusal={refusal} onAgain={again} />;
  if (data === undefined) return told ?? <Loading />;
  return (
    <>
      {told}
      {children(data)}
    </>
  );
}
