import { type Random, seededRandom } from './random.ts';

/** A row of the example before it is an item: every value as exact text, and the label that will arrive later. */
export interface Customer {
  readonly id: string;
  /** By feature name; a feature that is absent has no key. */
  readonly features: Readonly<Record<string, string>>;
  readonly label: '0' | '1';
}

/** Digits of a customer's number, so that identifiers sort as the customers were read. */
const NUMBER_DIGITS = 5;

/** Identifier of the n-th customer, counted from 1: `c-00001`. */
export const customerId = (number: number): string => `c-${String(number).padStart(NUMBER_DIGITS, '0')}`;

/**
 * A stretch of the campaign: its calendar month, its share of the calls, how many went to a land line, and the
 * economy of that month. Indicators belong to the month, so they never vary between customers called in it; only
 * the interest rate moves from day to day. Invented, in the ranges of the real campaign of 2008 to 2010.
 */
interface Period {
  readonly month: string;
  readonly share: number;
  readonly landLine: number;
  readonly empVarRate: string;
  readonly consPriceIdx: string;
  readonly consConfIdx: string;
  readonly euribor: number;
  readonly nrEmployed: string;
}

const period = (
  month: string,
  share: number,
  landLine: number,
  [empVarRate, consPriceIdx, consConfIdx, nrEmployed]: [string, string, string, string],
  euribor: number,
): Period => ({ month, share, landLine, empVarRate, consPriceIdx, consConfIdx, euribor, nrEmployed });

const PERIODS: readonly Period[] = [
  period('may', 19, 0.95, ['1.2', '93.95', '-36.7', '5190.4'], 4.86),
  period('jun', 11, 0.9, ['1.5', '94.41', '-41.3', '5226.9'], 4.93),
  period('jul', 16, 0.12, ['1.5', '93.87', '-42.4', '5226.9'], 4.96),
  period('aug', 13, 0.05, ['1.5', '93.48', '-36.5', '5226.9'], 4.96),
  period('nov', 10, 0.1, ['-0.2', '93.25', '-41.7', '5194.2'], 4.2),
  period('apr', 5, 0.07, ['-1.7', '93.11', '-46.8', '5101'], 1.43),
  period('may', 14, 0.15, ['-1.7', '92.91', '-45.9', '5101'], 1.29),
  period('jun', 2, 0.2, ['-2.8', '92.99', '-40.5', '5077.8'], 1.2),
  period('aug', 2, 0.1, ['-2.8', '92.24', '-31.9', '5077.8'], 0.86),
  period('oct', 1.2, 0.2, ['-3.3', '92.46', '-27.4', '5019.1'], 0.74),
  period('nov', 1, 0.15, ['-3.3', '92.61', '-30.6', '5019.1'], 0.72),
  period('dec', 0.5, 0.3, ['-3.1', '92.74', '-33.2', '5024.6'], 0.71),
  period('mar', 1.2, 0.1, ['-1.8', '93.31', '-35.1', '5009.3'], 0.65),
  period('jul', 1, 0.1, ['-1.6', '94.18', '-40.1', '4992.8'], 0.83),
  period('sep', 1.5, 0.15, ['-1.2', '94.15', '-37.9', '4965'], 0.88),
];

const JOBS = {
  'admin.': 25,
  'blue-collar': 22,
  technician: 16.5,
  services: 9.6,
  management: 7.5,
  retired: 4.1,
  'self-employed': 3.6,
  entrepreneur: 3.5,
  housemaid: 2.6,
  unemployed: 2.5,
  student: 2.1,
  unknown: 0.8,
} as const;
const SCHOOLS = { 'basic.4y': 30, 'basic.6y': 12, 'basic.9y': 33, 'high.school': 17, illiterate: 0.2, unknown: 5 };
const COLLEGES = {
  'university.degree': 46,
  'high.school': 28,
  'professional.course': 18,
  'basic.9y': 5,
  'basic.4y': 1.5,
  unknown: 3,
};
const MANUAL_JOBS: readonly string[] = ['blue-collar', 'housemaid', 'retired'];
const WEEKDAYS = { mon: 1, tue: 1, wed: 1, thu: 1, fri: 1 };
const WEEKDAY_NAMES = ['mon', 'tue', 'wed', 'thu', 'fri'];

/** Value of `pdays` that means "never contacted before". */
const NEVER_CONTACTED = 999;

/**
 * Customers of the example, the same for the same seed: columns and domains of the bank-marketing definition,
 * marginals like those of a real campaign (about 11 % subscribe), and labels drawn from a logistic model of the
 * features, so that there is something to learn.
 */
export function generateCustomers(count: number, seed: number): Customer[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => generateCustomer(random, customerId(index + 1)));
}

