import { Option } from '@commander-js/extra-typings';

/** Options that several commands have, each described once. */

export const definitionOption = () =>
  new Option('--definition <NAME|FILE>', 'definition: its name in shared/feature-groups, or the path of its file');

export const stageOption = () => new Option('--stage <STAGE>', 'stage of the deployed stack');

export const regionOption = () =>
  new Option('--region <REGION>', 'AWS region of the stack; without it, the region that the AWS SDK is configured for');

export const dynamodbOption = () =>
  new Option(
    '--dynamodb <embedded|local|URL>',
    "the DynamoDB behind the local cloud: the embedded one, AWS's DynamoDB Local, or a compatible endpoint with streams",
  ).default('embedded');

export const jsonFlag = () => new Option('--json', 'print JSON in place of text');

export const jsonFile = () => new Option('--json <FILE>', 'write everything as JSON to a file');

/** Read units a second of a pass over the table, unless another number is given: 4 MB of what one partition gives, 12. */
const READ_UNITS = 1_000;
const READ_UNITS_MAX = 1_000_000;

export const readUnitsOption = () =>
  new Option('--read-units <N>', 'read units a second of the table that a pass over it takes at most')
    .default(READ_UNITS)
    .argParser(wholeNumber('read-units', 1, READ_UNITS_MAX));

/**
 * A reader of whole numbers.
 *
 * @throws Error naming the option, what was found and the bounds.
 */
export function wholeNumber(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    throw new Error(`--${option}: found "${text}", expected a whole number from ${min} to ${max}.`);
  };
}

/**
 * A reader of one of some words.
 *
 * @throws Error naming the option, what was found and the words.
 */
export function choiceOf<const Word extends string>(option: string, words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((it) => it === text);
    if (word !== undefined) return word;
    throw new Error(`--${option}: found "${text}", expected one of ${words.join(', ')}.`);
  };
}
