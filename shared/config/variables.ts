/**
 * How a function's environment becomes a checked value: one row a setting, which names its variable, what is expected
 * there, and what it is when it is missing. Types follow from the rows.
 *
 * It is checked by hand: every cold start waits for this module, and loading zod for it would take a tenth of one.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting. `read` answers undefined for a text that is not what is expected. */
export interface Setting<T> {
  readonly variable: string;
  readonly expected: string;
  read(text: string): T | undefined;
  /** Its value when the variable is missing; without one the variable has to be given. */
  readonly fallback: T | undefined;
}

/** Settings by the names that code knows them by, which may be grouped. */
export interface Settings {
  readonly [name: string]: Setting<unknown> | Settings;
}

/** The checked value of settings. */
export type ConfigOf<S extends Settings> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer T>
    ? T
    : S[Name] extends Settings
      ? ConfigOf<S[Name]>
      : never;
};

/** A text, of a pattern if one is given. */
export const text = (variable: string, expected: string, pattern = /^/): Setting<string> => ({
  ...{ variable, expected, fallback: undefined },
  read: (given) => (pattern.test(given) ? given : undefined),
});

/** One of several texts. */
export const choice = <T extends string>(
  variable: string,
  choices: readonly T[],
  expected: string,
  fallback?: T,
): Setting<T> => ({
  ...{ variable, expected, fallback },
  read: (given) => choices.find((it) => it === given),
});

/** `true` or `false`. */
export const flag = (variable: string, expected: string): Setting<boolean> => ({
  ...{ variable, expected: `${expected}: true or false`, fallback: undefined },
  read: (given) => (given === 'true' ? true : given === 'false' ? false : undefined),
});

/** A number that is written plainly and within inclusive bounds, whole unless `decimals` are taken. */
export const number = (
  variable: string,
  expected: string,
  { least, most = Number.MAX_SAFE_INTEGER, decimals = false }: { least: number; most?: number; decimals?: boolean },
  fallback?: number,
): Setting<number> => ({
  ...{ variable, fallback },
  expected:
    `${expected}: a ${decimals ? '' : 'whole '}number, at least ${least}` +
    (most < Number.MAX_SAFE_INTEGER ? ` and at most ${most}` : ''),
  read(given) {
    const isNumber = (decimals ? /^-?\d+(\.\d+)?$/ : /^-?\d+$/).test(given);
    return isNumber && Number(given) >= least && Number(given) <= most ? Number(given) : undefined;
  },
});

/** A word, or a number as {@link number} reads it. */
export const numberOr = <W extends string>(word: W, other: Setting<number>, fallback?: W): Setting<number | W> => ({
  ...other,
  fallback: fallback ?? other.fallback,
  expected: `${other.expected}; or ${word}`,
  read: (given) => (given === word ? word : other.read(given)),
});

/** All rows, of groups too. */
export function settingsOf(settings: Settings): Setting<unknown>[] {
  return Object.values(settings).flatMap((it) => (isSetting(it) ? it : settingsOf(it)));
}

/**
 * Reads a function's settings. Nothing else in functions/ and shared/ reads process.env.
 *
 * @throws Error naming every variable that is missing or wrong, and what is expected of it.
 */
export function readConfig<S extends Settings>(settings: S, environment: Environment = process.env): ConfigOf<S> {
  const problems: string[] = [];
  const config = read(settings, environment, problems);
  if (problems.length > 0) throw new Error(`The environment is not valid: ${problems.join('. ')}`);
  return config as ConfigOf<S>;
}

function read(settings: Settings, environment: Environment, problems: string[]): Record<string, unknown> {
  const entries = Object.entries(settings).map(([name, it]) => {
    if (!isSetting(it)) return [name, read(it, environment, problems)];
    // An empty variable is how deployment tools write a missing one.
    const given = environment[it.variable] || undefined;
    const value = given === undefined ? it.fallback : it.read(given);
    if (value === undefined) {
      const found = given === undefined ? 'is missing' : `is ${JSON.stringify(given)}`;
      problems.push(`${it.variable} ${found}; expected: ${it.expected}`);
    }
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function isSetting(it: Setting<unknown> | Settings): it is Setting<unknown> {
  return typeof it.variable === 'string';
}
