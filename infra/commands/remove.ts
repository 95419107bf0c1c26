import { exiting, newCommand, runCommand } from '../terminal/command.ts';
import { definitionOption, regionOption, stageOption } from '../terminal/options.ts';
import { progressTo } from '../terminal/progress.ts';
import { type Style, styleOf } from '../terminal/style.ts';
import { labeled } from '../terminal/text.ts';
import { connect, disconnect } from './remove/clients.ts';
import { type Thing, takeInventory, thingsOf } from './remove/inventory.ts';
import { keptOf } from './remove/kept.ts';
import { removeAll } from './remove/removal.ts';
import { targetOf, unreachable } from './target.ts';

/** Columns of the kinds of things on the left. */
const KIND_WIDTH = 18;

export const command = newCommand(
  'remove',
  'Removes a stack and everything that outlives it: data, models, endpoint. Without --yes it only says what it would remove.',
)
  .addOption(definitionOption().makeOptionMandatory())
  .addOption(stageOption().makeOptionMandatory())
  .addOption(regionOption())
  .option('--yes', 'really remove it; there is no way back')
  .action(
    exiting(async ({ yes, verbose: _, ...options }) => {
      const { group, names, settings } = await targetOf(options);
      const sought = { stack: names.stack, endpoint: names.endpoint, featureGroup: group.name };
      const clients = connect(settings);
      const progress = progressTo(process.stderr);
      try {
        const found = await takeInventory(clients, sought).catch((cause: NodeJS.ErrnoException) => {
          // A service's own answer has no code, and says what is wrong.
          throw cause.code === undefined ? cause : unreachable(`The stack ${names.stack}`, cause);
        });
        const things = thingsOf(found);
        const kept = keptOf(found, group);
        if (things.length === 0) console.log(`Nothing is left of ${names.stack}.`);
        else if (yes) {
          await removeAll(clients, sought, found, progress);
          print(`Removed ${names.stack}:`, things, 'Kept:', kept);
        } else {
          print(`Would remove ${names.stack}:`, things, 'Would keep:', kept);
          console.log('\nNothing was removed. Add --yes to remove all of this; there is no way back.');
        }
        return 0;
      } finally {
        progress.close();
        disconnect(clients);
      }
    }),
  );

function print(removedTitle: string, removed: readonly Thing[], keptTitle: string, kept: readonly Thing[]): void {
  const style = styleOf(process.stdout);
  console.log([removedTitle, ...linesOf(removed, style), '', keptTitle, ...linesOf(kept, style)].join('\n'));
}

const linesOf = (things: readonly Thing[], style: Style): string[] =>
  things.map(([kind, text]) => labeled(`  ${kind}`, text, KIND_WIDTH, style));

if (import.meta.main) await runCommand(command);
