import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import type { StackNames } from '../../local/stack/names.ts';
import type { Progress } from '../../terminal/progress.ts';
import type { Clients } from './clients.ts';
import type { Material } from './material.ts';
import type { SourceTable } from './table.ts';

/** What every act of the demo plays on. */
export interface Stage {
  readonly group: FeatureGroup;
  readonly clients: Clients;
  readonly names: StackNames;
  readonly table: SourceTable;
  readonly material: Material;
  /** For how long Lambda gathers a batch of the table's changes before it invokes ingest. */
  readonly batchWindowMs: number;
  readonly progress: Progress;
}
