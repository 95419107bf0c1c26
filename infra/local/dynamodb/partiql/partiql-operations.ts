import type { Actions } from '../engine/action.ts';
import type { Store } from '../engine/store.ts';

export function partiqlOperations(_: Store): Actions {
  return {};
}
