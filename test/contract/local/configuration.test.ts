import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { resolvedConfiguration } from '../../../infra/local/stack/configuration.ts';

interface Printed {
  readonly provider: { readonly stackName: string };
  readonly functions: Readonly<Record<string, object>>;
  readonly resources: object;
}

/** osls's longest output here, in bytes. */
const PRINTED_BYTES_MAX = 32 * 2 ** 20;

const PARAMS = { changeLogBufferSeconds: 1, labelsWindowSeconds: 0, gateFloor: 0.25 };

async function printed(featureGroup: string): Promise<Printed> {
  const values = Object.entries({ ...PARAMS, featureGroup }).map(([name, value]) => `--param=${name}=${value}`);
  const argv = ['node_modules/osls/bin/serverless.js', 'print', '--format', 'json', '--stage', 'dev', ...values];
  const { stdout } = await promisify(execFile)(process.execPath, [...argv, '--region', 'us-east-1'], {
    maxBuffer: PRINTED_BYTES_MAX,
    env: { ...process.env, SLS_NOTIFICATIONS_MODE: 'off', SLS_TELEMETRY_DISABLED: '1' },
  });
  return JSON.parse(stdout);
}

/** What the local cloud reads, numbers as the text that osls's validator makes of some. It reads no DependsOn. */
function read({ provider, functions, resources }: Printed): object {
  const withEvents = Object.entries(functions).map(([name, it]) => [name, { events: [], ...it }]);
  const all = { stackName: provider.stackName, functions: Object.fromEntries(withEvents), resources };
  const asRead = (key: string, value: unknown) => {
    if (key === 'DependsOn') return undefined;
    return typeof value === 'number' ? String(value) : value;
  };
  return JSON.parse(JSON.stringify(all, asRead));
}

test.each(['bank-marketing', `${process.cwd()}/test/fixtures/feature-groups/visits.ts`])(
  'the local cloud deploys what osls prints of %s',
  async (featureGroup) => {
    const resolved = (await resolvedConfiguration({ featureGroup, params: PARAMS })) as Printed;
    expect(read(resolved)).toEqual(read(await printed(featureGroup)));
  },
);
