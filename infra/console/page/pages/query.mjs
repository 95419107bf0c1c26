import { useState } from 'preact/hooks';
import { ask } from '../ask.mjs';
import { Card, Command, html, Problem, Table } from '../parts.mjs';

/** Rows that are drawn, at most. */
const BARS_MAX = 40;

const sqlName = (name) => `"${name.toLowerCase()}"`;

/** Questions to begin with, of any definition. */
const EXAMPLES = [
  ['Changes by kind', 'SELECT event_name, count(*) AS changes FROM change_log GROUP BY event_name ORDER BY 2 DESC'],
  ['Newest records', 'SELECT * FROM latest ORDER BY event_time DESC LIMIT 20'],
];

/** Questions to begin with, of this definition. */
function examplesOf({ group, predictionLog }) {
  if (group.label === null) return EXAMPLES;
  const label = sqlName(group.label);
  const first = group.features.find(({ type }) => type === 'categorical');
  const number = group.features.find(({ type, training }) => training && type !== 'categorical');
  return [
    ['Labels', `SELECT ${label}, count(*) AS records FROM latest GROUP BY ${label} ORDER BY ${label}`],
    ...(first
      ? [
          [
            `Label by ${first.name}`,
            `SELECT ${sqlName(first.name)}, avg(CAST(${label} AS double)) AS share_of_1\nFROM latest\nWHERE ${label} IS NOT NULL\nGROUP BY ${sqlName(first.name)}\nORDER BY 2 DESC`,
          ],
        ]
      : []),
    ...(number
      ? [
          [
            `${number.name} and the label`,
            `SELECT corr(${sqlName(number.name)}, ${label}) AS correlation FROM datasource`,
          ],
        ]
      : []),
    ...(predictionLog === null
      ? []
      : [
          [
            'Predictions by model',
            `SELECT model, count(DISTINCT prediction_id) AS predictions, avg(score) AS mean_score\nFROM ${predictionLog}\nGROUP BY model\nORDER BY 2 DESC`,
          ],
        ]),
    ...EXAMPLES,
  ];
}

/** Athena's SQL, with what it answers as a table, as bars where that makes sense, and as a file. */
export function Query({ stack }) {
  const examples = examplesOf(stack);
  const [sql, setSql] = useState(examples[0][1]);
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const run = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      setFound(await ask('query', { sql }));
      setProblem('');
    } catch (error) {
      setProblem(error.message);
    }
    setBusy(false);
  };
  const onKey = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run(event);
  };
  return html`
    <h1>Query</h1>
    <p>${examples.map(([name, text]) => html`<button class="small" onClick=${() => setSql(text)}>${name}</button> `)}</p>
    <form class="stacked" onSubmit=${run}>
      <label>
        SQL over latest, datasource and change_log
        <textarea name="sql" rows="6" spellcheck="false" value=${sql} onInput=${(event) => setSql(event.target.value)} onKeyDown=${onKey}></textarea>
      </label>
      <button disabled=${busy}>${busy ? 'At work…' : 'Run'}</button>
      <span class="faint">or Ctrl and Enter; database ${stack.database}</span>
    </form>
    <${Problem} text=${problem} />
    ${found ? html`<${Answer} found=${found} />` : null}
    <${Command} text=${`npm run sql -- '${sql.replaceAll("'", "'\\''")}' ${stack.commandOptions}`} />
  `;
}

function Answer({ found }) {
  const { columns, rows, more, millis, scannedBytes, outputLocation } = found;
  const names = columns.map(({ name }) => name);
  return html`<div class="cards">
    <${Bars} columns=${columns} rows=${rows} />
    <${Card} title=${`${rows.length} rows`} wide>
      <${Table} names=${names} rows=${rows} />
      <p class="faint">${millis} ms, ${scannedBytes} bytes read. ${more ? `There are more rows, at ${outputLocation}.` : ''}</p>
      <button onClick=${() => download(names, rows)}>Download as CSV</button>
    <//>
  </div>`;
}

/** Bars for a name and a number in each row. */
function Bars({ columns, rows }) {
  const isNumber = /^(tinyint|smallint|integer|bigint|double|float|decimal.*)$/.test(columns[1]?.type ?? '');
  if (columns.length !== 2 || !isNumber || rows.length === 0 || rows.length > BARS_MAX) return null;
  const greatest = Math.max(...rows.map(([, value]) => Math.abs(Number(value ?? 0)))) || 1;
  return html`<${Card} title=${`${columns[1].name} by ${columns[0].name}`}>
    ${rows.map(
      ([name, value]) => html`<div class="state">
      <span>${name ?? 'NULL'}</span><span class="faint">${value === null ? 'NULL' : Number(Number(value).toPrecision(5))}</span>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width=${(Math.abs(Number(value ?? 0)) / greatest) * 100} height="4" /></svg>
    </div>`,
    )}
  <//>`;
}

/** A file as Athena writes one: every value in quotes, and nothing for NULL. */
function download(names, rows) {
  const line = (row) => row.map((value) => (value === null ? '' : `"${value.replaceAll('"', '""')}"`)).join();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(
    new Blob([[names, ...rows].map((row) => `${line(row)}\n`).join('')], { type: 'text/csv' }),
  );
  link.download = 'query.csv';
  link.click();
  URL.revokeObjectURL(link.href);
}
