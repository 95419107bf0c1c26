import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { featureGroup } from '../../../infra/aws/data/feature-group.ts';
import { definitionNames, lockFile } from '../../../infra/aws/definitions/definitions.ts';
import { evolutionOf, lockOf } from '../../../infra/aws/packaging/evolution.ts';
import { acceptDefinition } from '../../../infra/aws/packaging/lock.ts';
import { loadFeatureGroup } from '../../../shared/definition/load.ts';
import type { FeatureGroupInput } from '../../../shared/definition/schema.ts';
import {
  defineFeatureGroup,
  fractional,
  integral,
  oneOf,
  startsWith,
  string,
} from '../../../shared/feature-groups/define.ts';

const deployed: FeatureGroupInput = {
  name: 'parcels',
  recordIdentifier: 'parcel_id',
  features: { weight: fractional(), rooms: integral(), note: string({ optional: true }) },
  label: { name: 'lost' },
};
const locked = lockOf(defineFeatureGroup(deployed), {});

const evolve = (change: Partial<FeatureGroupInput>, stackTags: Record<string, string> = {}) =>
  evolutionOf(locked, lockOf(defineFeatureGroup({ ...deployed, ...change }), stackTags));

describe('a definition that is deployed', () => {
  it('may stay as it is', () => {
    expect(evolve({})).toEqual({ added: [], refused: [] });
  });

  it('may gain a feature, which is an update of the feature group: the others stay first and in order', () => {
    const grown = { features: { ...deployed.features, speed: fractional({ optional: true, since: 2 }) } };
    expect(evolve(grown)).toMatchObject({ added: ['speed Fractional'], refused: [] });
    const definitions = (input: FeatureGroupInput) =>
      featureGroup(defineFeatureGroup(input)).FeatureGroup?.Properties.FeatureDefinitions as object[];
    const before = definitions(deployed);
    const after = definitions({ ...deployed, ...grown });
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length)).toEqual([{ FeatureName: 'speed', FeatureType: 'Fractional' }]);
  });

  it('may change what Feature Store does not see: bounds, encoding, whether a feature trains', () => {
    const features = { ...deployed.features, rooms: integral({ min: 1, training: false, optional: true }) };
    expect(evolve({ features })).toMatchObject({ added: [], refused: [] });
  });

  it('may take other items, and says what becomes of those that are there', () => {
    const taking = evolve({ items: { sk: startsWith('PARCEL#'), kind: oneOf(['parcel', 7]) } });
    expect(taking).toMatchObject({ added: [], refused: [] });
    expect(taking.items).toBe(
      'The items that are records were all of the table, and are "sk" begins with "PARCEL#" and "kind" is "parcel" or 7: an item comes in, or is taken out, with its next change.',
    );
    expect(evolve({}).items).toBeUndefined();
  });

  it('may spell its label in more ways, but no spelling goes over to the other class', () => {
    const labeled = (values?: { 0: (string | number)[]; 1: (string | number)[] }) => ({
      label: { name: 'lost', ...(values && { values }) },
    });
    expect(evolve(labeled({ 0: ['N', 0], 1: ['Y', 1] })).refused).toEqual([]);
    expect(evolve(labeled({ 0: [1], 1: [0] })).refused).toEqual([
      'the label 0 was of class 0 and is of the other: what is learned from has its class already; give the label another name and attribute',
      'the label 1 was of class 1 and is of the other: what is learned from has its class already; give the label another name and attribute',
    ]);
  });

  it('says what a change of the schema will do, and nothing of other changes', () => {
    const bounded = { ...deployed.features, rooms: integral({ min: 1 }) };
    expect(evolve({ features: bounded }).retraining).toBeUndefined();
    const narrower = { ...deployed.features, rooms: integral({ training: false, optional: true }) };
    expect(evolve({ features: narrower }).retraining).toMatch(
      /^The schema of training changes from [0-9a-f]{16} to [0-9a-f]{16}: a training starts within five minutes/,
    );
    const { schemaHash: _, ...ofVersion010 } = locked;
    expect(evolutionOf(ofVersion010, locked).retraining).toBeUndefined();
  });

  it.each<[string, Partial<FeatureGroupInput>, string]>([
    ['the group', { name: 'packets', table: 'parcels' }, 'the name of the feature group was parcels and is packets'],
    ['the table', { table: 'packets' }, 'the table was parcels and is packets'],
    [
      'the identifier',
      { recordIdentifier: { name: 'id', attributes: ['parcel_id'] } },
      'the record identifier was parcel_id and is id',
    ],
    ['a key', { recordIdentifier: { name: 'parcel_id', attributes: ['parcel_id', 'sk'] } }, "the table's key was"],
    [
      "a key's type",
      { recordIdentifier: { name: 'parcel_id', attributes: ['parcel_id'], types: ['N'] } },
      "the table's key was",
    ],
    ['the event time', { eventTime: { name: 'at' } }, 'the event time was event_time and is at'],
    ['a type', { features: { ...deployed.features, weight: integral() } }, 'weight was Fractional and is Integral'],
    ['a removal', { features: { weight: fractional(), note: string() } }, 'rooms was removed or renamed'],
    [
      'label',
      { label: { name: 'found' } },
      'the label was lost and is found: the labels that are counted are of the first',
    ],
    [
      'label than the one it has',
      { label: undefined },
      'the label lost was removed: its models and endpoints would be left',
    ],
    [
      'a feature in between',
      { features: { speed: fractional(), ...deployed.features } },
      'weight was column 1 of the change log and is column 2',
    ],
  ])('is refused another %s, by name', (_, change, refusal) => {
    expect(evolve(change).refused).toEqual(expect.arrayContaining([expect.stringContaining(refusal)]));
  });

  it('may gain a label later, which is an update of the feature group, and says where labels come from', () => {
    const { label: _, ...unlabeled } = deployed;
    const before = lockOf(defineFeatureGroup(unlabeled), {});
    const gained = evolutionOf(
      before,
      lockOf(defineFeatureGroup({ ...deployed, label: { name: 'lost', values: { 0: [1], 1: [0] } } }), {}),
    );
    expect(gained).toMatchObject({ added: ['lost Integral'], refused: [] });
    expect(gained.retraining).toContain('The label lost is new: models are trained from now on.');
  });

  it('that has grown already gains a label behind its features, by the version that brings it', () => {
    const { label: _, ...unlabeled } = deployed;
    const features = { ...deployed.features, speed: fractional({ optional: true, since: 2 }) };
    const before = lockOf(defineFeatureGroup({ ...unlabeled, features }), {});
    const with2 = (since: number) =>
      evolutionOf(before, lockOf(defineFeatureGroup({ ...unlabeled, features, label: { name: 'lost', since } }), {}));
    expect(with2(1).refused).toEqual([expect.stringContaining('speed was column 4 of the change log and is column 5')]);
    expect(with2(2)).toMatchObject({ added: ['lost Integral'], refused: [] });
  });

  it('is refused another description or owner of the group, and may describe its features otherwise', () => {
    const words = { description: 'Parcels on their way', owner: 'team-a' };
    const again = 'the feature group would be made again, empty';
    expect(evolve(words).refused).toEqual([
      `the description was none and is Parcels on their way: ${again}`,
      'the owner was none and is team-a: the feature group, whose tag it is, would be made again, empty',
    ]);
    const weight = fractional({ description: 'In kilograms', personal: true });
    const now = lockOf(defineFeatureGroup({ ...deployed, features: { ...deployed.features, weight } }), {});
    expect(now).toEqual(locked);
  });

  it('has its description and owner in the feature group, and no property of them where it says neither', () => {
    const group = (words: Partial<FeatureGroupInput>) =>
      featureGroup(defineFeatureGroup({ ...deployed, ...words })).FeatureGroup?.Properties;
    expect(group({ description: 'Parcels', owner: 'team-a' })).toMatchObject({
      Description: 'Parcels',
      Tags: [{ Key: 'owner', Value: 'team-a' }],
    });
    expect(Object.keys(group({}) ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/Description$|Tags/)]),
    );
  });

  it('is refused other tags of the stack, as they are tags of the feature group', () => {
    expect(evolve({}, { team: 'a' }).refused).toEqual([expect.stringContaining('the tags of the stack was {}')]);
  });
});

