import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { Cloud } from '../../infra/local/cloud.ts';

/** Callers that ask for predictions all the time, and their pause between two, in milliseconds. */
const CALLERS = 4;
const PAUSE_MS = 10;

export interface Answered {
  readonly score: number;
  readonly model: string;
  readonly schema: string;
}

export interface Load {
  readonly predictions: number;
  readonly failed: readonly string[];
  readonly answers: readonly Answered[];
}

const FEATURES = { 'unit-price': 40, size: 'small', quantity: 2, giftWrapped: true };

/** Asks for predictions by the function URL until stopped. */
export function startLoad(cloud: Cloud, features: object = FEATURES): { stop(): Promise<Load>; seen(): Answered[] } {
  const predict = cloud.stack.functions.find((it) => it.handler === 'functions/predict.handler')?.name;
  const url = `${cloud.endpoint}/lambda-url/${predict}/`;
  const failed: string[] = [];
  const answers: Answered[] = [];
  let predictions = 0;
  let running = true;
  const call = async () => {
    while (running) {
      predictions += 1;
      try {
        const response = await fetch(url, { method: 'POST', body: JSON.stringify({ features }) });
        const answer = (await response.json()) as Answered & { error?: string };
        if (response.status === 200 && typeof answer.score === 'number') answers.push(answer);
        else failed.push(`${response.status} ${answer.error}`);
      } catch (error) {
        failed.push(String(error));
      }
      await sleep(PAUSE_MS);
    }
  };
  // A test that fails stops nothing by itself.
  onTestFinished(() => {
    running = false;
  });
  const callers = Array.from({ length: CALLERS }, call);
  return {
    seen: () => answers,
    async stop() {
      running = false;
      await Promise.all(callers);
      return { predictions, failed, answers };
    },
  };
}

/** Runs a command as a person would, with nothing set but the endpoint. */
export async function runCommand(cloud: Cloud, file: string, definition: string, ...options: string[]) {
  const { AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, ...environment } = process.env;
  const argv = [`infra/commands/${file}.ts`, '--definition', definition, ...options];
  const env = { ...environment, AWS_ENDPOINT_URL: cloud.endpoint };
  return (await promisify(execFile)(process.execPath, argv, { env })).stdout;
}
