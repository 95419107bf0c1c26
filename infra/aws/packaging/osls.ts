import type { CloudFormationClientConfig } from '@aws-sdk/client-cloudformation';
import type { Resource } from '../cloudformation/intrinsics.ts';

/** What is used of osls 4's plugin API here. */
export interface Serverless {
  readonly serviceDir: string;
  /** serverless.yml with its variables resolved. */
  readonly configurationInput: { readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
  getProvider(name: 'aws'): Provider;
  readonly service: Service;
  readonly pluginManager: { readonly plugins: readonly object[] };
  /** Its own class of errors, which it shows without their stack. */
  readonly classes: { readonly Error: new (message: string) => Error };
}

/** osls's door to AWS, with the credentials that it was given. */
export interface Provider {
  getAccountId(): Promise<string>;
  getRegion(): string;
  getStage(): string;
  /** Settings of the SDK's clients. */
  getAwsSdkV3Config(): Promise<CloudFormationClientConfig>;
}

/** Options of the command line that are used here. */
export interface Options {
  /** `name=value` each. */
  readonly param?: string | readonly string[];
}

/** serverless.yml as osls has resolved it, and the template that it makes. */
export interface Service {
  readonly functions: Record<string, FunctionDefinition>;
  readonly custom: {
    readonly featureGroup: string;
    readonly names: { readonly stack: string };
    readonly stack: { readonly trains: boolean };
  };
  readonly provider: {
    readonly stackTags?: Readonly<Record<string, string>>;
    readonly compiledCloudFormationTemplate: {
      readonly Resources: Record<string, MutableResource>;
      readonly Outputs: Record<string, { Export?: unknown }>;
    };
  };
}

interface FunctionDefinition {
  readonly handler: string;
  environment?: Readonly<Record<string, unknown>>;
  events?: readonly object[];
  /** The zip to upload. */
  package?: { artifact: string };
  /** The alias that triggers and URLs call in place of the function. */
  targetAlias?: { name: string; logicalId: string };
}

export type MutableResource = { -readonly [K in keyof Resource]: Resource[K] };

/** osls's zipping of its own package plugin: the same bytes for the same files. */
export interface Zipper {
  zipFiles(files: readonly string[], zipFileName: string, prefix: string): Promise<string>;
}
