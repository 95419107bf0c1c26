import { AwsError } from '../protocol/aws-error.ts';
import { pageOf } from '../protocol/page.ts';

/** What a list operation was asked for. */
export interface PageRequest {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

/** One page of a list, and the token of the next, which is the position it begins at. */
export function page<Item>(all: readonly Item[], { MaxResults, NextToken }: PageRequest, max: number) {
  const size = MaxResults ?? max;
  const start = NextToken === undefined || NextToken === '' ? 0 : Number(NextToken);
  if (!Number.isInteger(size) || size < 1 || size > max) {
    throw new AwsError('InvalidRequestException', `MaxResults must be 1 to ${max}`);
  }
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError('InvalidRequestException', 'NextToken is not one of ours');
  const { items, next } = pageOf(all, size, NextToken);
  return { items, next: next === undefined ? {} : { NextToken: next } };
}
