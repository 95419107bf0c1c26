import { Argument } from '@commander-js/extra-typings';
import { definitionNames, loadDefinition, lockFile } from '../../aws/definitions/definitions.ts';
import { acceptDefinition } from '../../aws/packaging/lock.ts';
import { exiting, newCommand, runCommand } from '../../terminal/command.ts';

export const command = newCommand(
  'definition',
  'Writes the lock of a definition as it is. A deployment does so too, on the machine that deploys.',
)
  .addArgument(new Argument('<action>', 'accept: write the lock').choices(['accept']))
  .argument('<name>', 'name of a definition in shared/feature-groups')
  .action(
    exiting(async (_, name) => {
      const group = await loadDefinition(name);
      if (!definitionNames().includes(name)) {
        throw new Error(`${name} is a path, and only what stands in shared/feature-groups is deployed: give a name.`);
      }
      const isWritten = acceptDefinition(process.cwd(), name, group);
      console.log(isWritten ? `${lockFile(name)} was written: commit it.` : `${lockFile(name)} says so already.`);
      return 0;
    }),
  );

if (import.meta.main) await runCommand(command);
