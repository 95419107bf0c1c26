import type { FeatureGroup } from '../../../shared/feature-groups/define.ts';
import type { Clients } from './clients.ts';
import type { Progress } from './progress.ts';
import type { SourceTable } from './table.ts';

/** What every act of the demo plays on. */
export interface Stage {
  readonly group: FeatureGroup;
  readonly clients: Clients;
  readonly names: StackNames;
  readonly table: SourceTable;
  readonly progress: Progress;
}

/** Names of the deployed stack that the demo speaks to. */
export interface StackNames {
  readonly sourceTable: string;
  readonly stateTable: string;
  readonly dataBucket: string;
  readonly quarantineBucket: string;
  readonly database: string;
  readonly workGroup: string;
  readonly endpoint: string;
  readonly stateMachineArn: string;
  readonly predictFunction: string;
}
