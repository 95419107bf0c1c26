import { AwsError } from './aws-error.ts';
import type { ServiceName } from './service.ts';

/**
 * A call to be made to fail. `before` fails it with nothing done; `after` does it and then loses the answer;
 * `partial` is left to the services with partial success (Firehose, BatchWriteRecord), which ask {@link Faults.partial}.
 */
export interface Fault {
  readonly service: ServiceName;
  /** Default: any operation of the service. */
  readonly operation?: string;
  readonly kind: 'before' | 'after' | 'partial';
  /** How many calls fail. Default 1. */
  readonly times?: number;
  /** Error answered by `before`. Default: ThrottlingException, 400. */
  readonly code?: string;
  readonly status?: number;
}

/** Thrown in place of an answer: the server drops the connection without a byte. */
export class LostAnswer extends Error {}

/** The faults that are armed. Each is used up by the calls it fails. */
export class Faults {
  #armed: { fault: Fault; left: number }[] = [];

  inject(fault: Fault): void {
    this.#armed.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#armed = [];
  }

  /** Runs a call under the faults armed for it. */
  async apply<T>(service: ServiceName, operation: string, run: () => Promise<T>): Promise<T> {
    const before = this.#take('before', service, operation);
    if (before) {
      throw new AwsError(
        before.code ?? 'ThrottlingException',
        `Injected fault: ${service} ${operation} was not carried out`,
        before.status ?? 400,
      );
    }
    const after = this.#take('after', service, operation);
    const result = await run();
    if (after) throw new LostAnswer(`Injected fault: ${service} ${operation} was carried out and its answer lost`);
    return result;
  }

  /** Whether this call should answer partial success; uses one up. */
  partial(service: ServiceName, operation: string): boolean {
    return this.#take('partial', service, operation) !== undefined;
  }

  #take(kind: Fault['kind'], service: ServiceName, operation: string): Fault | undefined {
    const armed = this.#armed.find(
      ({ fault }) => fault.kind === kind && fault.service === service && (fault.operation ?? operation) === operation,
    );
    if (!armed) return undefined;
    armed.left -= 1;
    if (armed.left === 0) this.#armed = this.#armed.filter((it) => it !== armed);
    return armed.fault;
  }
}
