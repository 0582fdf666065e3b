/** Colours of the terminal; each takes text and gives it back styled, or untouched where colours are off. */
export interface Styles {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

export type StyleName = keyof Styles;

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const satisfies {
  readonly [name in StyleName]: readonly [number, number];
};

/** The styles of an output. */
export function stylesOf(enabled: boolean): Styles {
  const style = (name: StyleName) => {
    const [on, off] = codes[name];
    return (text: string): string => (enabled && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  };
  return { bold: style("bold"), dim: style("dim"), red: style("red"), green: style("green"), yellow: style("yellow"), cyan: style("cyan") };
}

/** The one colour of a state, the same in every table. */
export function styleOfState(state: string): StyleName {
  switch (state) {
    case "SUCCEEDED":
    case "OPEN":
    case "QUIESCED":
    case "PASS":
      return "green";
    case "HELD":
    case "OBSERVING":
    case "DRAINING":
    case "VERIFYING":
    case "RESUMING":
    case "ACTIVE":
    case "PAUSED":
    case "CREDENTIALS":
    case "UNREADY":
    case "WARN":
    case "OBSERVE":
      return "yellow";
    case "FAILED":
    case "LOST":
    case "DEAD":
    case "FAIL":
    case "BLOCKED":
    case "UNAPPROVED":
    case "OVERRUN":
    case "REJECTED":
      return "red";
    case "RUNNING":
    case "QUEUED":
    case "UPCOMING":
    case "SCHEDULED":
    case "WAITING":
      return "cyan";
    default:
      return "dim";
  }
}
