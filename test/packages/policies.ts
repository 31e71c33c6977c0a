/** Content-Security-Policies, source by source. Each source is needed: e2e/full/packageCsp.spec.ts leaves them out in turn. */
export type Policy = Readonly<Record<string, readonly string[]>>;

/** For a page that has the library, the models and the runtime from its own origin. */
export const LIBRARY_POLICY: Policy = {
  'default-src': ["'none'"],
  // The second allows compiling WebAssembly, and nothing else. Workers are scripts too.
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'connect-src': ["'self'"],
};

/** The same with the widget, which plays a recording from where it lies. */
export const WIDGET_POLICY: Policy = { ...LIBRARY_POLICY, 'media-src': ['blob:'] };

/** For a page whose widget, models and runtime come from another origin. */
export const crossOriginPolicy = (origin: string): Policy => ({
  'default-src': ["'none'"],
  'script-src': ["'self'", "'wasm-unsafe-eval'", origin],
  // No browser starts a worker from another origin: one of the page's own imports it, and what a worker imports is a
  // worker's script too.
  'worker-src': ['blob:', origin],
  'connect-src': ["'self'", origin],
  'media-src': ['blob:'],
});

/** As the header has it. */
export const serialized = (policy: Policy): string =>
  Object.entries(policy)
    .map(([directive, sources]) => [directive, ...sources].join(' '))
    .join('; ');

/** One policy for each source that is left out; a directive without sources is left out whole. */
export function weakened(policy: Policy): { readonly without: string; readonly policy: Policy }[] {
  return Object.entries(policy).flatMap(([directive, sources]) =>
    directive === 'default-src'
      ? []
      : sources.map((source) => {
          const left = sources.filter((each) => each !== source);
          const weaker = Object.entries({ ...policy, [directive]: left }).filter(([, each]) => each.length > 0);
          return { without: `${directive} ${source}`, policy: Object.fromEntries(weaker) };
        }),
  );
}
