import { arn } from '../protocol/arn.ts';
import { notImplemented, refuseUnknown } from '../protocol/aws-error.ts';
import type { Operation } from '../protocol/service.ts';
import type { FeatureStore } from './store.ts';

/** Groups of one page: default and greatest. Source: ListFeatureGroups, MaxResults. */
const PAGE_DEFAULT = 10;
const PAGE_MAX = 100;

interface ListInput {
  readonly NameContains?: string;
  readonly FeatureGroupStatusEquals?: string;
  readonly SortBy?: string;
  readonly SortOrder?: string;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** What SageMaker's own API says of feature groups. They are made by the stack, not over the wire. */
export function groupOperations(store: FeatureStore, createdMs = Date.now()): Record<string, Operation> {
  const CreationTime = createdMs / 1_000;
  const arnOf = (name: string) => arn('sagemaker', `feature-group/${name.toLowerCase()}`);
  const status = { FeatureGroupStatus: 'Created' };
  return {
    DescribeFeatureGroup: (input: { FeatureGroupName: string; NextToken?: string }) => {
      refuseUnknown('SageMaker', 'DescribeFeatureGroup', input, ['FeatureGroupName', 'NextToken']);
      const { name } = store.group(input.FeatureGroupName);
      const { OnlineStoreConfig, OfflineStoreConfig, ...properties } = store.properties(name);
      return {
        FeatureGroupArn: arnOf(name),
        ...{ FeatureGroupName: name, RoleArn: properties.RoleArn, Description: properties.Description },
        RecordIdentifierFeatureName: properties.RecordIdentifierFeatureName,
        EventTimeFeatureName: properties.EventTimeFeatureName,
        FeatureDefinitions: properties.FeatureDefinitions,
        OnlineStoreConfig: { ...OnlineStoreConfig, EnableOnlineStore: true },
        ...(OfflineStoreConfig && {
          OfflineStoreConfig,
          OfflineStoreStatus: {
            Status: 'Blocked',
            BlockedReason:
              'The local cloud writes no offline store: ask Athena for the change log, or its view latest.',
          },
        }),
        ...{ CreationTime, LastModifiedTime: CreationTime, ...status },
        OnlineStoreTotalSizeBytes: 0,
        NextToken: '',
      };
    },

    ListFeatureGroups: (input: ListInput) => {
      const honoured = ['NameContains', 'FeatureGroupStatusEquals', 'SortBy', 'SortOrder', 'MaxResults', 'NextToken'];
      refuseUnknown('SageMaker', 'ListFeatureGroups', input, honoured);
      const {
        NameContains = '',
        FeatureGroupStatusEquals: wanted = 'Created',
        SortOrder,
        MaxResults = PAGE_DEFAULT,
        NextToken,
      } = input;
      const names = wanted === 'Created' ? store.names().filter((name) => name.includes(NameContains)) : [];
      names.sort();
      if (SortOrder === 'Descending') names.reverse();
      const start = Number(NextToken ?? 0);
      const end = start + Math.min(MaxResults, PAGE_MAX);
      return {
        FeatureGroupSummaries: names.slice(start, end).map((name) => ({
          ...{ FeatureGroupName: name, FeatureGroupArn: arnOf(name), CreationTime, ...status },
        })),
        ...(end < names.length && { NextToken: String(end) }),
      };
    },

    DescribeFeatureMetadata: (input: { FeatureGroupName: string; FeatureName: string }) => {
      refuseUnknown('SageMaker', 'DescribeFeatureMetadata', input, ['FeatureGroupName', 'FeatureName']);
      const { name, features } = store.group(input.FeatureGroupName);
      const FeatureType = features.get(input.FeatureName);
      if (FeatureType === undefined)
        throw notImplemented(
          'SageMaker',
          `a feature ${input.FeatureName} of ${name}`,
          'DescribeFeatureGroup says which there are.',
        );
      return {
        ...{ FeatureGroupArn: arnOf(name), FeatureGroupName: name, FeatureName: input.FeatureName, FeatureType },
        ...{ CreationTime, LastModifiedTime: CreationTime, Parameters: [] },
      };
    },

    Search: () => {
      throw notImplemented(
        'SageMaker',
        'Search',
        'List what you look for (ListTrainingJobs, ListModels, ListFeatureGroups) and filter by yourself.',
      );
    },
  };
}
