/** A change of the sources must not make a fault of `plantFaults` impossible to plant. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAULTS } from './faults';

it.each(FAULTS)('$name can be planted', ({ file, find, replace }) => {
  const source = readFileSync(join(import.meta.dirname, '..', file), 'utf8');
  expect(source.split(find)).toHaveLength(2);
  expect(replace).not.toBe(find);
});
