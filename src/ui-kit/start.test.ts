import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { missingFeature } from './start';

const ALL = { WebAssembly: {}, Worker: {}, ResizeObserver: {}, IntersectionObserver: {} };

describe('a page that fails to start', () => {
  it('names the first missing feature', () => {
    expect(missingFeature(ALL)).toBeNull();
    for (const name of Object.keys(ALL)) {
      expect(missingFeature(Object.fromEntries(Object.entries(ALL).filter(([each]) => each !== name)))).toBe(name);
    }
  });

  it('has the same text in both HTML files', () => {
    const [index, compare] = ['index.html', 'compare.html'].map((file) => /<div id="app">.*<\/div>/s.exec(readFileSync(file, 'utf8'))?.[0]);
    expect(index).toContain('Voxlane could not start');
    expect(compare).toBe(index);
  });
});
