import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Cloud } from '../../../infra/local/cloud.ts';

/** Callers that ask for predictions all the time, and their pause between two, in milliseconds: at first, and hurried. */
const CALLERS = 4;
const CALM_MS = 250;
const HURRIED_MS = 25;

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

export interface RunningLoad {
  readonly seen: () => readonly Answered[];
  /** Asks ten times as often from now on. */
  hurry(): void;
  /** Asks as often as at first from now on. */
  calm(): void;
  stop(): Promise<Load>;
}

/** Asks for predictions by the function URL until stopped. */
export function startLoad(cloud: Cloud, features: object = FEATURES): RunningLoad {
  const predict = cloud.stack.functions.find((it) => it.handler === 'functions/predict.handler')?.name;
  const url = `${cloud.endpoint}/lambda-url/${predict}/`;
  const failed: string[] = [];
  const answers: Answered[] = [];
  let predictions = 0;
  let running = true;
  let pauseMs = CALM_MS;
  const call = async () => {
    while (running) {
      predictions += 1;
      try {
        const response = await fetch(url, { method: 'POST', body: JSON.stringify({ features }) });
        const answer = (await response.json()) as Answered & { error?: string };
        if (response.status === 200 && typeof answer.score === 'number') answers.push(answer);
        // The steps that were come to tell which one was too slow.
        else failed.push(`${response.status} ${answer.error} (${response.headers.get('server-timing')})`);
      } catch (error) {
        failed.push(String(error));
      }
      await sleep(pauseMs);
    }
  };
  // A test that fails stops nothing by itself.
  onTestFinished(() => {
    running = false;
  });
  const callers = Array.from({ length: CALLERS }, call);
  return {
    seen: () => answers,
    hurry() {
      pauseMs = HURRIED_MS;
    },
    calm() {
      pauseMs = CALM_MS;
    },
    async stop() {
      running = false;
      await Promise.all(callers);
      return { predictions, failed, answers };
    },
  };
}
