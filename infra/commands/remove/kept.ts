import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { lockFile } from '../../aws/definitions/definitions.ts';
import type { Inventory, Thing } from './inventory.ts';

/** What a removal leaves, and for each why, and what it still costs. */
export function keptOf({ stack, data }: Inventory, group: FeatureGroup): Thing[] {
  const hasMade = stack?.resources.some((it) => it.PhysicalResourceId === group.table);
  return [
    ...data.sharedTables.map(
      ({ name, readers }): Thing => ['table', `${name}, as ${readers.join(', ')} reads it. It costs what it did.`],
    ),
    ...(hasMade
      ? []
      : [['table', `${group.table}, if there is one, as this stack did not make it. It costs what it did.`] as const]),
    ['backups', 'of the tables, which DynamoDB keeps for 35 days. They cost nothing.'],
    ['ended jobs', 'of training and transformation, which SageMaker never deletes. They cost nothing.'],
    ['log groups', '/aws/sagemaker/*, which all stacks of the account share. CloudWatch bills their storage.'],
    ['Glue table', 'of the offline store in sagemaker_featurestore, which Feature Store made. It costs nothing.'],
    ['lock', `${lockFile(group.name)}, which says what was deployed. Delete it when no stage has the definition.`],
  ];
}
