import { describe, expect, it, vi } from 'vitest';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { resourcesOf } from '../../../infra/aws/stack.ts';
import { publishOutcome } from '../../../shared/delivery/report.ts';
import { STATUS } from '../../../shared/prediction/refusal.ts';
import { publishTimings, Timings } from '../../../shared/prediction/timings.ts';
import { publishCheck, publishGivenUp, publishSnapshotAge } from '../../../shared/training/progress.ts';
import orders from '../../fixtures/feature-groups/orders.ts';
import { STACK_OPTIONS } from '../../given/aws/stack-options.ts';

const names = namesOf(orders, 'prod');
const topic = 'arn:aws:sns:us-east-1:123456789012:alarms';
const { Resources: resources } = resourcesOf(orders, names, { ...STACK_OPTIONS, alarmTopicArn: topic }).resources;

interface MetricStat {
  readonly Metric: { Namespace: string; MetricName: string; Dimensions: { Name: string; Value: unknown }[] };
}

const alarms = Object.values(resources)
  .filter(({ Type, Properties }) => Type === 'AWS::CloudWatch::Alarm' && Properties.Metrics !== undefined)
  .map(({ Properties }) => ({
    name: String(Properties.AlarmName).slice(`${names.stack}-`.length),
    metrics: (Properties.Metrics as { MetricStat?: MetricStat }[]).flatMap((it) => it.MetricStat?.Metric ?? []),
    properties: Properties,
  }));

interface Emitted {
  readonly Namespace: string;
  readonly Dimensions: string[][];
  readonly Metrics: { readonly Name: string; readonly Unit: string }[];
}

/** What is printed in the embedded metric format, line by line. */
function linesOf(publish: () => void): Emitted[] {
  const lines: string[] = [];
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', names.stack);
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'Tributary');
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  try {
    publish();
  } finally {
    write.mockRestore();
    vi.unstubAllEnvs();
  }
  return lines.map((line) => JSON.parse(line)._aws.CloudWatchMetrics[0]);
}

/** As ingest prints it. */
function emitted(): Emitted {
  const counts = {
    recordsIn: 1,
    delivered: 1,
    superseded: 0,
    deleted: 0,
    quarantined: 0,
    skipped: 0,
    failed: 0,
    labelEvents: 0,
  };
  const outcome = { checkpoint: undefined, completeThrough: 1, failures: [], rejections: [], counts };
  const [line] = linesOf(() => publishOutcome(orders, outcome, { payload: 0, billed: 0 }, 60_000));
  if (!line) throw new Error('nothing was printed');
  return line;
}

/** As predict prints it of a prediction whose endpoint failed and whose record conflicts. */
async function emittedByPredict(): Promise<Emitted[]> {
  const timings = new Timings();
  await timings.measure('endpoint', () => Promise.reject(new Error('down'))).catch(() => undefined);
  timings.refused(STATUS.conflict);
  return linesOf(() => publishTimings(orders.name, timings));
}

describe('alarms', () => {
  it.each(alarms)(
    '$name tells the topic when it rings and when it is over, and is silent when nothing happens',
    ({ properties }) => {
      expect(properties).toMatchObject({ AlarmActions: [topic], OKActions: [topic], TreatMissingData: 'notBreaching' });
    },
  );

  it('watch metrics of our own only as the functions emit them: namespace, names and dimensions', async () => {
    const byRetrain = linesOf(() => [
      publishGivenUp(orders.name),
      publishSnapshotAge(orders.name, 1),
      publishCheck(orders.name, { hours: 1, drifted: 0 }),
    ]);
    const lines = [emitted(), ...(await emittedByPredict()), ...byRetrain];
    const { Namespace } = emitted();
    const ours = alarms.flatMap(({ metrics }) => metrics).filter((metric) => metric.Namespace === Namespace);
    expect(ours.length).toBeGreaterThan(5);
    for (const { MetricName, Dimensions: watched } of ours) {
      const line = lines.find(({ Metrics }) => Metrics.some(({ Name }) => Name === MetricName));
      expect(line?.Dimensions, MetricName).toContainEqual(watched.map(({ Name }) => Name));
      expect(watched.map(({ Value }) => Value)).toEqual([names.stack, orders.name]);
    }
  });

  it('compare records in with all that becomes of them', () => {
    const { Metrics } = emitted();
    const balance = alarms.find(({ name }) => name === 'records-unbalanced');
    const counted = Metrics.filter(({ Name, Unit }) => Unit === 'Count' && Name !== 'LabelEvents').map(
      ({ Name }) => Name,
    );
    expect(balance?.metrics.map(({ MetricName }) => MetricName).sort()).toEqual(counted.sort());
  });

  it('send a new version back by alarms that exist', () => {
    for (const { Type, Properties } of Object.values(resources)) {
      if (Type !== 'AWS::CodeDeploy::DeploymentGroup') continue;
      const { Alarms } = Properties.AlarmConfiguration as { Alarms: { Name: { Ref: string } }[] };
      for (const { Name } of Alarms) expect(resources).toHaveProperty(Name.Ref);
    }
  });
});

describe('the dashboard', () => {
  const sub = resources.Dashboard?.Properties.DashboardBody as { 'Fn::Sub': [string, object] } | undefined;
  const [body, values] = sub?.['Fn::Sub'] ?? ['{}', {}];

  it('is JSON, whose variables are all given and all used', () => {
    const used = [...new Set([...body.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name))];
    expect(used.sort()).toEqual(Object.keys(values).sort());
    expect(JSON.parse(body).widgets.length).toBeGreaterThan(5);
  });

  it('shows every metric that an alarm watches, save throttles of the state table', () => {
    const shown = JSON.parse(body).widgets.flatMap(({ properties }: { properties: { metrics: [string, string][] } }) =>
      properties.metrics.map(([namespace, name]) => `${namespace} ${name}`),
    );
    const watched = alarms.flatMap(({ metrics }) => metrics.map((it) => `${it.Namespace} ${it.MetricName}`));
    expect(watched.filter((it) => !shown.includes(it) && !it.includes('AWS/DynamoDB'))).toEqual([]);
  });
});
