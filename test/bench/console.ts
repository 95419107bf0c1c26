import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { CHROMIUM, launch, openPage } from '../given/console/browser.ts';

/**
 * Measures the console on the data of a real demo, and takes the pictures of its pages that are in the documents.
 *
 * `node test/bench/console.ts`: weight over the wire and first paint, then docs/pictures/console-*.webp; `--measure`: no
 * pictures.
 */

const PICTURES = new URL('../../docs/pictures/', import.meta.url);

/** Without pictures, the fewest customers do. */
const MEASURES_ONLY = process.argv.includes('--measure');

/** Customers of the demo, and visits of a browser that has nothing in its cache. */
const ROWS = MEASURES_ONLY ? 200 : 800;
const VISITS = 9;

/** Most bytes of a picture, and the qualities of WebP that are tried until it has no more. */
const PICTURE_BYTES_MAX = 60 * 1024;
const QUALITIES = [80, 65, 50, 35];

const WIDTH = 1_280;
const HEIGHT = 900;

/** What is done on a page before its picture is taken, and a text that it has then. */
const STEPS: Readonly<Record<string, (page: Page, id: string) => Promise<void>>> = {
  flow: (page) => page.getByText('Last batches').waitFor(),
  async record(page, id) {
    await page.fill('input[name=identifier]', id);
    await page.keyboard.press('Enter');
    await page.getByText('Three places').waitFor();
  },
  features: (page) => page.getByText('stability index').first().waitFor(),
  async trainings(page) {
    for (const text of ['Curves and calibration', 'State by state']) await page.getByText(text).first().click();
    await page.getByText('mean score').waitFor();
    await page.getByText('BuildTrainingSet').waitFor();
  },
  quarantine: (page) => page.getByText('Redrive this group').waitFor(),
  async query(page) {
    await page.getByRole('button', { name: /^Label by/ }).click();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('Download as CSV').waitFor();
  },
  async predict(page, id) {
    await page.fill('input[name=identifier]', id);
    await page.keyboard.press('Enter');
    await page.getByText('is the score').waitFor();
  },
};

/** Plays the demo, which then serves. @returns the console's address, and what ends it. */
async function playDemo(): Promise<{ address: string; stop: () => void }> {
  const child = spawn(process.execPath, ['infra/commands/demo.ts', '--keep', '--rows', String(ROWS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [, address] = /^The console: (\S+)/.exec(line) ?? [];
    if (address !== undefined) {
      child.stdout.resume();
      return { address, stop: () => child.kill('SIGINT') };
    }
  }
  throw new Error('The demo has ended without a console.');
}

/** A first visit: bytes of everything that came over the wire but the live events, and milliseconds to the first paint. */
async function visit(browser: Browser, address: string): Promise<{ bytes: number; paintMs: number; requests: number }> {
  const { page } = await openPage(browser, WIDTH);
  const session: CDPSession = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const lengths = new Map<string, number>();
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    lengths.set(requestId, encodedDataLength),
  );
  await page.goto(address);
  await page.getByText('Last batches').waitFor();
  await page.locator('.u-legend').waitFor();
  const paintMs = (await page.evaluate(
    "performance.getEntriesByName('first-contentful-paint')[0].startTime",
  )) as number;
  await page.context().close();
  const bytes = [...lengths.values()].reduce((sum, length) => sum + length, 0);
  return { bytes, paintMs, requests: lengths.size };
}

async function takePicture(page: Page, name: string): Promise<number> {
  const session = await page.context().newCDPSession(page);
  for (const quality of QUALITIES) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
    const picture = Buffer.from(data, 'base64');
    if (picture.length > PICTURE_BYTES_MAX) continue;
    await writeFile(new URL(`console-${name}.webp`, PICTURES), picture);
    return picture.length;
  }
  throw new Error(`The picture of ${name} has more than ${PICTURE_BYTES_MAX} bytes at every quality.`);
}

/** The customer that has changed most often. */
async function changedMost(address: string): Promise<string> {
  const sql = 'SELECT customer_id FROM change_log GROUP BY customer_id ORDER BY count(*) DESC, customer_id LIMIT 1';
  const body = JSON.stringify({ sql });
  const answer = await fetch(`${address}query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const { rows } = (await answer.json()) as { rows: [string][] };
  return rows[0]?.[0] ?? '';
}

const middle = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

if (CHROMIUM === undefined) throw new Error('Chromium is not on this machine: apt install chromium, and try again.');
const { address, stop } = await playDemo();
const browser = await launch();
try {
  const visits: Awaited<ReturnType<typeof visit>>[] = [];
  for (let count = 0; count < VISITS; count += 1) visits.push(await visit(browser, address));
  const paints = visits.map(({ paintMs }) => paintMs);
  console.log(
    `${visits[0]?.requests} requests, ${Math.max(...visits.map(({ bytes }) => bytes))} bytes over the wire; first paint after ${middle(paints).toFixed(0)} ms (median of ${VISITS} visits, at most ${Math.max(...paints).toFixed(0)})`,
  );
  const id = await changedMost(address);
  for (const [name, steps] of MEASURES_ONLY ? [] : Object.entries(STEPS)) {
    const { page, complaints } = await openPage(browser, WIDTH, name === 'flow' ? 'dark' : 'light');
    await page.setViewportSize({ width: WIDTH, height: HEIGHT });
    await page.goto(`${address}#/${name}`);
    await steps(page, id);
    await page.evaluate('scrollTo(0, 0)');
    if (complaints.length > 0) throw new Error(`${name}: ${complaints.join('; ')}`);
    console.log(`console-${name}.webp: ${await takePicture(page, name)} bytes`);
    await page.context().close();
  }
} finally {
  await browser.close();
  stop();
}
