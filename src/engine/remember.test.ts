import * as idbKeyval from 'idb-keyval';
import { expect, test, vi } from 'vitest';
import { forget, recall, remember } from './remember';

vi.mock('idb-keyval', () => ({
  createStore: vi.fn((database: string) => database),
  get: vi.fn(() => Promise.resolve(1)),
  set: vi.fn(() => Promise.resolve()),
  keys: vi.fn(() => Promise.resolve(['key of ours', 'another'])),
  delMany: vi.fn(() => Promise.resolve()),
}));

test('values are stored in a database of the library, not in the default database of idb-keyval', async () => {
  await remember('key', 1);
  expect(await recall('key', (value): value is number => typeof value === 'number')).toBe(1);
  await forget('key');
  const { get, set, keys, delMany } = vi.mocked(idbKeyval);
  expect([set, get, keys, delMany].map((call) => call.mock.lastCall)).toEqual([
    ['key', 1, 'voxlane-memory'],
    ['key', 'voxlane-memory'],
    ['voxlane-memory'],
    [['key of ours'], 'voxlane-memory'],
  ]);
});
