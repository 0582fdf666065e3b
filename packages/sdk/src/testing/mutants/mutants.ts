import { callingMutants } from "./calling.js";
import { comparingMutants } from "./comparing.js";
import { monitoringMutants } from "./monitoring.js";
import type { Mutant } from "./mutant.js";
import { planningMutants } from "./planning.js";
import { readingMutants } from "./reading.js";
import { ticketingMutants } from "./ticketing.js";
import { writingMutants } from "./writing.js";

/** The example with one fault each, and the suite that must catch it. Run your own suites against them to see that they look. @experimental */
export const mutants: readonly Mutant[] = [
  ...callingMutants,
  ...readingMutants,
  ...writingMutants,
  ...monitoringMutants,
  ...ticketingMutants,
  ...planningMutants,
  ...comparingMutants,
];
