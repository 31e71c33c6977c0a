import { beforeEach, expect, test, vi } from 'vitest';

const state = vi.hoisted(() => ({ missing: null as string | null, hasBrowser: true }));
vi.mock('./nodeEngine', () => ({ loadNodeCommands: () => Promise.resolve({ missingForGpu: () => Promise.resolve(state.missing) }) }));
vi.mock('./place', () => ({
  get HAS_BROWSER() {
    return state.hasBrowser;
  },
  OTHER_GPU: 'use another place',
}));
const { chooseEngine } = await import('./engineChoice');

beforeEach(() => { Object.assign(state, { missing: null, hasBrowser: true }); });

test('Node is the default; for WebGPU only if it has an adapter', async () => {
  expect(await chooseEngine(undefined, false)).toBe('node');
  expect(await chooseEngine('browser', false)).toBe('browser');
  expect(await chooseEngine(undefined, true)).toBe('node');
  state.missing = 'adapter';
  expect(await chooseEngine(undefined, true)).toBe('browser');
  expect(await chooseEngine('browser', true)).toBe('browser');
  await expect(chooseEngine('node', true)).rejects.toThrow(/^WebGPU is not available in Node: there is no hardware adapter\. .*, or use another place$/);
});

test('without a browser, the missing part is an error', async () => {
  Object.assign(state, { missing: 'package', hasBrowser: false });
  await expect(chooseEngine(undefined, true)).rejects.toThrow('the package webgpu is missing. Install it with "npm install webgpu", or use another place');
  await expect(chooseEngine('browser', false)).rejects.toThrow('--engine browser needs a clone of the repository. Use --engine node, the default');
});
