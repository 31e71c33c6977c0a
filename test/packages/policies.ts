/** Content-Security-Policies by source. Every source is required; e2e/full/packageCsp.spec.ts removes each in turn. */
export type Policy = Readonly<Record<string, readonly string[]>>;

/** For a page that loads the library, the models and the runtime from its own origin. */
export const LIBRARY_POLICY: Policy = {
  'default-src': ["'none'"],
  // The second source only allows compiling WebAssembly. Workers are also scripts.
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'connect-src': ["'self'"],
};

/** The same with the widget, which plays recordings from blobs. */
export const WIDGET_POLICY: Policy = { ...LIBRARY_POLICY, 'media-src': ['blob:'] };

/** For a page that loads the widget, models and runtime from another origin. */
export const crossOriginPolicy = (origin: string): Policy => ({
  'default-src': ["'none'"],
  'script-src': ["'self'", "'wasm-unsafe-eval'", origin],
  // Browsers do not start workers from another origin. A worker of the page's origin imports the script, and imported scripts
  // also count as worker scripts.
  'worker-src': ['blob:', origin],
  'connect-src': ["'self'", origin],
  'media-src': ['blob:'],
});

/** Value of the header. */
export const serialized = (policy: Policy): string =>
  Object.entries(policy)
    .map(([directive, sources]) => [directive, ...sources].join(' '))
    .join('; ');

/** One policy for each removed source. Directives without sources are removed completely. */
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
