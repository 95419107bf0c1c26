import { useEffect, useMemo, useState } from 'preact/hooks';
import { ask } from '../ask.mjs';
import { Chart } from '../chart.mjs';
import { useLive } from '../live.mjs';
import { Card, Command, html, Table, timeOf } from '../parts.mjs';

/** Batches that are listed. */
const BATCHES_SHOWN = 12;

/** Seconds that the chart shows, and for which a box that something has just passed is marked. */
const CHART_SECONDS = 600;
const MOVING_MS = 3_000;

/** Milliseconds whose batches tell the lag, and between two counts of the shards. */
const LAG_MS = 60_000;
const SHARDS_MS = 60_000;

const COUNTS = ['RecordsIn', 'Delivered', 'Superseded', 'Deleted', 'Quarantined', 'Skipped', 'Failed', 'LabelEvents'];

/** The picture of the README, alive. */
export function Flow({ stack }) {
  const { seen } = useLive();
  if (!seen) return html`<h1>Flow</h1><p class="faint">Looking…</p>`;
  return html`
    <h1>Flow of ${stack.group.name}</h1>
    <${River} seen=${seen} stack=${stack} />
    <div class="cards">
      <${Rates} batches=${seen.batches} />
      <${Lag} batches=${seen.batches} stack=${stack} />
      ${stack.group.label === null ? null : html`<${Labels} status=${seen.status} stack=${stack} />`}
      <${Balance} batches=${seen.batches} stack=${stack} />
      <${Happened} lines=${seen.happened} />
      <${Batches} batches=${seen.batches} />
    </div>
  `;
}

const sum = (batches, count) => batches.reduce((total, batch) => total + batch[count], 0);

function River({ seen, stack }) {
  const { status, state, batches, waiting } = seen;
  const now = Date.now();
  const recent = batches.filter(({ atMs }) => now - atMs < MOVING_MS);
  const lag = batches.at(-1)?.WatermarkLag;
  const box = (title, text, moving) =>
    html`<div class=${moving ? 'box moving' : 'box'}><div class="faint">${title}</div><div>${text}</div></div>`;
  return html`<section class="card river" aria-label="The way of a change">
    ${box('DynamoDB', stack.group.table, recent.length > 0)}
    ${box('ingest', batches.length === 0 ? 'no batch yet' : lag === undefined ? `${batches.length} batches` : `${lag} s behind at the last batch`, recent.length > 0)}
    ${box('Feature Store', `${sum(batches, 'Delivered')} delivered`, sum(recent, 'Delivered') > 0)}
    ${box('quarantine', html`<span class=${waiting.objects > 0 ? 'bad' : ''}>${waiting.objects}${waiting.more ? '+' : ''} ${waiting.objects === 1 ? 'object waits' : 'objects wait'}</span>`, sum(recent, 'Quarantined') > 0)}
    ${
      stack.group.label === null
        ? null
        : html`${box('label ledger', `${status.labels.total} labels in epoch ${status.epoch}`, sum(recent, 'LabelEvents') > 0)}
    ${box('training', status.inFlight ? (state ?? 'starts') : status.paused ? 'paused' : status.next.decision, status.inFlight)}
    ${box('endpoint', status.serving?.modelName ?? 'no model yet', false)}`
    }
  </section><p></p>`;
}

function Rates({ batches }) {
  const data = useMemo(() => {
    const end = Math.floor(Date.now() / 1_000);
    const seconds = Array.from({ length: CHART_SECONDS / 5 }, (_, index) => end - CHART_SECONDS + (index + 1) * 5);
    const bins = new Map(seconds.map((second) => [Math.floor(second / 5), { records: 0, lag: null }]));
    for (const { atMs, RecordsIn, WatermarkLag } of batches) {
      const bin = bins.get(Math.floor(atMs / 5_000));
      if (!bin) continue;
      bin.records += RecordsIn / 5;
      if (WatermarkLag !== undefined) bin.lag = Math.max(bin.lag ?? 0, WatermarkLag);
    }
    const of = (name) => seconds.map((second) => bins.get(Math.floor(second / 5))[name]);
    return [seconds, of('records'), of('lag')];
  }, [batches]);
  const series = [
    { label: 'records a second', stroke: '--accent' },
    { label: 'seconds behind', stroke: '--warn' },
  ];
  return html`<${Card} title="Records a second, and seconds behind" wide>
    <${Chart} data=${data} series=${series} label="Records a second and seconds behind, of the last ten minutes" />
  <//>`;
}

