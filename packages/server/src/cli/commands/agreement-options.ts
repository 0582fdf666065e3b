import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDurationOption } from "../parse-time.js";

/** What was agreed about a service. */
export interface AgreementOptions {
  readonly notice?: string;
  readonly allowance?: string;
  readonly checkInterval?: string;
  readonly needsApproval?: boolean;
  readonly timeZone?: string;
  readonly rule?: string;
  readonly hours?: readonly HoursOption[];
}

interface HoursOption {
  readonly days: readonly number[];
  readonly from: string;
  readonly to: string;
}

const HOURS = /^([1-7])(?:-([1-7]))? (\d{2}:\d{2})-(\d{2}:\d{2})$/;

/** The options that say what was agreed. */
export function withAgreement(command: Command): Command {
  return command
    .option("--notice <duration>", "maintenance counts when it was announced so long before, as 24h; a day when left out")
    .option("--allowance <duration>", "so much maintenance counts a month, as 4h; any when left out")
    .option("--check-interval <duration>", "how often services are checked, as 5m; a minute when left out")
    .option("--needs-approval", "only approved maintenance counts")
    .option("--time-zone <zone>", "whose months, days and hours count; UTC when left out")
    .option("--hours <hours>", 'when the service is to be there, as "1-5 08:00-18:00" (1 is Monday); may be given again', hoursOf)
    .addOption(new Option("--rule <rule>", "how many results change a state").choices(["three-in-a-row", "two-of-three"]));
}

/** As the API takes it; what was not said is undefined. */
export function agreementOf(options: AgreementOptions): object {
  const seconds = (text: string | undefined, option: string): number | undefined =>
    text === undefined ? undefined : text === "0" ? 0 : Math.round(parseDurationOption(text, option) / 1_000);
  return {
    minimumNoticeSeconds: seconds(options.notice, "--notice"),
    monthlyAllowanceSeconds: seconds(options.allowance, "--allowance"),
    checkIntervalSeconds: seconds(options.checkInterval, "--check-interval"),
    needsApproval: options.needsApproval,
    timeZone: options.timeZone,
    serviceHours: options.hours,
    rule: options.rule?.toUpperCase().replaceAll("-", "_"),
  };
}

function hoursOf(text: string, before: readonly HoursOption[] = []): readonly HoursOption[] {
  const [, first = "", last = first, from = "", to = ""] = HOURS.exec(text) ?? [];
  const [start, end] = [Number(first), Number(last)];
  if (from === "" || end < start) throw new InvalidArgumentError('Expected days and times as "1-5 08:00-18:00" or "6 09:00-12:00".');
  return [...before, { days: Array.from({ length: end - start + 1 }, (_, n) => start + n), from, to }];
}
