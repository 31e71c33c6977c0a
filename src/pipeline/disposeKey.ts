/**
 * Name of the method that `using` calls at the end of a block. A name of its own where the runtime does not know the
 * symbol: nothing is added to `Symbol`, and nobody calls the method there.
 */
export const DISPOSE: typeof Symbol.dispose =
  (Symbol as { readonly dispose?: typeof Symbol.dispose }).dispose ?? (Symbol('dispose') as typeof Symbol.dispose);
