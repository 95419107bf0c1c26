import { simulateBackfill } from './backfill/simulate-backfill.ts';

for (let seed = 151; seed <= 900; seed++) {
  const r = await simulateBackfill(seed, 400);
  if (r.violation) console.log(seed, r.violation);
}
console.log('done');
