import { describe, expect, it } from 'vitest';
import { POLICY_ELEMENT, POLICY_HEADER } from './policy';

/** Every directive with its sources. A directive that is missing here or there changes what the page may do. */
const DIRECTIVES = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' https://huggingface.co https://*.hf.co",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "style-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "object-src 'none'",
];

const directivesOf = (policy: string): string[] => policy.split('; ').sort();

describe('Content-Security-Policy', () => {
  it('of the header forbids everything but these, and frames', () => {
    expect(directivesOf(POLICY_HEADER)).toEqual([...DIRECTIVES, "frame-ancestors 'none'"].sort());
  });

  it('of the element forbids everything but these, and markup that is not trusted', () => {
    const trusted = ["require-trusted-types-for 'script'", 'trusted-types default'];
    expect(directivesOf(POLICY_ELEMENT)).toEqual([...DIRECTIVES, ...trusted].sort());
  });
});
