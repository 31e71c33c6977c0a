import type { Plugin } from 'vite';
import { POLICY_ELEMENT } from '../src/ui-kit/privacy/policy.ts';

/**
 * Adds the Content-Security-Policy to every built page, so it applies on any static host. The element does not support all
 * directives, so the server should also send the header.
 *
 * Not active during development, because Vite's client uses inline styles.
 */
export function policy(): Plugin {
  return {
    name: 'voxlane-policy',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      // First in the head, because a policy does not apply to preceding elements.
      handler: () => [
        { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY_ELEMENT }, injectTo: 'head-prepend' },
      ],
    },
  };
}