describe('the lock of', () => {
  it.each(definitionNames().filter((name) => existsSync(lockFile(name))))(
    '%s lets its definition be deployed as it is now',
    async (name) => {
      const lock = JSON.parse(readFileSync(lockFile(name), 'utf8'));
      expect(evolutionOf(lock, lockOf(await loadFeatureGroup(name), lock.stackTags)).refused).toEqual([]);
    },
  );
});

describe('npm run definition -- accept', () => {
  let folder: string;
  const kept = () => JSON.parse(readFileSync(join(folder, lockFile('orders')), 'utf8'));
  const file = (change: Partial<FeatureGroupInput> = {}) => defineFeatureGroup({ ...deployed, ...change });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tributary-lock-'));
    mkdirSync(join(folder, 'shared/feature-groups'), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes the lock of a definition as it is, once', () => {
    expect(acceptDefinition(folder, 'orders', file())).toBe(true);
    expect(kept()).toEqual(lockOf(file(), {}));
    expect(acceptDefinition(folder, 'orders', file())).toBe(false);
  });

  it('keeps the tags that the stack was deployed with', () => {
    writeFileSync(join(folder, lockFile('orders')), JSON.stringify(lockOf(file(), { team: 'a' })));
    expect(acceptDefinition(folder, 'orders', file())).toBe(false);
    expect(kept().stackTags).toEqual({ team: 'a' });
  });

  it('refuses what no deployment can do, and leaves the lock as it is', () => {
    acceptDefinition(folder, 'orders', file());
    const before = kept();
    expect(() => acceptDefinition(folder, 'orders', file({ table: 'another' }))).toThrow(
      'has changes that no deployment can make without losing data: the table was',
    );
    expect(kept()).toEqual(before);
  });
});
