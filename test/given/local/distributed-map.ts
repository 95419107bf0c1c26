import { DescribeMapRunCommand, ListExecutionsCommand, ListMapRunsCommand } from '@aws-sdk/client-sfn';
import { localStepFunctions, machine } from './step-functions.ts';

/** Input of an execution whose map works the items of {@link localMap}'s list, two at once. */
export const LIST = { list: { bucket: 'data', key: 'work/list.jsonl' }, workers: 2 };

export const reader = (InputType = 'JSONL', rest: object = {}) => ({
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType, ...rest },
  Parameters: { 'Bucket.$': '$.list.bucket', 'Key.$': '$.list.key' },
});

/** The one state of an item: it invokes a function, which gives the item's output. */
export const work = {
  ...{ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke' },
  Parameters: { FunctionName: 'work', 'Payload.$': '$' },
  ...{ OutputPath: '$.Payload', End: true },
};

export const processor = (States: Record<string, object> = { Work: work }, config: object = {}) => ({
  ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD', ...config },
  ...{ StartAt: Object.keys(States)[0], States },
});

/** A state machine that works the files of a list. A field that is `undefined` is absent. */
export const mapping = (fields: object = {}, States: Record<string, object> = {}) => {
  const state = {
    ...{ Type: 'Map', Label: 'Files', MaxConcurrencyPath: '$.workers', ItemReader: reader() },
    ...{ ItemProcessor: processor(), Next: 'Done', ...fields },
  };
  const definition = machine('Work files', { 'Work files': state, Done: { Type: 'Succeed' }, ...States });
  return JSON.parse(JSON.stringify(definition)) as typeof definition;
};

/** The local Step Functions, with a list of items and a function that works them. */
export async function localMap() {
  const states = await localStepFunctions();
  const put = (text: string) => states.objects.put(LIST.list.bucket, LIST.list.key, text);

  async function mapRunsOf(executionArn = '') {
    const { mapRuns = [] } = await states.send(new ListMapRunsCommand({ executionArn }));
    return mapRuns;
  }

  return {
    ...states,
    /** Writes the list as it is. */
    put,
    /** Writes the list as JSON Lines. */
    list: (...items: unknown[]) => put(items.map((it) => `${JSON.stringify(it)}\n`).join('')),

    /** Lets the function answer; an error that is thrown is the function's. */
    worked(answer: (item: never) => unknown): void {
      const invoked = async (item: never) => ({ Payload: JSON.stringify(await answer(item)) });
      const failed = ({ name, message }: Error) => ({
        ...{ FunctionError: 'Unhandled', Payload: JSON.stringify({ errorType: name, errorMessage: message }) },
      });
      states.operations.lambda = {
        Invoke: async ({ Payload }: { Payload: string }) => ({
          StatusCode: 200,
          ...(await invoked(JSON.parse(Payload) as never).catch(failed)),
        }),
      };
    },

    mapRunsOf,
    /** The newest Map Run of an execution. */
    async mapRunOf(executionArn = '') {
      const [{ mapRunArn } = {}] = await mapRunsOf(executionArn);
      return states.send(new DescribeMapRunCommand({ mapRunArn }));
    },
    async itemsOf(mapRunArn = '') {
      const { executions = [] } = await states.send(new ListExecutionsCommand({ mapRunArn }));
      return executions;
    },
    typesOf: async (executionArn = '') => (await states.historyOf(executionArn)).map((it) => it.type),
  };
}
