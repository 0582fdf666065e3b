import { FormattedMessage } from "react-intl";
import { useTimes } from "../app/times.js";
import type { ShownWindow } from "./window-sentence.js";

type FreezeConflict = ShownWindow["freezeConflicts"][number];

/** A change that lies in a freeze without anybody's word, and what somebody has to do. Times are the reader's. */
export function UndecidedFreeze({
  window: { key, title },
  conflict: { freeze, from, until, cause },
}: {
  readonly window: { readonly key: string; readonly title: string };
  readonly conflict: Pick<FreezeConflict, "from" | "until" | "cause"> & {
    readonly freeze: { readonly title: string; readonly owner: string };
  };
}) {
  const times = useTimes();
  return (
    <FormattedMessage
      id="windows.undecided-freeze"
      values={{
        title,
        freeze: freeze.title,
        owner: freeze.owner,
        from: times.instant(from),
        until: times.instant(until),
        cause: cause ?? "none",
        command: <code>{`quiesce window override-freeze ${key} --reason "…"`}</code>,
      }}
    />
  );
}
