import { z } from "zod";
import { operation } from "../graphql-client.js";
import { GATE_HOLD_FIELDS, gateHoldShape, HOLD_FIELDS, holdShape } from "./shapes.js";

export const pauseScope = operation(
  `mutation Pause($input: PauseInput!) { pause(input: $input) { ${HOLD_FIELDS} members { integration { key } } } }`,
  z.object({ pause: holdShape.extend({ members: z.array(z.object({ integration: z.object({ key: z.string() }) })) }) }),
);
export const resumeHold = operation(
  `mutation Resume($input: ResumeInput!) { resume(input: $input) { released { ${HOLD_FIELDS} } } }`,
  z.object({ resume: z.object({ released: z.array(holdShape) }) }),
);
export const askGate = operation(
  `query Gate($integration: String!) { gate(integration: $integration) { state held until asOf by { ${GATE_HOLD_FIELDS} } } }`,
  z.object({
    gate: z.object({ state: z.string(), held: z.boolean(), until: z.string().nullable(), asOf: z.string(), by: z.array(gateHoldShape) }),
  }),
);
export const readControl = operation(
  "query Control { control { mode expandedUntil zoneDataVersion eventCursor } }",
  z.object({
    control: z.object({
      mode: z.string(),
      expandedUntil: z.string().nullable(),
      zoneDataVersion: z.string().nullable(),
      eventCursor: z.string(),
    }),
  }),
);
export const setMode = operation(
  "mutation SetMode($input: SetModeInput!) { setMode(input: $input) { mode expandedUntil zoneDataVersion } }",
  z.object({ setMode: z.object({ mode: z.string(), expandedUntil: z.string().nullable(), zoneDataVersion: z.string().nullable() }) }),
);

/** What `exec` keeps for the time when no server answers. */
export const upcomingHolds = operation(
  `query UpcomingHolds($integration: String!) {
    integration(key: $integration) { holds { kind mode title owner reason beginsAt expiresAt } gate { asOf } }
    control { mode }
  }`,
  z.object({
    integration: z
      .object({
        holds: z.array(
          z.object({
            kind: z.string(),
            mode: z.string(),
            title: z.string(),
            owner: z.string(),
            reason: z.string(),
            beginsAt: z.string(),
            expiresAt: z.string().nullable(),
          }),
        ),
        gate: z.object({ asOf: z.string() }),
      })
      .nullable(),
    control: z.object({ mode: z.string() }),
  }),
);

export const renewGate = operation(
  "mutation RenewGate($input: RenewGateInput!) { renewGate(input: $input) { leaseUntil } }",
  z.object({ renewGate: z.object({ leaseUntil: z.string() }) }),
);
export const leaveGate = operation(
  "mutation LeaveGate($input: LeaveGateInput!) { leaveGate(input: $input) { key } }",
  z.object({ leaveGate: z.object({ key: z.string() }) }),
);
