import type { Plugin } from 'vite';
import { POLICY_ELEMENT } from '../src/ui-kit/privacy/policy.ts';

/**
 * Puts the Content-Security-Policy into every built page, so that it holds on any static host. The header, which the
 * element cannot replace in all, is for the server to send.
 *
 * Not while developing: Vite's own client works with inline styles.
 */
export function policy(): Plugin {
  return {
    name: 'voxlane-policy',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      // First in the head: a policy says nothing about what stands before it.
      handler: () => [
        { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY_ELEMENT }, injectTo: 'head-prepend' },
      ],
    },
  };
}
