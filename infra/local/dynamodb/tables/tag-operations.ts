import { ACCOUNT } from '../../protocol/arn.ts';
import { AwsError } from '../../protocol/aws-error.ts';
import type { Actions } from '../engine/action.ts';
import { validationOf } from '../engine/dynalite.ts';
import type { Store } from '../engine/store.ts';
import type { Table } from '../engine/table.ts';

/** Source: TagResource, "up to 50 tags". */
const TAGS_MAX = 50;

interface OfResource {
  ResourceArn: string;
}

/** Tags of tables. */
export function tagOperations(store: Store): Actions {
  return {
    TagResource: {
      rules: validationOf('TagResource'),
      first: problemOfArn,
      run: ({ ResourceArn, Tags }: OfResource & { Tags: { Key: string; Value: string }[] }) => {
        const table = tagged(store, 'TagResource', ResourceArn);
        const added = Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));
        const tags = { ...table.settings.tags, ...added };
        if (Object.keys(tags).length > TAGS_MAX) {
          throw new AwsError('LimitExceededException', `One resource can have at most ${TAGS_MAX} tags`);
        }
        store.save(table.description, { ...table.settings, tags });
        return {};
      },
    },
    UntagResource: {
      rules: validationOf('UntagResource'),
      first: problemOfArn,
      run: ({ ResourceArn, TagKeys }: OfResource & { TagKeys: string[] }) => {
        const table = tagged(store, 'UntagResource', ResourceArn);
        const left = Object.entries(table.settings.tags).filter(([key]) => !TagKeys.includes(key));
        store.save(table.description, { ...table.settings, tags: Object.fromEntries(left) });
        return {};
      },
    },
    ListTagsOfResource: {
      rules: { types: { ...validationOf('ListTagsOfResource').types, NextToken: 'String' } },
      first: problemOfArn,
      run: ({ ResourceArn }: OfResource) => {
        const { tags } = tagged(store, 'ListTagsOfResource', ResourceArn).settings;
        return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
      },
    },
  };
}

function problemOfArn({ ResourceArn }: OfResource): string | undefined {
  if (ResourceArn === undefined) return 'Invalid TableArn';
  return /^arn:aws:dynamodb:[^:]*:\d+:table\/[^/]{3,}$/.test(ResourceArn)
    ? undefined
    : `Invalid TableArn: Invalid ResourceArn provided as input ${ResourceArn}`;
}

/** AWS says of a table that is not there, or is another account's, only that one may not look. */
function tagged(store: Store, operation: string, arn: string): Table {
  const table = arn.split(':')[4] === ACCOUNT ? store.find(arn) : undefined;
  if (table) return table;
  throw new AwsError(
    'AccessDeniedException',
    `User: arn:aws:iam::${ACCOUNT}:user/local is not authorized to perform: dynamodb:${operation} on resource: ${arn}`,
  );
}
