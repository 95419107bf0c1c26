import { labelOf } from '../../../shared/definition/feature-group.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';
import { definitionOption, jsonFlag, regionOption, stageOption } from '../../terminal/options.ts';
import { argumentOrInput } from '../../terminal/standard-input.ts';
import { styleOf } from '../../terminal/style.ts';
import { tableOf } from '../../terminal/table.ts';
import { EXAMPLE, invokeFunction, STAGE, targetOf } from '../target.ts';

/** The alias of predict's version that serves, which callers name. */
const ALIAS = 'live';

/** One answer of predict: score, predicted_label, threshold, model, schema, recordIdentifier; scores by class. */
type Prediction = Readonly<Record<string, string | number | null | Readonly<Record<string, number>>>>;

export const command = newCommand('predict', 'Asks for a prediction of a known record, a new one, or a list of either.')
  .argument(
    '<request>',
    'JSON: {"<identifier>": "…"}, {"features": {…}} or {"records": […]}; "-" reads the standard input',
  )
  .addOption(definitionOption().default(EXAMPLE))
  .addOption(stageOption().default(STAGE))
  .addOption(regionOption())
  .addOption(jsonFlag())
  .action(
    exiting(async (given, { json, ...options }) => {
      const { group, names, settings } = await targetOf(options);
      labelOf(group);
      const request = parsed(await argumentOrInput(given), group.recordIdentifier.name);
      const answer = await invokeFunction<Prediction | { predictions: Prediction[] }>(
        `${names.stack}-predict:${ALIAS}`,
        settings,
        request,
      );
      console.log(json ? JSON.stringify(answer, undefined, 2) : render(answer));
      return 0;
    }),
  );

/** @throws Error showing a request that is right. */
function parsed(text: string, identifier: string): object {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    request = undefined;
  }
  if (typeof request === 'object' && request !== null && !Array.isArray(request)) return request;
  throw new Error(
    `The request is no JSON object: give one in quotes, such as '{"${identifier}": "…"}' or '{"features": {…}}'.`,
  );
}

function render(answer: Prediction | { readonly predictions: readonly Prediction[] }): string {
  const predictions = 'predictions' in answer ? (answer.predictions as readonly Prediction[]) : [answer];
  const names = Object.keys(predictions[0] ?? {});
  const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
  const rows = predictions.map((it) => names.map((name) => (it[name] === null ? null : text(it[name]))));
  return tableOf(names, rows, styleOf(process.stdout));
}

if (import.meta.main) await runCommand(command);
