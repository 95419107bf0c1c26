import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Linux distributions put Chromium. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Chromium of this machine; without one, tests that need it are skipped, and say so. */
export const CHROMIUM = PLACES.find((path) => existsSync(path));
if (CHROMIUM === undefined) console.log('Skipped: Chromium is not on this machine (apt install chromium).');

export function launch(): Promise<Browser> {
  // Containers run as root, where Chromium's own sandbox refuses to start.
  return chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
}

/** A page, and everything that it complains of. */
export async function openPage(browser: Browser, width: number, colorScheme: 'light' | 'dark' = 'light') {
  const page: Page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  return { page, complaints };
}
