// With its ending: Vite's configuration reads this file too, without a bundler.
import { PUBLIC_HUB } from '../../store/sources.ts';

/**
 * Where the page may connect to besides its own origin: the public model hub, which is asked only when the person chooses
 * a download, and the hosts that it sends downloads on to. Who embeds the library and chooses another hub lists that hub
 * in the policy of their own page.
 */
export const HUB_ORIGINS: readonly string[] = [new URL(PUBLIC_HUB).origin, 'https://*.hf.co'];

/** Directives of the Content-Security-Policy that hold in pages and workers alike. Whatever is not named is forbidden. */
const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {
  'default-src': ["'none'"],
  // The second allows compiling WebAssembly, and nothing else; `eval` and inline scripts stay forbidden.
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'worker-src': ["'self'"],
  'connect-src': ["'self'", ...HUB_ORIGINS],
  'img-src': ["'self'", 'blob:'],
  // A recording is played from where it lies, through an address of the browser's own.
  'media-src': ["'self'", 'blob:'],
  'style-src': ["'self'"],
  'manifest-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'object-src': ["'none'"],
};

const serialized = (directives: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(directives)
    .map(([name, values]) => [name, ...values].join(' '))
    .join('; ');

/**
 * The policy as a response header. A worker obeys the header of its own script, never the page's element: only where the
 * server, or the service worker, sends this does the policy hold in workers too.
 */
export const POLICY_HEADER = serialized({ ...DIRECTIVES, 'frame-ancestors': ["'none'"] });

/**
 * The policy as an element of a page. Trusted Types are asked for only here: in a worker they would forbid the threads of
 * ONNX Runtime, and there is no markup to inject into.
 */
export const POLICY_ELEMENT = serialized({
  ...DIRECTIVES,
  'require-trusted-types-for': ["'script'"],
  'trusted-types': ['default'],
});
