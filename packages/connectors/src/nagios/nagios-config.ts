import { z } from "@quiesce/sdk";

/** Configuration of a Nagios Core endpoint. */
export const nagiosConfig = z.object({
  url: z
    .url({ protocol: /^https?$/u })
    .describe("Where the CGIs are, such as https://nagios.example.com/cgi-bin/nagios4. Needs Nagios Core 4.0 or newer (JSON CGIs)."),
  user: z.string().min(1).max(200).describe("A user of the CGIs; cgi.cfg must let it see all hosts and services, and send commands."),
  ca: z.string().max(100_000).optional().describe("Certificates to trust instead of the system's, as PEM."),
  commandFile: z
    .string()
    .min(2)
    .max(1_000)
    .regex(/^\/[^\0]+$/u, "is an absolute path")
    .optional()
    .describe("Nagios's command FIFO, if this server runs on Nagios's machine. Without it commands go through cmd.cgi."),
  timeZone: z
    .string()
    .max(100)
    .refine(isTimeZone, { message: "is no time zone; write an IANA name such as Europe/Madrid" })
    .default("UTC")
    .describe("The zone of Nagios's machine: cmd.cgi takes local times. Not needed with commandFile."),
  dateFormat: z
    .enum(["us", "euro", "iso8601", "strict-iso8601"])
    .optional()
    .describe("nagios.cfg's date_format. Found out by itself, save on days like the 5th of May: set it for us and euro."),
  staleSeconds: z.int().min(2).max(3_600).default(120).describe("Nagios counts as down when its status file is older than this."),
  statusDelaySeconds: z
    .int()
    .min(1)
    .max(600)
    .default(30)
    .describe("So long a command may take until the status file shows it: more than status_update_interval."),
});

/** Secrets of a Nagios Core endpoint. */
export const nagiosSecrets = z.object({ password: z.string().min(1) });

export type NagiosConfig = z.output<typeof nagiosConfig>;
export type NagiosSecrets = z.output<typeof nagiosSecrets>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
