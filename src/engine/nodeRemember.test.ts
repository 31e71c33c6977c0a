import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { forget, recall, remember } from './nodeRemember';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  process.env.VOXLANE_CACHE = folder;
});

afterEach(() => {
  delete process.env.VOXLANE_CACHE;
  rmSync(folder, { recursive: true, force: true });
});

it('values are remembered by key, ignored if they are damaged, and forgotten by prefix', async () => {
  const isNumber = (value: unknown): value is number => typeof value === 'number';
  await remember('verdict a', 1);
  await remember('other', 2);
  expect(await recall('verdict a', isNumber)).toBe(1);
  for (const name of readdirSync(join(folder, 'memory'))) writeFileSync(join(folder, 'memory', name), '{');
  expect(await recall('verdict a', isNumber)).toBeNull();
  await remember('verdict a', 3);
  await remember('other', 2);
  await forget('verdict');
  expect(await recall('verdict a', isNumber)).toBeNull();
  expect(await recall('other', isNumber)).toBe(2);
});
