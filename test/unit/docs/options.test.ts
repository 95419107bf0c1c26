import { expect, test } from 'vitest';
import definitions from '../../../docs/examples/options.ts';
import { examplesOf, optionReference, optionsOf } from '../../given/definition/option-reference.ts';

const PAGE = 'docs/reference/options.md';

test('every option of the schema has an example that compiles, and makes a valid definition', () => {
  const places = optionsOf().map(({ place }) => place);
  expect(places.length).toBeGreaterThan(40);
  const examples = examplesOf();
  expect(places.filter((place) => !examples.has(place))).toEqual([]);
  const types = ['features.*.string', 'features.*.timestamp'];
  expect([...examples.keys()].filter((place) => !places.includes(place) && !types.includes(place))).toEqual([]);
  const named = (place: string) => (place.split('.').at(-1) ?? '').replace('attributeType', 'categorical');
  const ofLabel = /^label\.(type|min|max|classes)$/;
  const silent = [...examples].filter(([place, code]) => !ofLabel.test(place) && !code.includes(named(place)));
  expect(silent.map(([place]) => place)).toEqual(['features.*.categories', 'features.*.buckets']);
  expect(definitions.map(({ name }) => name)).toContain('every-option');
});

test(`${PAGE} is made of the schema: npx vitest run ${import.meta.filename.split('/').at(-1)} -u writes it anew`, async () => {
  await expect(optionReference()).toMatchFileSnapshot(`../../../${PAGE}`);
});
