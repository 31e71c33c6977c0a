// With the file extension: Vite's configuration imports this file without a bundler.
import { PUBLIC_HUB } from '../../store/sources.ts';

/**
 * Origins besides its own to which the page may connect: the public model hub, contacted only if the user chooses a
 * download, and the hosts to which it redirects downloads. A page that embeds the library and uses another hub lists
 * that hub in its own policy.
 */
export const HUB_ORIGINS: readonly string[] = [new URL(PUBLIC_HUB).origin, 'https://*.hf.co'];

/** Directives of the Content-Security-Policy for pages and workers. Anything not listed is forbidden. */
const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {
  'default-src': ["'none'"],
  // 'wasm-unsafe-eval' allows only the compilation of WebAssembly; `eval` and inline scripts stay forbidden.
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'worker-src': ["'self'"],
  'connect-src': ["'self'", ...HUB_ORIGINS],
  'img-src': ["'self'", 'blob:'],
  // Recordings are played from blob URLs.
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
 * The policy as a response header. A worker uses the header of its own script, not the page's meta element: the policy
 * applies in workers only if the server or the service worker sends this header.
 */
export const POLICY_HEADER = serialized({ ...DIRECTIVES, 'frame-ancestors': ["'none'"] });

/**
 * The policy as a meta element of a page. Only pages require Trusted Types: in workers they would block the threads of
 * ONNX Runtime, and workers have no DOM to inject into.
 */
export const POLICY_ELEMENT = serialized({
  ...DIRECTIVES,
  'require-trusted-types-for': ["'script'"],
  'trusted-types': ['default'],
});
