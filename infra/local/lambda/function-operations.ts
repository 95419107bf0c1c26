import { AwsError, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation, RestRoute } from '../protocol/service.ts';
import { functionArn, LATEST, type LambdaFunction } from './function.ts';
import type { LambdaRuntime } from './runtime.ts';

/** Entries of one page of a list: default and greatest. Source: Lambda API, MaxItems. */
const ITEMS_MAX = 50;

/** Unreserved concurrency of an account, in executions, and code of it, in bytes. Source: Lambda quotas. */
const CONCURRENCY = 1_000;
const CODE_BYTES_MAX = 80_530_636_800;

const FUNCTION = '\\/2015-03-31\\/functions\\/(?<FunctionName>[^/]+)';
const QUALIFIED = { Qualifier: 'Qualifier' };
const PAGED = { Marker: 'Marker', MaxItems: 'MaxItems' };
const get = (path: string, operation: string, query: Readonly<Record<string, string>> = {}): RestRoute => ({
  ...{ method: 'GET', path: new RegExp(`^${path}\\/?$`), operation, query },
});

/** What is asked of functions, their aliases, URLs and mappings. They are made by serverless.yml, not over the wire. */
export const functionRoutes: readonly RestRoute[] = [
  get('\\/2015-03-31\\/functions', 'ListFunctions', { ...PAGED, FunctionVersion: 'FunctionVersion' }),
  get(FUNCTION, 'GetFunction', QUALIFIED),
  get(`${FUNCTION}\\/configuration`, 'GetFunctionConfiguration', QUALIFIED),
  get(`${FUNCTION}\\/versions`, 'ListVersionsByFunction', PAGED),
  get(`${FUNCTION}\\/aliases`, 'ListAliases', { ...PAGED, FunctionVersion: 'FunctionVersion' }),
  get(`${FUNCTION}\\/aliases\\/(?<Name>[^/]+)`, 'GetAlias'),
  get(`${FUNCTION}\\/policy`, 'GetPolicy', QUALIFIED),
  get('\\/2019-09-30\\/functions\\/(?<FunctionName>[^/]+)\\/concurrency', 'GetFunctionConcurrency'),
  get('\\/2021-10-31\\/functions\\/(?<FunctionName>[^/]+)\\/url', 'GetFunctionUrlConfig', QUALIFIED),
  get('\\/2021-10-31\\/functions\\/(?<FunctionName>[^/]+)\\/urls', 'ListFunctionUrlConfigs', PAGED),
  get('\\/2015-03-31\\/event-source-mappings', 'ListEventSourceMappings', {
    ...PAGED,
    ...{ EventSourceArn: 'EventSourceArn', FunctionName: 'FunctionName' },
  }),
  get('\\/2015-03-31\\/event-source-mappings\\/(?<UUID>[^/]+)', 'GetEventSourceMapping'),
  get('\\/2016-08-19\\/account-settings', 'GetAccountSettings'),
];

interface Named {
  readonly FunctionName: string;
  readonly Qualifier?: string;
}

interface Paged {
  readonly Marker?: string;
  readonly MaxItems?: string;
  readonly FunctionVersion?: string;
}

/** An event source mapping, as CreateEventSourceMapping takes it, and what it is known by. */
export interface Mapping {
  readonly UUID: string;
  readonly FunctionName: string;
  readonly EventSourceArn: string;
}

export interface FunctionFacts {
  readonly endpointUrl: () => string;
  readonly mappings: () => readonly Mapping[];
}

