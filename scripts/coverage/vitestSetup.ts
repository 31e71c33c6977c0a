/** Saves the statements covered by the unit tests of a file. */
import { afterAll } from 'vitest';
import { COUNTERS, saveHits } from './plugin.ts';

afterAll(() => {
  const counters = (globalThis as Record<string, unknown>)[COUNTERS] as Record<string, { s: Record<string, number> }> | undefined;
  const hits = Object.entries(counters ?? {}).map(([file, { s }]) => [file, Object.keys(s).filter((id) => s[id]! > 0).map(Number)]);
  saveHits(JSON.stringify(Object.fromEntries(hits)), 'unit');
});