function generateCustomer(random: Random, id: string): Customer {
  const when = pickPeriod(random);
  const job = random.pick(JOBS);
  const person = generatePerson(random, job);
  const history = generateHistory(random, when);
  // The last call's length in seconds is close to log-normal: median 3 minutes, a few over half an hour.
  const duration = Math.min(4_000, Math.round(Math.exp(5.2 + 0.85 * random.normal())));
  const campaign = geometric(random, 0.43, 40);
  const contact = random.uniform() < when.landLine ? 'telephone' : 'cellular';
  const features = {
    ...person,
    contact,
    month: when.month,
    day_of_week: random.pick(WEEKDAYS),
    duration: String(duration),
    campaign: String(campaign),
    ...history,
    emp_var_rate: when.empVarRate,
    cons_price_idx: when.consPriceIdx,
    cons_conf_idx: when.consConfIdx,
    euribor3m: '',
    nr_employed: when.nrEmployed,
  };
  const drift = 0.004 * WEEKDAY_NAMES.indexOf(features.day_of_week) + 0.01 * random.uniform();
  features.euribor3m = String(Number((when.euribor - drift).toFixed(3)));
  return { id, features, label: random.uniform() < subscribes(features, job) ? '1' : '0' };
}

function pickPeriod(random: Random): Period {
  const shares = Object.fromEntries(PERIODS.map((it, index) => [String(index), it.share]));
  return PERIODS[Number(random.pick(shares))] as Period;
}

function generatePerson(random: Random, job: string) {
  const age =
    job === 'student'
      ? 18 + Math.abs(Math.round(6 * random.normal()))
      : job === 'retired'
        ? Math.round(clamp(62 + 8 * random.normal(), 35, 92))
        : Math.round(clamp(32 + 13 * Math.abs(random.normal()) - 5 * random.uniform(), 20, 66));
  const single = age < 27 ? 0.75 : age < 35 ? 0.4 : 0.13;
  const manual = MANUAL_JOBS.includes(job);
  return {
    age: String(age),
    job,
    marital: random.pick({ single, married: (1 - single) * 0.85, divorced: (1 - single) * 0.15, unknown: 0.003 }),
    education: random.pick<string>(manual ? SCHOOLS : COLLEGES),
    default: random.pick({ no: manual ? 0.7 : 0.85, unknown: manual ? 0.3 : 0.15, yes: 0.0003 }),
    housing: random.pick({ yes: 0.53, no: 0.445, unknown: 0.025 }),
    loan: random.pick({ no: 0.815, yes: 0.16, unknown: 0.025 }),
  };
}

/** What happened in campaigns before this one: nothing for most; later in the campaign, more were called before. */
function generateHistory(random: Random, when: Period) {
  const late = Number(when.empVarRate) < 0;
  if (random.uniform() >= (late ? 0.38 : 0.02)) {
    return { pdays: String(NEVER_CONTACTED), previous: '0', poutcome: 'nonexistent' };
  }
  const success = late && random.uniform() < 0.22;
  const recent = success || random.uniform() < 0.03;
  return {
    pdays: String(recent ? 2 + geometric(random, 0.25, 20) : NEVER_CONTACTED),
    previous: String(geometric(random, 0.78, 7)),
    poutcome: success ? 'success' : 'failure',
  };
}

/** Probability that a customer subscribes: the model behind the example, which training should find again. */
function subscribes(features: Readonly<Record<string, string>>, job: string): number {
  const score =
    -4.3 +
    // A talk of 40 minutes says no more than one of 30: the cap keeps the model from being certain.
    0.007 * Math.min(Number(features.duration), 1_800) -
    0.8 * Number(features.emp_var_rate) -
    0.12 * Math.min(Number(features.campaign), 10) +
    0.025 * (Number(features.cons_conf_idx) + 40) -
    (features.contact === 'telephone' ? 0.7 : 0) +
    (features.poutcome === 'success' ? 2.1 : 0) -
    (features.poutcome === 'failure' ? 0.3 : 0) +
    (features.month === 'mar' ? 1 : 0) -
    (features.month === 'may' ? 0.7 : 0) -
    (features.default === 'unknown' ? 0.35 : 0) +
    (job === 'student' || job === 'retired' ? 0.5 : 0) -
    (job === 'blue-collar' ? 0.25 : 0);
  return 1 / (1 + Math.exp(-score));
}

/** 1, 2, 3 ... with probability p of stopping at each, never above `max`. */
function geometric(random: Random, p: number, max: number): number {
  return Math.min(max, 1 + Math.floor(Math.log(1 - random.uniform()) / Math.log(1 - p)));
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
