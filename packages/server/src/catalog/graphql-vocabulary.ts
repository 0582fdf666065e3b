import { capsEnum } from "../graphql/caps-enum.js";

export const CriticalityEnum = capsEnum("Criticality", "How much depends on it.", ["low", "medium", "high", "critical"]);
