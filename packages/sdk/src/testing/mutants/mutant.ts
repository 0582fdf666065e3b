import { ConnectorError, isConnectorError, type Connector, type ErrorInfo, type ErrorKind } from "../../index.js";
import type { ConformanceOptions } from "../conformance-options.js";
import { exampleConnector, type ExampleConnector } from "../example/example-connector.js";
import type { ExampleSystem } from "../example/example-system.js";

/** The example with one fault. @experimental */
export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  /** The full name of the case that must catch it. */
  readonly caughtBy: string;
  readonly connector: Connector;
  /** Where the example's own options do not show the fault. */
  readonly options?: Partial<ConformanceOptions<ExampleSystem>>;
}

/** The example with some members replaced. */
export function mutant(caughtBy: string, name: string, members: Partial<ExampleConnector>, options?: Mutant["options"]): Mutant {
  const connector = { ...exampleConnector, ...members } as unknown as Connector;
  return { caughtBy, name, connector, ...(options === undefined ? {} : { options }) };
}

/** A facet that the example has. */
export function own<T>(member: T | undefined): T {
  if (member === undefined) throw new ConnectorError("bug", "The example lacks a facet that a mutant is made of.");
  return member;
}

/** The promise, its errors of one kind turned into another. */
export async function asKind<T>(work: Promise<T>, from: ErrorKind, to: ErrorKind): Promise<T> {
  return changed(work, (error) => (error.kind === from ? new ConnectorError(to, error.message, error.info) : error));
}

/** The promise, its errors without some of what they say. */
export async function without<T>(work: Promise<T>, name: keyof ErrorInfo): Promise<T> {
  return changed(work, (error) => new ConnectorError(error.kind, error.message, { ...error.info, [name]: undefined }));
}

async function changed<T>(work: Promise<T>, change: (error: ConnectorError) => unknown): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw isConnectorError(thrown) ? change(thrown as ConnectorError) : thrown;
  }
}
