import { describe, expect, test } from 'vitest';
import { namesOf } from '../../../infra/aws/cloudformation/names.ts';
import { filterPatterns } from '../../../infra/aws/functions/event-filter.ts';
import { resourcesOf } from '../../../infra/aws/stack.ts';
import { filterOf } from '../../../infra/local/event-source-mapping/filter-pattern.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import { equals, exists, oneOf, startsWith } from '../../../shared/feature-groups/define.ts';
import { STACK_OPTIONS } from '../../given/aws/stack-options.ts';
import { things } from '../../given/table-world.ts';

const patternsOf = (items: NonNullable<FeatureGroupInput['items']>) =>
  filterPatterns(things({ items })).map((it) => JSON.parse(it));

describe('the event filter', () => {
  test('has a pattern for each image, and one for streams that have not both', () => {
    const image = { sk: { S: [{ prefix: 'ORDER#' }] }, kind: { S: ['order', 'return'] } };
    expect(patternsOf({ sk: startsWith('ORDER#'), kind: oneOf(['order', 'return']) })).toEqual([
      { dynamodb: { NewImage: image } },
      { dynamodb: { OldImage: image } },
      { dynamodb: { StreamViewType: [{ 'anything-but': ['NEW_AND_OLD_IMAGES'] }] } },
    ]);
  });

  test.each([
    ['a number, which may be written in several ways', equals(7)],
    ['a boolean', equals(true)],
    ['a text or a number', oneOf(['7', 7])],
    ['an attribute of any type', exists()],
  ])('is not made of %s', (_, condition) => {
    expect(patternsOf({ kind: condition })).toEqual([]);
    expect(patternsOf({ kind: condition, sk: equals('x') })[0]).toEqual({
      dynamodb: { NewImage: { sk: { S: ['x'] } } },
    });
  });

  test('leaves the longest conditions out until it is as short as Lambda takes it', () => {
    const long = oneOf(Array.from({ length: 500 }, (_, index) => `kind-${index}`));
    const patterns = filterPatterns(things({ items: { kind: long, sk: equals('x') } }));
    expect(() => filterOf(patterns)).not.toThrow();
    expect(patterns[0]).toBe('{"dynamodb":{"NewImage":{"sk":{"S":["x"]}}}}');
    expect(patternsOf({ kind: long })).toEqual([]);
  });

  test('is the mapping’s, and no mapping has one whose definition takes all items', () => {
    const mappingOf = (group: ReturnType<typeof things>) =>
      Object.values(resourcesOf(group, namesOf(group, 'dev'), STACK_OPTIONS).resources.extensions)[0]?.Properties;
    const group = things({ items: { sk: startsWith('ORDER#') } });
    expect(mappingOf(group)).toMatchObject({
      FilterCriteria: { Filters: filterPatterns(group).map((Pattern) => ({ Pattern })) },
    });
    expect(mappingOf(things())).not.toHaveProperty('FilterCriteria');
  });
});