/**
 * How far behind the shards are. A batch does not say which shard it is of: each batch tells of one, so that the greatest
 * is that of the shard that is furthest behind.
 */
function Lag({ batches, stack }) {
  const [shards, setShards] = useState(null);
  useEffect(() => {
    const count = () =>
      ask('shards').then(
        (answer) => setShards(answer.shards),
        () => undefined,
      );
    count();
    const again = setInterval(count, SHARDS_MS);
    return () => clearInterval(again);
  }, []);
  const since = Date.now() - LAG_MS;
  const lags = batches.flatMap(({ atMs, WatermarkLag }) =>
    atMs >= since && WatermarkLag !== undefined ? WatermarkLag : [],
  );
  const sorted = lags.toSorted((one, other) => one - other);
  return html`<${Card} title="Seconds behind, of the last minute's batches">
    ${
      sorted.length === 0
        ? html`<p class="faint">${stack.group.ownEventTime ? 'Event times are of the items themselves, which tell no lag.' : 'No batch within a minute.'}</p>`
        : html`<div class="big">${sorted.at(-1)} <span class="faint">at the shard furthest behind</span></div>
      <div>half of ${sorted.length} batches within ${sorted[Math.floor((sorted.length - 1) / 2)]} s</div>`
    }
    ${
      shards
        ? html`<p class="faint">${shards.open} open ${shards.open === 1 ? 'shard' : 'shards'}. Lambda tells no batch its shard.</p>
      <${Command} text=${`aws dynamodbstreams describe-stream --stream-arn ${shards.streamArn}`} />`
        : null
    }
    <${Command} text=${`aws logs filter-log-events --log-group-name /aws/lambda/${stack.stack}-ingest --filter-pattern '"WatermarkLag"'`} />
  <//>`;
}

function Labels({ status, stack }) {
  const { labels, next, epoch } = status;
  const { threshold, perClass } = stack.policy;
  return html`<${Card} title=${`Labels of epoch ${epoch}`}>
    <div class="big">${labels.total} <span class="faint">of ${threshold}</span></div>
    <progress max=${threshold} value=${Math.min(labels.total, threshold)} aria-label="Labels towards a training"></progress>
    ${Object.keys(labels)
      .filter((it) => it !== 'total')
      .map(
        (label) => html`<div>
        class ${label}: ${labels[label]} <span class="faint">of at least ${perClass}</span>
        <progress max=${Math.max(1, perClass)} value=${Math.min(labels[label], perClass)} aria-label=${`Labels of class ${label}`}></progress>
      </div>`,
      )}
    <p>${next.decision}: ${next.reason}</p>
    <${Command} text=${`npm run status -- ${stack.commandOptions}`} />
  <//>`;
}

function Balance({ batches, stack }) {
  const [records, delivered, superseded, deleted, quarantined, skipped, failed] = COUNTS.map((count) =>
    sum(batches, count),
  );
  const accounted = delivered + superseded + deleted + quarantined + skipped + failed;
  return html`<${Card} title="Balance of the batches below">
    <div class="big">${records} <span class="faint">records in</span></div>
    <div class=${records === accounted ? 'good' : 'bad'}>
      = ${delivered} delivered + ${superseded} superseded + ${deleted} deleted + ${quarantined} in quarantine + ${skipped} skipped + ${failed} again
    </div>
    <${Command} text=${`aws logs filter-log-events --log-group-name /aws/lambda/${stack.stack}-ingest --filter-pattern '"RecordsIn"'`} />
  <//>`;
}

function Happened({ lines }) {
  const style = { quarantine: 'bad', failure: 'bad', swap: 'good' };
  return html`<${Card} title="What happened" wide>
    <ol class="log" tabindex="0" aria-label="What happened, newest first">
      ${lines.toReversed().map(({ atMs, kind, text }) => html`<li><span class="faint">${timeOf(atMs)}</span> <span class=${style[kind]}>${text}</span></li>`)}
    </ol>
    ${lines.length === 0 ? html`<p class="faint">Nothing since this page was opened.</p>` : null}
  <//>`;
}

function Batches({ batches }) {
  const rows = batches.slice(-BATCHES_SHOWN).toReversed();
  return html`<${Card} title="Last batches" wide>
    <${Table}
      names=${['at', ...COUNTS, 'seconds behind']}
      none="No batch yet."
      rows=${rows.map((it) => [timeOf(it.atMs), ...COUNTS.map((count) => it[count]), it.WatermarkLag])}
    />
  <//>`;
}
