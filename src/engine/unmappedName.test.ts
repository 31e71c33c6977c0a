import { expect, test } from 'vitest';
import { isUnmappedName } from './packagedFiles';

test.each([
  "Failed to resolve module specifier 'voxlane-assets'",
  'The specifier “voxlane-assets” was a bare specifier, but was not remapped to anything. Relative module specifiers must start with “./”, “../” or “/”.',
  "Module name, 'voxlane-assets' does not resolve to a valid URL.",
])('recognizes an unmapped name by: %s', (message) => {
  expect(isUnmappedName(new TypeError(message))).toBe(true);
});

test.each([
  new TypeError('Failed to fetch dynamically imported module: https://example.org/voxlane-assets/index.js'),
  new TypeError('error loading dynamically imported module: https://example.org/voxlane-assets/index.js'),
  new TypeError('Importing a module script failed.'),
  new SyntaxError('Unexpected token in module specifier'),
  'specifier',
])('does not recognize other failures: %s', (error) => {
  expect(isUnmappedName(error)).toBe(false);
});
