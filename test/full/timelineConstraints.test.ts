import { describe, test } from 'vitest';
import { checkSet, CHOICES } from '../timeline/constrained';

/** Two sets are in src/timeline/constraints.test.ts. */
describe.each(CHOICES)('constraints: $method', (options) => {
  test.each([3, 4, 5, 6])('are satisfied even if they contradict the recording: set %i', (seed) => {
    checkSet(options, seed);
  });
});
