export interface Store<State, Action> {
  readonly get: () => State;
  readonly dispatch: (action: Action) => void;
}

/** Holds the state and notifies one observer of each change, with the previous state. */
export function createStore<State, Action>(
  reduce: (state: State, action: Action) => State,
  initial: State,
  onChange: (next: State, previous: State) => void,
): Store<State, Action> {
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
