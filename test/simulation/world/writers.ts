import type { FeatureText } from '../../../shared/changes/change.ts';
import type { Item } from '../aws/expression.ts';
import { REFUSED_NOTE } from '../aws/feature-store.ts';
import type { Keys } from './keys.ts';
import { CATEGORIES, KIND, KIND_ATTRIBUTE, type Profile, TIMESTAMP_ATTRIBUTE } from './profile.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { Quality, SourceItem, SourceTable } from './source-table.ts';

/** Mean time between two writes, in milliseconds: a writer's tempo changes every so often. */
const TEMPOS_MS = [0.3, 3, 30, 300, 3_000, 30_000, 300_000];
/** How often an item is nearly as large as Feature Store takes. */
const LARGE_CHANCE = 0.0005;
/** How often an item is of another kind, where there are others. */
const OTHER_CHANCE = 0.3;
/** How often one write is a job's, which writes every item. */
const JOB_CHANCE = 0.002;
const NOTES = ['plain', 'a,b', 'back\\slash', '\\N', '', 'two\nlines', 'crlf\r\nend', 'ünïcödé', '"quoted"'];

/** The application: writes many records in every way that a table knows. */
export class Writers {
  done = false;
  onDone: () => void = () => {};
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #table: SourceTable;
  readonly #profile: Profile;
  readonly #keys: Keys;
  #version = 0;
  #tempoMs = 30;
  readonly #temposMs: readonly number[];
  #recent: string;

  /** @param temposMs mean times between two writes, in milliseconds. */
  constructor(
    random: Random,
    scheduler: Scheduler,
    table: SourceTable,
    profile: Profile,
    keys: Keys,
    temposMs = TEMPOS_MS,
  ) {
    this.#temposMs = temposMs;
    this.#random = random;
    this.#scheduler = scheduler;
    this.#table = table;
    this.#profile = profile;
    this.#keys = keys;
    this.#recent = keys.identifiers[0] as string;
  }

  start(): void {
    if (this.#random.chance(0.02)) this.#tempoMs = this.#random.pick(this.#temposMs);
    this.#scheduler.after(this.#random.exponential(this.#tempoMs), () => {
      this.#act();
      if (this.#table.changes.length + this.#table.leftOut < this.#profile.changes) this.start();
      else {
        this.done = true;
        this.onDone();
      }
    });
  }

  /** A job goes over the whole table, twice at once. */
  #job(): void {
    for (const id of [...this.#keys.identifiers, ...this.#keys.identifiers]) {
      this.#table.write(id, this.item(id, undefined));
    }
  }

  #act(): void {
    const chance = this.#random;
    if (chance.chance(JOB_CHANCE)) this.#job();
    if (!chance.chance(0.4)) this.#recent = chance.pick(this.#keys.identifiers);
    const id = this.#recent;
    const present = this.#table.items.get(id);
    if (!present) {
      this.#table.write(id, this.item(id, chance.chance(0.3) ? chance.pick(['0', '1']) : undefined));
      return;
    }
    const { label } = present;
    const die = chance.integer(1, 1_000);
    if (die <= 450) this.#table.write(id, this.item(id, label));
    else if (die <= 480) this.#table.write(id, present);
    else if (die <= 560) this.#table.write(id, undefined);
    else if (die <= 620) {
      this.#table.write(id, undefined);
      this.#table.write(id, this.item(id, label));
    } else if (die <= 650) this.#table.write(id, undefined, true);
    else if (die <= 850) this.#table.write(id, this.item(id, chance.pick(['0', '1', '1'])));
    else if (die <= 880) this.#table.write(id, this.item(id, chance.pick([undefined, null])));
    else if (die <= 930) this.#table.write(id, this.item(id, chance.pick([label, '1', '0']), 'malformed'));
    else if (die <= 945) this.#table.write(id, this.item(id, label, 'refused'));
    else if (die <= 999)
      for (let left = chance.integer(2, 12); left > 0; left -= 1) this.#table.write(id, this.item(id, label));
    else if (chance.chance(0.05))
      for (let left = 1_100; left > 0; left -= 1) this.#table.write(id, this.item(id, label));
  }

  /** An item as the application writes it. */
  item(id: string, labelBefore: string | null | undefined, quality: Quality = 'good'): SourceItem {
    const chance = this.#random;
    this.#version += 1;
    const version = String(this.#version);
    const amount = this.#amount();
    const plan = chance.pick(CATEGORIES);
    const active = chance.chance(0.5);
    const score = chance.pick([undefined, null, '7', '-123456789012345678']);
    const large = chance.chance(LARGE_CHANCE) ? 'x'.repeat(chance.integer(200_000, 357_000)) : undefined;
    const note =
      quality === 'refused'
        ? REFUSED_NOTE
        : (large ?? (chance.chance(0.5) ? undefined : chance.pick([...NOTES, null])));
    const label = labelBefore === 'invalid' ? undefined : labelBefore;
    const isOther = this.#profile.group.items !== undefined && chance.chance(OTHER_CHANCE);
    const attributes: Item = {
      ...this.#keys.of(id),
      ...(this.#profile.group.items && { [KIND_ATTRIBUTE]: { S: isOther ? 'profile' : KIND } }),
      version: { N: version },
      amount: { N: amount },
      plan: { S: plan },
      active: { BOOL: active },
      ...(note === null ? { note: { NULL: true } } : note !== undefined && { note: { S: note } }),
      ...(score === null ? { score: { NULL: true } } : score !== undefined && { score: { N: score } }),
      ...(label === null
        ? { churned: { NULL: true } }
        : label !== undefined && { churned: chance.chance(0.9) ? { N: label } : { BOOL: label === '1' } }),
      ...(this.#profile.group.eventTime.attribute !== undefined && { [TIMESTAMP_ATTRIBUTE]: this.#timestamp() }),
    };
    const texts: FeatureText[] = [version, amount, plan, active ? '1' : '0', note, score, label];
    if (quality !== 'malformed') return { attributes, texts, label, quality, isOther };
    return this.#malformed({ attributes, texts, label, quality, isOther });
  }

  #malformed(item: SourceItem): SourceItem {
    const { plan: _, ...withoutPlan } = item.attributes;
    switch (this.#random.integer(1, 4)) {
      case 1:
        return { ...item, attributes: { ...item.attributes, plan: { S: 'no such plan' } } };
      case 2:
        return { ...item, attributes: withoutPlan };
      case 3:
        return { ...item, attributes: { ...item.attributes, amount: { S: 'much' } } };
      default:
        return {
          ...{ ...item, quality: 'good', label: 'invalid', texts: [...item.texts.slice(0, -1), undefined] },
          attributes: { ...item.attributes, churned: { N: '2' } },
        };
    }
  }

  /** Decimals as DynamoDB returns them, up to its 38 digits, which no double can hold. */
  #amount(): string {
    const chance = this.#random;
    if (chance.chance(0.1)) return `0.1234567890123456789012345678901234567${chance.integer(1, 9)}`;
    return `${chance.integer(-1_000, 1_000)}.${chance.integer(0, 99)}${chance.integer(1, 9)}`;
  }

  /** The item's own time, which may be wrong by an hour either way. */
  #timestamp(): Item[string] {
    const chance = this.#random;
    const off = chance.chance(0.2) ? chance.integer(-3_600, 3_600) : 0;
    const ms = Math.floor(this.#scheduler.now) + off * 1_000;
    return chance.chance(0.5) ? { N: String(Math.floor(ms / 1_000)) } : { S: new Date(ms).toISOString() };
  }
}
