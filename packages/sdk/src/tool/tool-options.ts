/** What the command line said. */
export interface ToolOptions {
  readonly folder: string;
  readonly settings: string;
  readonly out: string;
  readonly report: string;
  readonly with: readonly string[];
  readonly limit: number;
}
