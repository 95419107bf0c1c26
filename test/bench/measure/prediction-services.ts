import { DatabaseSync } from 'node:sqlite';
import { featureType } from '../../../infra/aws/data/feature-group.ts';
import { featureStore } from '../../../infra/local/feature-store/feature-store.ts';
import { Faults } from '../../../infra/local/protocol/faults.ts';
import { serve } from '../../../infra/local/protocol/server.ts';
import { sageMakerRuntime } from '../../../infra/local/sagemaker/runtime.ts';
import { columnsOf } from '../../../shared/definition/feature-group.ts';
import bankMarketing from '../../../shared/feature-groups/bank-marketing.ts';
import { trainingColumns } from '../../../shared/model/encode.ts';
import { VARIANT } from '../../../shared/model/names.ts';

/** The local cloud's services that a prediction asks: an online store and an endpoint. Run as a process of its own. */

const faults = new Faults();
const store = featureStore({ db: new DatabaseSync(':memory:'), faults, tieRule: 'greater' });
store.createFeatureGroup({
  FeatureGroupName: bankMarketing.name,
  RecordIdentifierFeatureName: bankMarketing.recordIdentifier.name,
  EventTimeFeatureName: bankMarketing.eventTime.name,
  FeatureDefinitions: [
    { FeatureName: bankMarketing.recordIdentifier.name, FeatureType: 'String' },
    { FeatureName: bankMarketing.eventTime.name, FeatureType: 'String' },
    ...columnsOf(bankMarketing).map(({ name, feature }) => ({
      FeatureName: name,
      FeatureType: featureType(feature, bankMarketing.label),
    })),
  ],
  OnlineStoreConfig: { EnableOnlineStore: true },
});
const columns = trainingColumns(bankMarketing);
const each = (value: number) => columns.map(() => value);
const runtime = sageMakerRuntime(async () => ({
  endpointConfigName: 'config',
  variantName: VARIANT,
  image: 'linear-learner',
  model: { means: each(0), scales: each(1), weights: each(0.001), bias: -1, threshold: 0.5 },
}));
const { port } = await serve([store.service, runtime], faults, 0);
process.stdout.write(`${port}\n`);
process.on('disconnect', () => process.exit());
