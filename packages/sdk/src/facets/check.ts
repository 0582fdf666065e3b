import type { Context } from "../context.js";

/** A figure about the system, recorded as a KPI. Own names begin with `x_`. */
export interface Kpi {
  readonly name: "availability" | "response_ms" | "throughput" | "error_rate" | "queue_depth" | "tls_days_left" | `x_${string}`;
  readonly value: number;
  /** When it was measured, ISO 8601 with an offset; now if absent. */
  readonly at?: string;
  readonly labels?: { readonly [name: string]: string };
}

/** How the system is. */
export interface Health {
  /** `down` and `degraded` are what the system says of itself; no answer at all is thrown as `unavailable` or `timeout`. */
  readonly status: "up" | "degraded" | "down" | "unknown";
  /** The system says that it is in maintenance itself. */
  readonly inMaintenance?: boolean;
  /** A sentence on why it is not up. */
  readonly message?: string;
  /** The system's version. */
  readonly version?: string;
  readonly kpis?: readonly Kpi[];
  /** Whom the credentials belong to, and what they may do. */
  readonly identity?: { readonly principal: string; readonly scopes?: readonly string[] };
}

/** Can the system be reached, and are the credentials good? */
export interface CheckFacet<C, S> {
  /**
   * Cheap, read-only, at most 10 seconds. Also called during a maintenance window of the system, to find out whether it is
   * back: so it must not lock, count or write anything. Throws `auth` for refused credentials, `permission` if they lack a
   * right the connector needs, `unavailable` if there is no answer.
   */
  check?(x: Context<C, S>): Promise<Health>;
}
