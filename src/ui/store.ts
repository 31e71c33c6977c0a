import type { Action, State } from './state';
import { reduce } from './state';

export interface Store {
  readonly get: () => State;
  readonly dispatch: (action: Action) => void;
}

/** Holds the state and tells one observer of each change, with the state before. */
export function createStore(initial: State, onChange: (next: State, previous: State) => void): Store {
  let state = initial;
  return {
    get: () => state,
    dispatch(action) {
      const previous = state;
      state = reduce(previous, action);
      if (state !== previous) onChange(state, previous);
    },
  };
}
