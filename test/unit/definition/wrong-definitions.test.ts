import { expect, test } from 'vitest';
import * as words from '../../../shared/feature-groups/define.ts';

/** Words as JavaScript or a cast lets anybody use them. */
type Word = (...options: unknown[]) => object;
const { boolean, categorical, equals, fractional, hashed, integral, string, timestamp } = words as unknown as Record<
  'boolean' | 'categorical' | 'equals' | 'fractional' | 'hashed' | 'integral' | 'string' | 'timestamp',
  Word
>;

const orders = {
  name: 'orders',
  recordIdentifier: 'order_id',
  features: { amount: fractional() },
  label: { name: 'returned' },
};

const problemsOf = (wrong: object | undefined): string => {
  try {
    words.defineFeatureGroup(wrong as Parameters<typeof words.defineFeatureGroup>[0]);
  } catch (error) {
    return (error as Error).message;
  }
  return 'valid';
};

const withFeatures = (features: object) => ({ ...orders, features: { ...orders.features, ...features } });

test.each<[string, object | undefined, string]>([
  [
    'nothing at all',
    undefined,
    'expected a description: defineFeatureGroup({ name, recordIdentifier, features }), found nothing',
  ],
  [
    'no features',
    { ...orders, features: undefined },
    'features: expected features by their names, such as { age: integral() }, found nothing',
  ],
  [
    'features in a list',
    { ...orders, features: [fractional()] },
    'features: expected features by their names, such as { age: integral() }, found a list',
  ],
  ['no name', { ...orders, name: undefined }, 'name: expected a text, found nothing'],
  [
    'a name with a dot',
    { ...orders, name: 'shop.orders' },
    'name: must be 1 to 64 letters, digits, "-" or "_", and begin and end with a letter or digit (the rule of CreateFeatureGroup); found \'shop.orders\'',
  ],
  [
    'a misspelt option of the group',
    { ...orders, onDelet: 'keep' },
    'there is no option `onDelet`; did you mean `onDelete`?',
  ],
  [
    'an option that is nowhere',
    { ...orders, vacuum: true },
    'there is no option `vacuum`; there are name, table, recordIdentifier, items, eventTime, features, label, onDelete, onTtlExpiry, trainingTime, description and owner',
  ],
  ['a misspelt choice', { ...orders, onDelete: 'kepe' }, "onDelete: expected 'delete' or 'keep', found 'kepe'"],
  [
    'another choice',
    { ...orders, trainingTime: 'now' },
    "trainingTime: expected 'latest' or 'as-of-label', found 'now'",
  ],
  [
    'a table with a space',
    { ...orders, table: 'my orders' },
    'table: must be 3 to 255 letters, digits, "_", "-" or "." (the rule of CreateTable); found \'my orders\'',
  ],
  [
    'a misspelt option of a feature',
    withFeatures({ items: integral({ optinal: true }) }),
    'features.items: there is no option `optinal`; did you mean `optional`?',
  ],
  [
    'an option of other types',
    withFeatures({ express: boolean({ min: 0 }) }),
    'features.express: there is no option `min`, which integral and fractional have; there are attribute, path, optional, training, since, description and personal',
  ],
  [
    'an option of one other type',
    withFeatures({ items: integral({ encoding: 'ordinal' }) }),
    'features.items: there is no option `encoding`, which categorical has; there are attribute, path, optional, training, since, description, personal, imputeWith, min and max',
  ],
  [
    'two misspelt options',
    withFeatures({ items: integral({ optinal: true, atribute: 'n' }) }),
    'features.items: there is no option `optinal`; did you mean `optional`?; there is no option `atribute`; did you mean `attribute`?',
  ],
  [
    'an option that is no boolean',
    withFeatures({ items: integral({ optional: 'yes' }) }),
    "features.items.optional: expected true or false, found 'yes'",
  ],
  [
    'a misspelt type',
    withFeatures({ items: { type: 'integrl' } }),
    "features.items.type: expected 'string', 'integral', 'fractional', 'boolean', 'categorical', 'timestamp' or 'hashed', found 'integrl'; did you mean 'integral'?",
  ],
  [
    'a feature that was not called',
    withFeatures({ items: integral }),
    'features.items: expected a feature, such as integral() or categorical([...]), found a function; it has to be called, with ()',
  ],
  [
    'a type in place of a feature',
    withFeatures({ items: 'integral' }),
    "features.items: expected a feature, such as integral() or categorical([...]), found 'integral'",
  ],
  [
    'a feature without a type',
    withFeatures({ items: { min: 0 } }),
    'features.items.type: expected a feature, such as integral() or categorical([...]), found nothing',
  ],
  [
    'a feature whose name has a dot',
    withFeatures({ 'emp.var.rate': fractional() }),
    'features[\'emp.var.rate\']: as a name, it must be 1 to 64 letters, digits, "-" or "_", and begin and end with a letter or digit (the rule of CreateFeatureGroup)',
  ],
  [
    'a bound that is a text',
    withFeatures({ items: integral({ min: '1' }) }),
    "features.items.min: expected a number, found '1'",
  ],
  [
    'a bound of whole numbers that is none',
    withFeatures({ items: integral({ max: 1.5 }) }),
    'features.items.max: expected a whole number, found 1.5',
  ],
  [
    'a bound beyond 2^53',
    withFeatures({ items: integral({ max: 2 ** 60 }) }),
    'features.items.max: beyond 2^53 a bound is written as a bigint, such as 9007199254740993n',
  ],
  [
    'a bound that is not a number',
    withFeatures({ items: fractional({ max: Number.NaN }) }),
    'features.items.max: expected a number, found NaN',
  ],
  [
    'bounds that exclude everything',
    withFeatures({ items: integral({ min: 10, max: 1 }) }),
    'features.items.min: 10 is greater than max, 1',
  ],
  [
    'categories that are no list',
    withFeatures({ channel: categorical('web') }),
    "features.channel.categories: expected a list of texts, found 'web'",
  ],
  [
    'a category that is a number',
    withFeatures({ channel: categorical(['web', 7]) }),
    'features.channel.categories[1]: expected a text, found 7',
  ],
  [
    'one category',
    withFeatures({ channel: categorical(['web']) }),
    'features.channel.categories: expected at least two categories, found 1',
  ],
  [
    'a category with a line break',
    withFeatures({ channel: categorical(['web', 'a\nb']) }),
    "features.channel.categories[1]: must not hold a line break: no row of the change log can, so training would not find it; found 'a\\nb'",
  ],
  [
    'an empty category',
    withFeatures({ channel: categorical(['web', '']) }),
    'features.channel.categories[1]: must not be empty',
  ],
  [
    'a category listed twice',
    withFeatures({ channel: categorical(['web', 'shop', 'web']) }),
    "features.channel.categories: 'web' is listed twice",
  ],
  [
    'a misspelt encoding',
    withFeatures({ channel: categorical(['web', 'shop'], { encoding: 'onehot' }) }),
    "features.channel.encoding: expected 'one-hot' or 'ordinal', found 'onehot'; did you mean 'one-hot'?",
  ],
  [
    'a text that is to train',
    withFeatures({ note: string({ training: true }) }),
    'features.note.training: a text does not train: leave the option out, or write categorical([...])',
  ],
  [
    'a version below the first',
    withFeatures({ items: integral({ since: 0 }) }),
    'features.items.since: expected 1 or more, found 0',
  ],
  [
    'a later feature that is required',
    withFeatures({ items: integral({ since: 2 }) }),
    'features.items.since: a feature that came with version 2 must be optional: older rows lack it',
  ],
  [
    'an empty attribute',
    withFeatures({ items: integral({ attribute: '' }) }),
    'features.items.attribute: must not be empty',
  ],
  [
    'an identifier that is a number',
    { ...orders, recordIdentifier: 7 },
    "recordIdentifier: expected a text, or an object such as { name: 'order_id', attributes: ['pk', 'sk'] }, found 7",
  ],
  [
    'an identifier with a dot',
    { ...orders, recordIdentifier: 'order.id' },
    'recordIdentifier: must be 1 to 64 letters, digits, "-" or "_", and begin and end with a letter or digit (the rule of CreateFeatureGroup); found \'order.id\'',
  ],
  [
    'three key attributes',
    { ...orders, recordIdentifier: { name: 'id', attributes: ['a', 'b', 'c'] } },
    "recordIdentifier.attributes: a table's key has one or two attributes, its partition key and its sort key; found 3",
  ],
  [
    'no key attribute',
    { ...orders, recordIdentifier: { name: 'id', attributes: [] } },
    "recordIdentifier.attributes: a table's key has one or two attributes, its partition key and its sort key; found 0",
  ],
  [
    'one key attribute twice',
    { ...orders, recordIdentifier: { name: 'id', attributes: ['pk', 'pk'] } },
    "recordIdentifier.attributes: 'pk' stands there twice; a partition key and a sort key are two attributes",
  ],
  [
    'a key of binary',
    { ...orders, recordIdentifier: { name: 'id', attributes: ['pk'], types: ['B'] } },
    "recordIdentifier.types[0]: expected 'S' or 'N', found 'B'; a key of another type cannot identify a record, whose identifier is a text",
  ],
  [
    'a type for one of two keys',
    { ...orders, recordIdentifier: { name: 'id', attributes: ['pk', 'sk'], types: ['S'] } },
    'recordIdentifier.types: 1 types for 2 attributes; give one for each',
  ],
  [
    'a misspelt option of the identifier',
    { ...orders, recordIdentifier: { name: 'id', atributes: ['pk'] } },
    'recordIdentifier.attributes: expected a list, found nothing\n✖ recordIdentifier: there is no option `atributes`; did you mean `attributes`?',
  ],
  [
    'no label, and a time to learn it with',
    { ...orders, label: undefined, trainingTime: 'as-of-label' },
    "trainingTime: there is no label to learn 'as-of-label'; leave it out",
  ],
  [
    'no label, and no feature',
    { ...orders, label: undefined, features: {} },
    'features: there is none; a record needs one to be worth storing',
  ],
  [
    'a label that is a text',
    { ...orders, label: 'returned' },
    "label: expected an object such as { name: 'returned' }, found 'returned'",
  ],
  [
    'an option of a label that is nowhere',
    { ...orders, label: { name: 'returned', threshold: 3 } },
    'label: there is no option `threshold`; there are name, attribute, since, values, classes, min and max',
  ],
  [
    'a label of two kinds',
    { ...orders, label: { name: 'returned', classes: ['a', 'b', 'c'], ...fractional() } },
    'label: classes and fractional() say two kinds of labels; give one of them',
  ],
  [
    'two classes in a list',
    { ...orders, label: { name: 'returned', classes: ['no', 'yes'] } },
    'label.classes: expected at least three classes, found 2; two are written { values: { 0: [...], 1: [...] } }',
  ],
  [
    'classes that are no list',
    { ...orders, label: { name: 'returned', classes: 'low' } },
    "label.classes: expected a list of at least three classes, such as ['low', 'middle', 'high'], found 'low'",
  ],
  [
    'a class that is a boolean',
    { ...orders, label: { name: 'returned', classes: ['low', true, 'high'] } },
    'label.classes[1]: expected a text or a number, found true',
  ],
  [
    'more classes than are counted',
    { ...orders, label: { name: 'returned', classes: Array.from({ length: 101 }, (_, n) => n) } },
    'label.classes: expected at most 100 classes, found 101',
  ],
  [
    'a class that is listed twice',
    { ...orders, label: { name: 'returned', classes: [1, 2, '2', 2n] } },
    'label.classes: 2 is listed twice',
  ],
  [
    'a label that is a number, and optional',
    { ...orders, label: { name: 'returned', ...fractional({ optional: true }) } },
    'label: there is no option `optional`, which string, integral, fractional, boolean, categorical, timestamp and hashed have; there are name, attribute, since, values, classes, min and max',
  ],
  [
    'a label of another type of feature',
    { ...orders, label: { name: 'returned', ...integral() } },
    "label.type: expected 'fractional', found 'integral'",
  ],
  [
    'bounds of a label that is none',
    { ...orders, label: { name: 'returned', min: 1 } },
    'label: min and max are bounds of a number, which is written `...fractional({ min, max })`',
  ],
  [
    'bounds of a label that exclude everything',
    { ...orders, label: { name: 'returned', ...fractional({ min: 2, max: 1 }) } },
    'label.min: 2 is greater than max, 1',
  ],
  [
    'a label that reads like a path',
    { ...orders, label: { name: 'returned', attribute: 'outcome.returned' } },
    "label.attribute: 'outcome.returned' reads like a path, and an attribute is one at the top of the item: keep the value in such an attribute",
  ],
  [
    'an event time that is a text',
    { ...orders, eventTime: 'updatedAt' },
    "eventTime: expected an object such as { attribute: 'updatedAt' }, found 'updatedAt'",
  ],
  [
    'two columns of one name',
    withFeatures({ Amount: fractional() }),
    "features.Amount: features.amount has the name 'Amount' too, and Athena ignores case; choose another",
  ],
  [
    "a label of a feature's name",
    { ...orders, label: { name: 'amount', attribute: 'y' } },
    "label.name: features.amount has the name 'amount' too, and Athena ignores case; choose another",
  ],
  [
    'a reserved name',
    withFeatures({ write_time: integral() }),
    "features.write_time: the name 'write_time' is reserved; choose another",
  ],
  [
    'no feature',
    { ...orders, features: {} },
    'features: there is none; a model needs a number, a boolean or a category without `training: false`',
  ],
  [
    'only texts',
    { ...orders, features: { note: string() } },
    'features: none of them trains; a model needs a number, a boolean or a category without `training: false`',
  ],
  [
    'only features that do not train',
    { ...orders, features: { amount: fractional({ training: false }) } },
    'features: none of them trains; a model needs a number, a boolean or a category without `training: false`',
  ],
  [
    'a feature that is the label',
    withFeatures({ outcome: boolean({ attribute: 'returned' }) }),
    "features.outcome: its attribute 'returned' is the label's, and a model would learn the answer from the answer; give it `training: false`",
  ],
  [
    'a condition that is only its value',
    { ...orders, items: { kind: 'order' } },
    "items.kind: expected a condition, such as equals('order') or startsWith('ORDER#'), found 'order'",
  ],
  [
    'a condition that was not called',
    { ...orders, items: { kind: words.exists } },
    "items.kind: expected a condition, such as equals('order') or startsWith('ORDER#'), found a function; it has to be called, with ()",
  ],
  [
    'a misspelt condition',
    { ...orders, items: { kind: { holds: 'startWith', text: 'ORDER#' } } },
    "items.kind.holds: expected 'oneOf', 'startsWith' or 'exists', found 'startWith'; did you mean 'startsWith'?",
  ],
  [
    'a condition without a value',
    { ...orders, items: { kind: words.oneOf([]) } },
    'items.kind.values: expected at least one value, found none',
  ],
  [
    'a condition on a map',
    { ...orders, items: { kind: equals({ S: 'order' }) } },
    'items.kind.values[0]: expected a text, a number or a boolean, found an object',
  ],
  [
    'conditions that are none',
    { ...orders, items: {} },
    'items: there is no condition; leave the option out to take all items',
  ],
  [
    'a condition that no key can meet',
    { ...orders, items: { order_id: equals(7) } },
    'items.order_id: the key attribute is S, so no item can match',
  ],
  [
    'a condition that reads like a path',
    { ...orders, items: { 'address.city': equals('Graz') } },
    "items['address.city']: 'address.city' reads like a path, and an attribute is one at the top of the item: keep the value in such an attribute",
  ],
  [
    'an attribute that reads like a path',
    withFeatures({ city: categorical(['Graz', 'Wien'], { attribute: 'address.city' }) }),
    "features.city.attribute: 'address.city' reads like a path; write `path: ['address', 'city']`, or `path: ['address.city']` for an attribute of that name",
  ],
  [
    'an attribute that reads like an element of a list',
    withFeatures({ sku: string({ attribute: 'lines[0].sku' }) }),
    "features.sku.attribute: 'lines[0].sku' reads like a path; write `path: ['lines', 0, 'sku']`, or `path: ['lines[0].sku']` for an attribute of that name",
  ],
  [
    'a path that is a text',
    withFeatures({ city: string({ path: 'address.city' }) }),
    "features.city.path: expected a list such as ['address', 'city'], found 'address.city'",
  ],
  [
    'a path that is empty',
    withFeatures({ city: string({ path: [] }) }),
    'features.city.path[0]: expected a text, found nothing',
  ],
  [
    'a path that begins in a list',
    withFeatures({ city: string({ path: [0, 'city'] }) }),
    'features.city.path[0]: expected a text, found 0',
  ],
  [
    'a path with a step that is none',
    withFeatures({ city: string({ path: ['lines', -1] }) }),
    'features.city.path[1]: expected 0 or more, found -1',
  ],
  [
    'an attribute and a path',
    withFeatures({ city: string({ attribute: 'address', path: ['address', 'city'] }) }),
    'features.city: `attribute` and `path` say the same; give one of them',
  ],
  [
    'categories of texts and numbers',
    withFeatures({ rooms: categorical(['one', 2]) }),
    'features.rooms.categories[1]: expected a text, found 2',
  ],
  [
    'a category of numbers that is none',
    withFeatures({ rooms: categorical([1, Number.NaN]) }),
    "features.rooms.categories: 'NaN' is no number",
  ],
  [
    'categories that are one number',
    withFeatures({ rooms: categorical([1, 1.0]) }),
    "features.rooms.categories: '1' is listed twice",
  ],
  ['one bucket', withFeatures({ city: hashed(1) }), 'features.city.buckets: expected 2 or more, found 1'],
  [
    'more buckets than there may be',
    withFeatures({ city: hashed(5000) }),
    'features.city.buckets: expected at most 1024, found more',
  ],
  [
    'buckets that are no number',
    withFeatures({ city: hashed('64') }),
    "features.city.buckets: expected a number, found '64'",
  ],
  [
    'bounds of a time',
    withFeatures({ at: timestamp({ min: 0 }) }),
    'features.at: there is no option `min`, which integral and fractional have; there are attribute, path, optional, training, since, description and personal',
  ],
  [
    "a label's values in a list",
    { ...orders, label: { name: 'returned', values: ['N', 'Y'] } },
    "label.values: expected an object such as { 0: ['N', false], 1: ['Y', true] }, found a list",
  ],
  [
    'a label without values of a class',
    { ...orders, label: { name: 'returned', values: { 0: ['N'], 1: [] } } },
    'label.values[1]: expected at least one value, found none',
  ],
  [
    "a label's value that is no list",
    { ...orders, label: { name: 'returned', values: { 0: 'N', 1: 'Y' } } },
    "label.values[0]: expected a list of values, found 'N'\n✖ label.values[1]: expected a list of values, found 'Y'",
  ],
  [
    "a label's value of both classes",
    { ...orders, label: { name: 'returned', values: { 0: ['N'], 1: ['Y', 'N'] } } },
    "label.values: 'N' is a value of both classes",
  ],
  [
    'a label of three classes',
    { ...orders, label: { name: 'returned', values: { 0: ['N'], 1: ['Y'], 2: ['M'] } } },
    'label.values: there is no option `2`; there are 0 and 1',
  ],
  [
    'a description of two lines',
    { ...orders, description: 'orders\nof the shop' },
    "description: must not hold a line break; found 'orders\\nof the shop'",
  ],
  [
    'a description that is too long',
    { ...orders, description: 'x'.repeat(129) },
    'description: expected at most 128, found more',
  ],
  [
    'an owner of letters that no tag takes',
    { ...orders, owner: 'shop & co' },
    "owner: must be of letters, digits, spaces and _.:/=+-@ (the rule of tags); found 'shop & co'",
  ],
  [
    'a description of a feature that is too long for a comment',
    withFeatures({ note: words.string({ description: 'ä'.repeat(116) }) }),
    'features.note.description: expected at most 230 bytes, found more',
  ],
])('of %s it says what is wrong, and where', (_, wrong, sentence) => {
  const name = (wrong as { name?: unknown } | undefined)?.name;
  const whose = typeof name === 'string' ? ` "${name}"` : '';
  expect(problemsOf(wrong)).toBe(`Feature group definition${whose} is not valid:\n✖ ${sentence}`);
});

test('a definition with several wrong parts is told of each', () => {
  const wrong = { ...withFeatures({ items: integral({ min: 10, max: 1 }), Amount: fractional() }), onDelete: 'delete' };
  expect(problemsOf(wrong).match(/✖/g)).toHaveLength(2);
  expect(problemsOf({ ...wrong, onDelete: 'kepe', table: '' }).match(/✖/g)).toHaveLength(2);
});

test('a feature of the label that does not train is no leak', () => {
  expect(problemsOf(withFeatures({ outcome: boolean({ attribute: 'returned', training: false }) }))).toBe('valid');
});
