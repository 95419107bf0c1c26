import { expect, test } from 'vitest';
import { definitionNames, loadDefinition } from '../../../infra/aws/definitions/definitions.ts';

test('the definitions are the files of the folder, without what they are written in', () => {
  expect(definitionNames()).toContain('bank-marketing');
  expect(definitionNames()).not.toContain('define');
  expect(definitionNames()).not.toContain('bank-marketing.lock');
});

test('a definition is loaded by its name, and by the path of its file', async () => {
  expect((await loadDefinition('bank-marketing')).name).toBe('bank-marketing');
  expect((await loadDefinition('./test/fixtures/feature-groups/orders.ts')).name).toBe('Orders_v2');
});

test.each(['bank-marketting', 'bank-marketing.ts', 'bank_marketing'])(
  'a name that is misspelt is answered with the one that was meant, and with all there are: %s',
  async (name) => {
    await expect(loadDefinition(name)).rejects.toThrow(
      /^Feature group "bank.*": there is no such definition\. Did you mean bank-marketing\? There are: .*bank-marketing.*\. A file elsewhere is named by its path, such as \.\/bank.*\.ts\.$/,
    );
  },
);

test('nothing is guessed from a name that is near to none, nor from a path', async () => {
  await expect(loadDefinition('x')).rejects.toThrow('there is no such definition. There are: ');
  await expect(loadDefinition('./bank-marketing.ts')).rejects.toThrow(
    'Feature group "./bank-marketing.ts": there is no such file. Give the path of a definition, or a name.',
  );
});
