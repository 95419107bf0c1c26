import type { GlueCatalog } from '../athena/catalog.ts';
import type { Call } from '../protocol/service.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Facts } from './permissions.ts';

/** Names in a query: quoted or not, every table's is one of them. */
const WORDS = /[a-z_]\w*/g;

/** What the permissions of a call depend on, asked of the services themselves. */
export function factsOf({ call, catalog, objects }: { call: Call; catalog: GlueCatalog; objects: ObjectStore }): Facts {
  return {
    async workGroupOf(QueryExecutionId) {
      const { QueryExecution } = (await call('athena', 'GetQueryExecution', { QueryExecutionId })) as {
        QueryExecution: { WorkGroup: string };
      };
      return QueryExecution.WorkGroup;
    },

    locationsOf(query, database) {
      const words = new Set(query.toLowerCase().match(WORDS));
      const named = <T extends { readonly database: string; readonly name: string }>(all: Iterable<T>) =>
        [...all].filter((it) => words.has(it.name) && (it.database === database || words.has(it.database)));
      // A view reads what its own SQL names, other views among it.
      const views = new Set<string>();
      for (let found = true; found; ) {
        found = false;
        for (const view of named(catalog.views.values())) {
          if (views.has(view.name)) continue;
          views.add(view.name);
          found = true;
          for (const word of view.sql.toLowerCase().match(WORDS) ?? []) words.add(word);
        }
      }
      return named(catalog.tables.values()).map(({ bucket, prefix }) => `s3://${bucket}/${prefix}`);
    },

    async isScaled(endpointName) {
      const { ScalableTargets } = (await call('application-autoscaling', 'DescribeScalableTargets', {
        ServiceNamespace: 'sagemaker',
      })) as { ScalableTargets: readonly { readonly ResourceId: string }[] };
      return ScalableTargets.some(({ ResourceId }) => ResourceId.startsWith(`endpoint/${endpointName}/`));
    },

    objectExists: (bucket, key) =>
      objects.head(bucket, key).then(
        () => true,
        () => false,
      ),
  };
}
