import { ACCOUNT } from '../protocol/arn.ts';
import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';

/** The stack's dashboards: text, to be drawn by whoever asks for it. */
export class Dashboards {
  readonly #bodies = new Map<string, string>();

  put(name: string, body: string): void {
    this.#bodies.set(name, body);
  }

  readonly operations: Record<string, Operation> = {
    GetDashboard: (input: { DashboardName: string }) => {
      refuseUnknown('CloudWatch', 'GetDashboard', input, ['DashboardName']);
      const body = this.#bodies.get(input.DashboardName);
      if (body === undefined) {
        throw new AwsError('ResourceNotFound', `Dashboard ${input.DashboardName} does not exist`, 404);
      }
      return { DashboardName: input.DashboardName, DashboardArn: arnOf(input.DashboardName), DashboardBody: body };
    },
    ListDashboards: (input: { DashboardNamePrefix?: string }) => {
      refuseUnknown('CloudWatch', 'ListDashboards', input, ['DashboardNamePrefix']);
      const names = [...this.#bodies.keys()].filter((name) => name.startsWith(input.DashboardNamePrefix ?? ''));
      return {
        DashboardEntries: names.map((name) => ({
          ...{ DashboardName: name, DashboardArn: arnOf(name) },
          Size: Buffer.byteLength(this.#bodies.get(name) ?? ''),
        })),
      };
    },
  };
}

function arnOf(name: string): string {
  return `arn:aws:cloudwatch::${ACCOUNT}:dashboard/${name}`;
}
