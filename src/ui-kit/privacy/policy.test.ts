import { describe, expect, it } from 'vitest';
import { POLICY_ELEMENT, POLICY_HEADER } from './policy';

/** All directives with their sources. A missing or extra directive changes what the page may do. */
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
  it('in the header allows only these sources and no framing', () => {
    expect(directivesOf(POLICY_HEADER)).toEqual([...DIRECTIVES, "frame-ancestors 'none'"].sort());
  });

  it('in the element allows only these sources and requires Trusted Types', () => {
    const trusted = ["require-trusted-types-for 'script'", 'trusted-types default'];
    expect(directivesOf(POLICY_ELEMENT)).toEqual([...DIRECTIVES, ...trusted].sort());
  });
});
