import type { FeatureGroup } from '../../../shared/definition/feature-group.ts';
import { type Resources, ref, type Text } from '../cloudformation/intrinsics.ts';
import type { Names } from '../cloudformation/names.ts';
import type { Metric, Metrics } from './metrics.ts';

/** Widgets in a row of the dashboard's 24 columns, and a widget's height in its units. */
const WIDGETS_PER_ROW = 3;
const WIDTH = 24 / WIDGETS_PER_ROW;
const HEIGHT = 6;

interface Graph {
  readonly title: string;
  readonly metrics: readonly Metric[];
}

/** What is looked at, from the stream to the model. */
function graphsOf({ label }: FeatureGroup, metrics: Metrics): Graph[] {
  return [
    ...deliveryGraphs(label ? FUNCTIONS : FUNCTIONS_WITHOUT_LABEL, metrics),
    ...(label ? modelGraphs(metrics) : []),
  ];
}

const FUNCTIONS = ['ingest', 'retrain', 'predict', 'redrive', 'compare', 'history'] as const;
const FUNCTIONS_WITHOUT_LABEL = ['ingest', 'retrain', 'redrive', 'compare', 'history'] as const;

/** From the stream to the stores. */
function deliveryGraphs(
  functions: readonly (typeof FUNCTIONS)[number][],
  { lambda, mapping, records, fates, changeLogAge }: Metrics,
): Graph[] {
  return [
    { title: 'Oldest unread change (ms)', metrics: [lambda('ingest', 'IteratorAge', 'Maximum')] },
    { title: 'Watermark: complete downstream up to (s ago)', metrics: [records('WatermarkLag', 'Maximum')] },
    {
      title: 'Records in, and what became of them',
      metrics: [records('RecordsIn'), ...Object.values(fates)],
    },
    {
      title: 'Batches given up',
      metrics: [mapping('OnFailureDestinationDeliveredEventCount'), mapping('DroppedEventCount')],
    },
    {
      title: 'Functions: errors and throttles',
      metrics: functions.flatMap((fn) => [lambda(fn, 'Errors'), lambda(fn, 'Throttles')]),
    },
    {
      title: 'Ingest: duration (ms)',
      metrics: [lambda('ingest', 'Duration', 'p95'), lambda('ingest', 'Duration', 'Maximum')],
    },
    { title: 'Change log: oldest row not in S3 (s)', metrics: [changeLogAge] },
    { title: 'Snapshot that the views read: age (h)', metrics: [records('SnapshotAge', 'Maximum')] },
    {
      title: 'Check of the online store: age (h), and records that differed',
      metrics: [records('CheckAge', 'Maximum'), records('RecordsDrifted', 'Maximum')],
    },
  ];
}

/** From the labels to the predictions. */
function modelGraphs({ lambda, records, executions, predictionLog }: Metrics): Graph[] {
  return [
    {
      title: 'Labels: newly labeled in this epoch, and awaited for a training',
      metrics: [records('LabelsInEpoch', 'Maximum'), records('LabelsAwaited', 'Maximum'), records('LabelEvents')],
    },
    {
      title: 'Retrainings',
      metrics: [
        'ExecutionsStarted',
        'ExecutionsSucceeded',
        'ExecutionsFailed',
        'ExecutionsTimedOut',
        'ExecutionsAborted',
      ]
        .map((name) => executions(name))
        .concat(records('TrainingsGivenUp')),
    },
    {
      title: 'Predictions: requests, refusals, errors',
      metrics: ['UrlRequestCount', 'Url4xxCount', 'Url5xxCount'].map((name) => lambda('predict', name)),
    },
    {
      title: 'Predictions: errors of the endpoint, records that do not fit the model',
      metrics: ['Predictions', 'EndpointErrors', 'PredictionConflicts'].map((name) => records(name)),
    },
    {
      title: 'Predictions: time of their steps (ms)',
      metrics: [
        'EndpointLatency',
        'OnlineReadLatency',
        'EncodeLatency',
        ...(predictionLog ? ['PredictionLogLatency'] : []),
      ].map((name) => records(name, 'p95')),
    },
    ...(predictionLog
      ? [
          {
            title: 'Prediction log: predictions not taken, oldest row not in S3 (s)',
            metrics: [predictionLog.missed, predictionLog.age],
          },
        ]
      : []),
  ];
}

/** The stack's dashboard in CloudWatch. */
export function dashboard(group: FeatureGroup, names: Names, metrics: Metrics): Resources {
  const references = new Map<string, string>();
  /** Text that is known at deployment only stands in the JSON as a variable of Fn::Sub. */
  const value = (it: Text): string => {
    if (typeof it === 'string') return it;
    const key = JSON.stringify(it);
    if (!references.has(key)) references.set(key, `Value${references.size + 1}`);
    return `\${${references.get(key)}}`;
  };
  const row = (metric: Metric) => [
    metric.namespace,
    metric.name,
    ...Object.entries(metric.dimensions).flatMap(([name, dimension]) => [name, value(dimension)]),
    { stat: metric.statistic },
  ];
  const widgets = graphsOf(group, metrics).map(({ title, metrics: shown }, index) => ({
    type: 'metric',
    x: (index % WIDGETS_PER_ROW) * WIDTH,
    y: Math.floor(index / WIDGETS_PER_ROW) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: { title, region: value(ref('AWS::Region')), view: 'timeSeries', metrics: shown.map(row) },
  }));
  const body = JSON.stringify({ widgets });
  const variables = Object.fromEntries([...references].map(([key, name]) => [name, JSON.parse(key)]));
  return {
    Dashboard: {
      Type: 'AWS::CloudWatch::Dashboard',
      Properties: {
        DashboardName: names.stack,
        DashboardBody: { 'Fn::Sub': [body, variables] },
      },
    },
  };
}
