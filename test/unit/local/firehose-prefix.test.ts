import { describe, expect, test } from 'vitest';
import { checkPrefixes, evaluatePrefix, objectKey } from '../../../infra/local/firehose/prefix.ts';

const arrival = new Date('2026-03-04T05:06:07.890Z');

describe('a prefix', () => {
  test('without a timestamp gets year, month, day and hour', () => {
    expect(evaluatePrefix('logs/', arrival)).toBe('logs/2026/03/04/05/');
    expect(evaluatePrefix('', arrival)).toBe('2026/03/04/05/');
  });

  test('with timestamps has them in UTC, as Java formats them', () => {
    expect(evaluatePrefix('change-log/dt=!{timestamp:yyyy-MM-dd}/', arrival)).toBe('change-log/dt=2026-03-04/');
    expect(evaluatePrefix("!{timestamp:yyyy}/!{timestamp:'m='mm'''s='ss}/", arrival)).toBe("2026/m=06's=07/");
  });

  test('has a new random string of 11 characters each time', () => {
    const key = () => evaluatePrefix('!{firehose:random-string}/!{timestamp:HH}/', arrival);
    expect(key()).toMatch(/^[a-zA-Z0-9]{11}\/05\/$/);
    expect(key()).not.toBe(key());
  });

  test('with expressions needs an error prefix that tells the kinds of error apart', () => {
    expect(() => checkPrefixes('!{timestamp:yyyy}/', '')).toThrow('ErrorOutputPrefix is required');
    expect(() => checkPrefixes('a/', 'e/!{timestamp:yyyy}/')).toThrow('must contain !{firehose:error-output-type}');
    expect(() => checkPrefixes('!{firehose:error-output-type}/', 'e/')).toThrow('cannot contain');
    checkPrefixes('!{timestamp:yyyy}/', 'e/!{firehose:error-output-type}/!{timestamp:yyyy}/');
    checkPrefixes('a/', '');
  });

  test('with what is not evaluated here is refused', () => {
    expect(() => checkPrefixes('!{partitionKeyFromQuery:a}/', 'e/')).toThrow('does not implement');
    expect(() => checkPrefixes('!{timestamp:YYYY}/', 'e/')).toThrow('does not implement the letters YYYY');
  });
});

test('a key is prefix, stream, version, time of the oldest record and a suffix', () => {
  expect(objectKey('p/!{timestamp:HH}/', 'changes', arrival, 'uuid')).toBe('p/05/changes-1-2026-03-04-05-06-07-uuid');
});