export function functionOperations(runtime: LambdaRuntime, facts: FunctionFacts): Record<string, Operation> {
  const found = (operation: string, { FunctionName, Qualifier, ...rest }: Named): LambdaFunction => {
    refuseUnknown('lambda', operation, rest, []);
    return runtime.find(FunctionName, Qualifier);
  };
  const described = (operation: string, input: Named) => {
    const lambda = found(operation, input);
    return configurationOf(lambda, input.Qualifier);
  };
  const aliasOf = (lambda: LambdaFunction, Name: string) => ({
    ...{ AliasArn: `${functionArn(lambda.name)}:${Name}`, Name, FunctionVersion: LATEST, Description: '' },
    RevisionId: '00000000-0000-0000-0000-000000000000',
  });
  return {
    ListFunctions: (input: Paged) =>
      page(
        'ListFunctions',
        'Functions',
        runtime.functions.map((it) => configurationOf(it)),
        input,
      ),
    GetFunction: (input: Named) => ({
      Configuration: described('GetFunction', input),
      // The code is the project's own: there is nothing to download.
      Code: { RepositoryType: 'S3' },
      Tags: {},
    }),
    GetFunctionConfiguration: (input: Named) => described('GetFunctionConfiguration', input),
    ListVersionsByFunction: ({ FunctionName, ...paging }: Named & Paged) =>
      page('ListVersionsByFunction', 'Versions', [described('ListVersionsByFunction', { FunctionName })], paging),
    ListAliases: ({ FunctionName, ...paging }: Named & Paged) => {
      const lambda = found('ListAliases', { FunctionName });
      return page(
        'ListAliases',
        'Aliases',
        (lambda.aliases ?? []).map((name) => aliasOf(lambda, name)),
        paging,
      );
    },
    GetAlias: ({ Name, ...input }: Named & { Name: string }) => {
      const lambda = found('GetAlias', input);
      if (lambda.aliases?.includes(Name)) return aliasOf(lambda, Name);
      throw notFound(`Cannot find alias arn: ${functionArn(lambda.name)}:${Name}`);
    },
    GetPolicy: (input: Named) => {
      found('GetPolicy', input);
      throw notFound('The resource you requested does not exist.');
    },
    GetFunctionConcurrency: (input: Named) => {
      found('GetFunctionConcurrency', input);
      return {};
    },
    GetFunctionUrlConfig: (input: Named) => {
      const url = urlOf(found('GetFunctionUrlConfig', input), facts);
      if (url) return url;
      throw notFound('The resource you requested does not exist.');
    },
    ListFunctionUrlConfigs: ({ FunctionName, ...paging }: Named & Paged) => {
      const url = urlOf(found('ListFunctionUrlConfigs', { FunctionName }), facts);
      return page('ListFunctionUrlConfigs', 'FunctionUrlConfigs', url ? [url] : [], paging);
    },
    ListEventSourceMappings: ({
      EventSourceArn,
      FunctionName,
      ...paging
    }: Partial<Named> & Paged & { EventSourceArn?: string }) => {
      const name = FunctionName === undefined ? undefined : runtime.find(FunctionName).name;
      const all = facts.mappings().filter((it) => (name ?? it.FunctionName) === it.FunctionName);
      const ofSource = all.filter((it) => (EventSourceArn ?? it.EventSourceArn) === it.EventSourceArn);
      return page('ListEventSourceMappings', 'EventSourceMappings', ofSource.map(mappingOf), paging);
    },
    GetEventSourceMapping: ({ UUID }: { UUID: string }) => {
      const mapping = facts.mappings().find((it) => it.UUID === UUID);
      if (mapping) return mappingOf(mapping);
      throw notFound('The resource you requested does not exist.');
    },
    GetAccountSettings: () => ({
      AccountLimit: {
        ConcurrentExecutions: CONCURRENCY,
        UnreservedConcurrentExecutions: CONCURRENCY,
        TotalCodeSize: CODE_BYTES_MAX,
      },
      AccountUsage: { FunctionCount: runtime.functions.length, TotalCodeSize: 0 },
    }),
  };
}

/** What is known of a function here; its code, its layers and other versions are not. */
function configurationOf(lambda: LambdaFunction, qualifier?: string): object {
  const isAlias = qualifier !== undefined && qualifier !== LATEST;
  return {
    FunctionName: lambda.name,
    FunctionArn: `${functionArn(lambda.name)}${isAlias ? `:${qualifier}` : ''}`,
    Runtime: 'nodejs24.x',
    Role: lambda.roleArn,
    Handler: `${lambda.handlerFile
      .split('/')
      .pop()
      ?.replace(/\.\w+$/, '')}.${lambda.exportName}`,
    Timeout: lambda.timeoutSeconds,
    MemorySize: lambda.memoryMB,
    Environment: { Variables: lambda.environment },
    ...{ Version: LATEST, PackageType: 'Zip', Architectures: ['arm64'], CodeSize: 0 },
    ...{
      State: 'Active',
      LastUpdateStatus: 'Successful',
      LoggingConfig: { LogFormat: 'Text', LogGroup: `/aws/lambda/${lambda.name}` },
    },
  };
}

function urlOf({ name, url, aliases = [] }: LambdaFunction, { endpointUrl }: FunctionFacts): object | undefined {
  if (!url) return undefined;
  const qualifier = aliases[0] === undefined ? '' : `:${aliases[0]}`;
  return {
    FunctionUrl: `${endpointUrl()}/lambda-url/${name}/`,
    FunctionArn: `${functionArn(name)}${qualifier}`,
    // As it is deployed. Nothing is verified here: any signature, and none, is taken.
    AuthType: 'AWS_IAM',
    InvokeMode: 'BUFFERED',
    ...{ CreationTime: new Date(0).toISOString(), LastModifiedTime: new Date(0).toISOString() },
  };
}

function mappingOf({ FunctionName, ...mapping }: Mapping): object {
  return {
    ...mapping,
    FunctionArn: functionArn(FunctionName),
    ...{ State: 'Enabled', StateTransitionReason: 'User action', LastProcessingResult: 'OK' },
  };
}

function page<T>(operation: string, member: string, all: readonly T[], input: Paged): object {
  const { Marker, MaxItems, FunctionVersion, ...rest } = input;
  refuseUnknown('lambda', operation, rest, []);
  const start = Number(Marker ?? 0);
  const end = start + Math.min(Number(MaxItems ?? ITEMS_MAX), ITEMS_MAX);
  return { [member]: all.slice(start, end), ...(end < all.length && { NextMarker: String(end) }) };
}

function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, 404, { Type: 'User' });
}
