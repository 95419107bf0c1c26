import type { AwsError } from './aws-error.ts';
import type { Call } from './service.ts';

/** An SDK command: what it is called, and its input. */
interface Command {
  readonly constructor: { readonly name: string };
  readonly input: object;
}

/** What stands for an SDK client of a service in this process: it answers, and names its errors by their codes. */
export function inProcessClient(call: Call, service: Parameters<Call>[0]) {
  return {
    async send(command: Command): Promise<unknown> {
      try {
        return await call(service, command.constructor.name.replace(/Command$/, ''), command.input);
      } catch (error) {
        throw Object.assign(error as AwsError, { name: (error as AwsError).code });
      }
    },
  };
}
