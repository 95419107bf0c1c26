import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, launch, openPage } from '../../given/console/browser.ts';
import { consoleOfOrders } from '../../given/console/console-of-orders.ts';

const WIDTHS = [320, 1_280];
const TABLE = 'shop.orders';
const ID = 'o-7|1';

/** Pages in the order of their keys, and a text that each has once it is complete. */
const PAGES = [
  ['flow', 'Last batches'],
  ['record', 'order_id'],
  ['features', 'stability index'],
  ['trainings', 'Epoch 1, attempt 1'],
  ['quarantine', 'Redrive all'],
  ['query', 'Changes by kind'],
  ['predict', 'The same call'],
] as const;

describe.skipIf(CHROMIUM === undefined)('the console in a browser', () => {
  let served: Awaited<ReturnType<typeof consoleOfOrders>>;
  let browser: Browser;

  beforeAll(async () => {
    served = await consoleOfOrders();
    await served.orders.write(0, 300);
    await served.orders.ended(1);
    await put('wrong', { unitPrice: { S: 'dear' } });
    await served.cloud.idle();
    await served.cloud.flushDeliveryStreams();
    browser = await launch();
  });
  const put = (sk: string, more: object) => {
    const Item = { pk: { S: 'o-7' }, sk: { S: sk }, size: { S: 'large' }, updatedAt: { N: '1796000000' }, ...more };
    return served.cloud.call('dynamodb', 'PutItem', { TableName: TABLE, Item });
  };
  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  const overflow = (page: Page) => page.evaluate('document.documentElement.scrollWidth - innerWidth');

  describe.each(WIDTHS)('at %i pixels', (width) => {
    it.each(PAGES)('shows the page %s without a complaint, within its width', async (name, text) => {
      const { page, complaints } = await openPage(browser, width, width === 320 ? 'dark' : 'light');
      await page.goto(`${served.address}#/${name}`);
      await page.getByText(text).first().waitFor();
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      expect(complaints).toEqual([]);
      await page.close();
    });
  });

  it('is walked through by keys alone', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(served.address);
    await page.getByText('Last batches').waitFor();
    for (const [index, [name]] of PAGES.entries()) {
      await page.keyboard.press(String(index + 1));
      await page.locator(`nav a[aria-current=page]`, { hasText: new RegExp(name, 'i') }).waitFor();
    }
    await page.keyboard.press('2');
    await page.locator('h1', { hasText: 'Record' }).waitFor();
    for (let tabs = 0; (await page.evaluate('document.activeElement.name')) !== 'identifier'; tabs += 1) {
      expect(tabs).toBeLessThan(20);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type(ID);
    await page.keyboard.press('Enter');
    await page.getByText('Three places').waitFor();
    // A digit that is written is no key.
    expect(await page.inputValue('input[name=identifier]')).toBe(ID);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows a write on the page of its record, in all three places, and goes back in time', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/record`);
    await page.fill('input[name=identifier]', ID);
    await page.keyboard.press('Enter');
    await page.getByText('Changes: 1', { exact: true }).waitFor();
    const row = page.locator('tr', { hasText: 'unit-price' });
    const before = await row.locator('td').allTextContents();
    await put('1', { unitPrice: { N: '123.25' } });
    await page.getByText('Changes: 2', { exact: true }).waitFor();
    expect(await row.locator('td').allTextContents()).toEqual(['unit-price', '123.25', '123.25', '123.25']);
    await page.locator('input[type=range]').focus();
    await page.keyboard.press('ArrowLeft');
    await page.locator('tr.differs', { hasText: 'unit-price' }).waitFor();
    expect(await row.locator('td').nth(3).textContent()).toBe(before[3]);
    expect(complaints).toEqual([]);
    expect(page.url()).not.toContain('o-7');
    await page.close();
  });

  it('shows how each feature is spread by class, against the training, what is missing and what is dead', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/features`);
    await page.getByText('discount has no values').waitFor();
    const card = page.locator('section', { has: page.getByRole('heading', { name: 'quantity' }) });
    expect(await card.locator('rect.class0').count()).toBeGreaterThan(5);
    expect(await card.locator('rect.then').count()).toBe(await card.locator('rect[class^=class]').count());
    await card.locator('summary').focus();
    await page.keyboard.press('Enter');
    expect(await card.locator('th').allTextContents()).toEqual([
      ...['value', 'class 0', 'in the training', 'class 1', 'in the training'],
    ]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows a training state by state', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/trainings`);
    await page.getByText('State by state').first().click();
    await page.getByText('BuildTrainingSet').waitFor();
    await page.getByText(/aws stepfunctions get-execution-history .*:execution:.*-epoch-1-attempt-1$/).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('draws the curves of a model by which it was judged, and says who serves', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/trainings`);
    await page.getByText('Curves and calibration').first().focus();
    await page.keyboard.press('Enter');
    await page.getByText(/^Over \d+ rows that nothing was chosen by/).waitFor();
    await page
      .getByText(/^auc of 0\.\d{4}, from 0\.\d{4} to [01]\.\d{4} at 95 %; the gate asks for all of it at 0 or/)
      .waitFor();
    const [roc = ''] = await page
      .locator('svg.square polyline')
      .evaluateAll((all) => all.map((it) => it.getAttribute('points')));
    expect(roc).toMatch(/^4\.00,104\.00 .* 104\.00,4\.00$/);
    await page.getByText(/^aws s3 cp s3:.*judged\.json -$/).waitFor();
    await page.getByText(/-e1-a1-\w+ answers/).waitFor();
    await page.getByText('An update begins with a canary of one instance, watched for 1 s.').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('counts the shards that are open, and says where there is no lag to tell', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/flow`);
    await page.getByText('1 open shard.').waitFor();
    await page.getByText('Event times are of the items themselves, which tell no lag.').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('hides values until they are asked for, leads to the item, and redrives it once it is mended', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/quarantine`);
    await page.getByText('1 × wrong-type').waitFor();
    expect(await page.getByText('dear').count()).toBe(0);
    await page.getByText('show the values').click();
    await page.getByText('{"S":"dear"}').waitFor();
    await page.getByRole('button', { name: 'o-7|wrong' }).click();
    await page.getByText('The item is not taken: wrong-type').waitFor();
    expect(page.url()).not.toContain('o-7');
    await put('wrong', { unitPrice: { N: '5' }, updatedAt: { N: '1796000060' } });
    await page.goto(`${served.address}#/quarantine`);
    await expect
      .poll(async () => {
        if (await page.getByText('Nothing waits.').isVisible()) return true;
        await page.getByLabel('Choose o-7|wrong').check();
        await page.getByRole('button', { name: 'Redrive o-7|wrong' }).click();
        await page.getByRole('button', { name: 'Yes, redrive o-7|wrong' }).click();
        await page.getByRole('status').getByText('put right').or(page.getByText('Nothing waits.')).first().waitFor();
        return false;
      })
      .toBe(true);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('asks Athena by keys alone, and offers the rows as a file', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/query`);
    await page.fill('textarea', "SELECT size, count(*) AS n FROM latest WHERE size = 'small' GROUP BY size");
    await page.focus('textarea');
    await page.keyboard.press('Control+Enter');
    await page.getByText('n by size').waitFor();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as CSV' }).click(),
    ]);
    expect(await readFile(await file.path(), 'utf8')).toMatch(/^"size","n"\n"small","\d+"\n$/);
    await page.fill('textarea', 'DROP VIEW latest');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('The console only reads').waitFor();
    // The browser itself says that a question was refused.
    expect(complaints.filter((it) => !/status of 400/.test(it))).toEqual([]);
    await page.close();
  });

  it('predicts a known record, and a new one by the form of the definition', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/predict`);
    await page.fill('input[name=identifier]', 'o-9|1');
    await page.keyboard.press('Enter');
    await page.getByText('is the score').waitFor();
    await page.getByText('online-read').waitFor();
    await page.getByText('a new one').click();
    await page.fill('input[name=unit-price]', '12.50');
    await page.selectOption('select[name=size]', 'medium');
    await page.getByRole('button', { name: 'Predict', exact: true }).click();
    await page.getByText('recordIdentifier').waitFor({ state: 'detached' });
    await page.getByText('is the score').waitFor();
    const [call = ''] = await page.getByText('npm run predict --').allTextContents();
    expect(call).toContain(`'{"features":{"unit-price":"12.50","size":"medium"}}'`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('says in a sentence that a stack has nothing yet', async () => {
    const empty = await consoleOfOrders();
    const { page, complaints } = await openPage(browser, 320);
    try {
      const sentences = [
        ['flow', 'No batch yet.'],
        ['features', 'The views have no record yet.'],
        ['trainings', 'No decision yet.'],
        ['quarantine', 'Nothing waits.'],
      ] as const;
      for (const [name, sentence] of sentences) {
        await page.goto(`${empty.address}#/${name}`);
        await page.getByText(sentence).waitFor();
      }
      await page.goto(`${empty.address}#/record`);
      await page.fill('input[name=identifier]', 'o-1|1');
      await page.keyboard.press('Enter');
      await page.getByText('No item has this identifier').waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await page.close();
      await empty.close();
    }
  });

  it('shows on the page of a record what was predicted of it, with the row that the endpoint was sent', async () => {
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/record`);
    await page.fill('input[name=identifier]', 'o-11|1');
    await page.keyboard.press('Enter');
    await page.getByText('The prediction log has none of this record yet.').waitFor();
    await page.goto(`${served.address}#/predict`);
    await page.fill('input[name=identifier]', 'o-11|1');
    await page.keyboard.press('Enter');
    await page.getByText('is the score').waitFor();
    await served.cloud.flushDeliveryStreams();
    await page.goto(`${served.address}#/record`);
    await page.fill('input[name=identifier]', 'o-11|1');
    await page.keyboard.press('Enter');
    const card = page.locator('section', { has: page.getByRole('heading', { name: 'Predictions: 1' }) });
    await card.waitFor();
    const [, score, , , model] = await card.locator('tbody td').allTextContents();
    const row = await card.locator('tbody code').textContent();
    expect([score, model]).toEqual([expect.stringMatching(/^\d\.\d+/), expect.stringContaining('-e1-a1-')]);
    expect(row?.split(',').length).toBeGreaterThan(3);
    await card.getByText("WHERE record_identifier = '\\''o-11|1'\\''").waitFor();
    await page.goto(`${served.address}#/query`);
    await page.getByRole('button', { name: 'Predictions by model' }).click();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.locator('td', { hasText: model ?? '' }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('rolls a model back, and says why in the status', async () => {
    await served.orders.write(300, 300);
    expect((await served.orders.ended(2)).status).toBe('SUCCEEDED');
    const { page, complaints } = await openPage(browser, 1_280);
    await page.goto(`${served.address}#/trainings`);
    await page.getByText('Epoch 2, attempt 1').waitFor();
    await page.getByRole('button', { name: 'Roll back' }).click();
    await page.fill('input[name=reason]', 'tried from the page');
    await page.getByRole('button', { name: 'Yes, roll back' }).click();
    await page.getByText(/serves again, in place of .*-e2-/).waitFor();
    await page.getByText(/Paused since .*tried from the page/).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('cannot be called by a page from elsewhere', async () => {
    const elsewhere = createServer((_, response) =>
      response.setHeader('content-type', 'text/html').end('<p>elsewhere'),
    );
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const { page } = await openPage(browser, 1_280);
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
    const answers: number[] = [];
    page.on('response', (response) => answers.push(response.status()));
    const tried = await page.evaluate(async (address) => {
      const post = (headers: Record<string, string>, mode: 'cors' | 'no-cors') =>
        fetch(`${address}record`, { method: 'POST', mode, headers, body: '{"identifier":"o-7|1"}' }).then(
          (response) => (response.type === 'opaque' ? 'opaque' : 'read'),
          () => 'failed',
        );
      return [await post({ 'content-type': 'application/json' }, 'cors'), await post({}, 'no-cors')];
    }, served.address);
    expect(tried).toEqual(['failed', expect.stringMatching(/opaque|failed/)]);
    expect(answers.filter((status) => status < 400)).toEqual([]);
    await page.close();
    elsewhere.close();
  });
});
