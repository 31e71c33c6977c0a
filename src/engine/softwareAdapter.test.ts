/** In Node, adapters that compute on the processor are not used. */
import { afterEach, expect, test, vi } from 'vitest';
import { planBackend } from './backend';

vi.mock(import('../util/host'), async (original) => {
  const { HOST, isUsable } = await import('../util/nodeHost');
  return { ...(await original()), HOST: HOST as never, isUsable };
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

function withAdapter(description: string | null): void {
  vi.stubEnv('VOXLANE_SOFTWARE_GPU', '0');
  const adapter = description === null ? null : { info: { vendor: 'v', architecture: '', device: '', description, isFallbackAdapter: false }, limits: {} };
  vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) }, userAgent: 'test', hardwareConcurrency: 2 });
}

test('the reason names the adapter that is not used', async () => {
  withAdapter('llvmpipe (LLVM 15)');
  const reason = 'Node has only a WebGPU adapter that computes on the processor (llvmpipe (LLVM 15), v), slower than WASM';
  expect(await planBackend('auto', 1)).toMatchObject({ name: 'wasm', reason });
  await expect(planBackend('webgpu', 1)).rejects.toMatchObject({ code: 'backend-unavailable', problem: `WebGPU was requested, but ${reason}` });
});

test('without any adapter, the reason says so', async () => {
  withAdapter(null);
  expect(await planBackend('auto', 1)).toMatchObject({ name: 'wasm', reason: 'Node has no WebGPU adapter' });
});
