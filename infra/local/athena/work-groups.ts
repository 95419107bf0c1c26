import { AwsError, notImplemented, refuseUnknown } from '../protocol/aws-error.ts';

/** Properties of CloudFormation's AWS::Athena::WorkGroup that the local cloud reads or may leave aside. */
export interface WorkGroupProperties {
  readonly Name: string;
  readonly Description?: string;
  readonly State?: string;
  readonly RecursiveDeleteOption?: unknown;
  readonly Tags?: readonly object[];
  readonly WorkGroupConfiguration?: {
    readonly EnforceWorkGroupConfiguration?: unknown;
    readonly ResultConfiguration?: { readonly OutputLocation?: string };
  };
}

const PROPERTIES = ['Name', 'Description', 'State', 'RecursiveDeleteOption', 'Tags', 'WorkGroupConfiguration'];

interface WorkGroup {
  readonly output: string | undefined;
  readonly isEnforced: boolean;
  readonly description: string | undefined;
  readonly createdMs: number;
}

const ENGINE_VERSION = { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' };

/** Workgroups, for the location of their queries' results. `primary` is always there, and has none. */
export class WorkGroups {
  readonly #groups = new Map<string, WorkGroup>([
    ['primary', { output: undefined, isEnforced: false, description: undefined, createdMs: Date.now() }],
  ]);

  /** Adds or replaces a workgroup. */
  create(properties: WorkGroupProperties): void {
    refuseUnknown('athena', 'CreateWorkGroup', properties, PROPERTIES);
    if ((properties.State ?? 'ENABLED') !== 'ENABLED') throw notImplemented('athena', 'disabled workgroups');
    const { WorkGroupConfiguration: configuration = {} } = properties;
    this.#groups.set(properties.Name, {
      description: properties.Description,
      createdMs: Date.now(),
      output: configuration.ResultConfiguration?.OutputLocation,
      // Enforcing is what AWS does unless it is told otherwise.
      isEnforced: String(configuration.EnforceWorkGroupConfiguration ?? true) === 'true',
    });
  }

  /** Names of the workgroups. */
  names(): string[] {
    return [...this.#groups.keys()];
  }

  /** A workgroup in the shape of GetWorkGroup's answer. @throws AwsError InvalidRequestException */
  describe(name: string | undefined): object {
    const group = this.#groups.get(name ?? '');
    if (!group) throw new AwsError('InvalidRequestException', `WorkGroup ${name} is not found.`);
    const { output, isEnforced, description, createdMs } = group;
    return {
      Name: name,
      State: 'ENABLED',
      Description: description ?? '',
      CreationTime: createdMs / 1_000,
      Configuration: {
        ResultConfiguration: output === undefined ? {} : { OutputLocation: output },
        EnforceWorkGroupConfiguration: isEnforced,
        PublishCloudWatchMetricsEnabled: false,
        RequesterPaysEnabled: false,
        EngineVersion: ENGINE_VERSION,
      },
    };
  }

  /** A workgroup in the shape of ListWorkGroups' answer. */
  summary(name: string): object {
    const { description, createdMs } = this.#groups.get(name) ?? {};
    return {
      ...{ Name: name, State: 'ENABLED', Description: description ?? '', EngineVersion: ENGINE_VERSION },
      CreationTime: (createdMs ?? 0) / 1_000,
    };
  }

  /**
   * Where the results of a query go: an s3:// folder with a slash at the end.
   *
   * @throws AwsError InvalidRequestException when there is no such workgroup, or no location.
   */
  outputFolder(name: string, requested: string | undefined): string {
    const group = this.#groups.get(name);
    if (!group) throw new AwsError('InvalidRequestException', `WorkGroup ${name} is not found.`);
    const output = group.isEnforced ? (group.output ?? requested) : (requested ?? group.output);
    if (output === undefined) {
      throw new AwsError(
        'InvalidRequestException',
        'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
      );
    }
    return output.endsWith('/') ? output : `${output}/`;
  }
}
