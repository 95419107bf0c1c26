import { Logger } from '@aws-lambda-powertools/logger';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Context } from 'aws-lambda';
import { systemTime } from '../shared/calls/client-settings.ts';
import { once } from '../shared/calls/once.ts';
import { makeDecoder } from '../shared/changes/decode.ts';
import { historyConfig } from '../shared/config/history.ts';
import { loadFeatureGroup } from '../shared/definition/load.ts';
import { act, type HistoryAnswer, type HistoryRequest } from '../shared/history/machine/actions.ts';
import type { HistoryDependencies } from '../shared/history/machine/dependencies.ts';
import { bucketPlace } from '../shared/history/places.ts';
import { openDestinations } from '../shared/history/run/destinations.ts';

/** Made once per execution environment, at its first invocation. */
const production = once(async (): Promise<HistoryDependencies> => {
  const config = historyConfig();
  const group = await loadFeatureGroup(config.featureGroup);
  const { table, s3, destinations, putRows, deleteRows } = openDestinations(group, config);
  return {
    ...{ group, table, destinations, putRows, deleteRows, time: systemTime, decode: makeDecoder(group) },
    ...{ bucket: config.dataBucket, place: bucketPlace(s3, config.dataBucket), marginSeconds: config.marginSeconds },
    async putList(key, text) {
      await s3.send(new PutObjectCommand({ Bucket: config.dataBucket, Key: key, Body: text }));
    },
  };
});

const logger = new Logger();

/**
 * Works for the state machine of a backfill: requests the export, lists its files, works one, sweeps.
 *
 * @throws Error in one sentence when it cannot be done: the state machine tries again, or fails with it.
 */
export async function handler(request: HistoryRequest, context: Context): Promise<HistoryAnswer> {
  const invocation = { name: context.awsRequestId, remainingMs: () => context.getRemainingTimeInMillis() };
  const answer = await act(request, invocation, await production());
  logger.info('Answered the state machine', { action: request.action, answer });
  return answer;
}
