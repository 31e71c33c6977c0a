/** Commands of the documentation that `e2e/full/docs.spec.ts` does not run. */
import { expect, test } from 'vitest';
import { faultsOfCommands } from '../../scripts/docs/commandFaults';
import { readFences, runsOf } from '../../scripts/docs/fences';
import { pages, readPage } from '../../scripts/docs/pages';

test('commands that are not run have a test and valid options', async () => {
  const runs = pages().flatMap((page) => runsOf(readFences(readPage(page), page)));
  const others = runs.filter(({ name, fences }) => name === 'repository' && fences[0]!.group === null);
  expect(others.length).toBeGreaterThan(3);
  expect((await Promise.all(others.map(faultsOfCommands))).flat()).toEqual([]);
});
