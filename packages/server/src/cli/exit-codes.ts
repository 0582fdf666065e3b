/** How `quiesce` ends, for scripts. The numbers are part of the interface; docs/reference/cli.md lists the same ones. */
export const exitCodes = {
  ok: 0,
  /** The server or a check said no. */
  refused: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** No server answers there. */
  unreachable: 3,
  /** The token is missing, unknown, expired, revoked, or its role does not allow this. */
  denied: 4,
  /** A bug on our side, or two versions that do not understand each other. */
  internal: 70,
  /** EX_TEMPFAIL: held by a maintenance window or a pause; try again later. */
  held: 75,
  /** `exec` lost its lease and stopped the command. */
  leaseLost: 76,
  /** `window wait`: the occurrence was cancelled. */
  cancelled: 77,
  /** `window wait`: what it waits for can no longer come. */
  noLonger: 78,
  /** `window wait`: not reached in time; the same as timeout(1). */
  timedOut: 124,
  /** `exec` failed before it started the command; its own refusals must not look like the command's exit code 1. */
  execRefused: 125,
  /** The command of `exec` is not executable. */
  notExecutable: 126,
  /** The command of `exec` was not found. */
  notFound: 127,
} as const satisfies { readonly [name: string]: number };

export type ExitCodeName = keyof typeof exitCodes;

/** The exit code of a process that a signal ended, as shells have it. */
export function exitCodeOfSignal(signalNumber: number): number {
  return 128 + signalNumber;
}
