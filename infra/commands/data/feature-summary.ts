import { NUMBERS } from '../../../shared/definition/label.ts';
import { type FeaturesSummary, heaviest, summarizeFeatures } from '../../insight/features/summary.ts';
import type { Sources } from '../../insight/sources.ts';
import { type Style, styleOf } from '../../terminal/style.ts';
import { tableOf } from '../../terminal/table.ts';

/** Shows how all features stand. @returns the exit code. */
export async function showSummary(sources: Sources, json: true | undefined): Promise<number> {
  const summary = await summarizeFeatures(sources);
  console.log(json ? JSON.stringify(summary, undefined, 2) : render(summary, styleOf(process.stdout)));
  return 0;
}

function render({ rows, baseline, features }: FeaturesSummary, style: Style): string {
  const table = features.map((feature) => {
    const { name, type, training, now, baseline: then, stability, dead } = feature;
    return [
      ...[name, type, percent(now.missing), then ? percent(then.missing) : '', stability?.toFixed(3) ?? ''],
      heaviest(feature)?.perDeviation?.toFixed(2) ?? '',
      dead ?? (training ? '' : 'not learned from'),
    ];
  });
  const counted = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([label, count]) =>
        label === ''
          ? `${count} without a label`
          : label === NUMBERS
            ? `${count} with a label`
            : `${count} of class ${label}`,
      )
      .join(', ') || 'none';
  return [
    tableOf(['feature', 'type', 'missing', 'in training', 'stability', 'weight', ''], table, style),
    `Records: ${counted(rows)}`,
    baseline ? `Learned by ${baseline.model}: ${counted(baseline.rows)}` : 'No model has learned from them yet.',
    ...(baseline && baseline.constant.length > 0
      ? [`Columns of one value in its training: ${baseline.constant.join(', ')}`]
      : []),
    ...(baseline?.unweighted ? [`No weights: ${baseline.unweighted}`] : []),
  ].join('\n');
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
