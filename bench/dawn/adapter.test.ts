import { afterEach, expect, test, vi } from 'vitest';
import { isSoftware } from '../../src/gpu/adapter';
import { isUsable } from '../../src/util/nodeHost';
import { adapterFacts } from './adapter';

afterEach(() => { vi.unstubAllEnvs(); });

const adapterOf = (description: string, isFallbackAdapter = false): GPUAdapter =>
  ({ info: { vendor: 'v', architecture: '', device: '', description, isFallbackAdapter }, features: new Set(['subgroups', 'shader-f16']), limits: { maxBufferSize: 7 } }) as unknown as GPUAdapter;

test.each([
  ['llvmpipe (LLVM 19.1.7, 256 bits)', false, true],
  ['SwiftShader driver 5.0.0', false, true],
  ['a new driver', true, true],
  ['NVIDIA H200', false, false],
])('%s, marked as a fallback adapter: %s, is a software adapter for the benchmark as for the product: %s', (description, isMarked, expected) => {
  vi.stubEnv('VOXLANE_SOFTWARE_GPU', '0');
  const adapter = adapterOf(description, isMarked);
  expect(adapterFacts(adapter).isSoftware).toBe(expected);
  expect(isSoftware(adapter)).toBe(expected);
  // In Node, the product uses it only on request.
  expect(isUsable(adapter)).toBe(!expected);
  vi.stubEnv('VOXLANE_SOFTWARE_GPU', '1');
  expect(isUsable(adapter)).toBe(true);
});

test('the facts have the features in order, and the limits', () => {
  expect(adapterFacts(adapterOf('d'))).toMatchObject({ vendor: 'v', description: 'd', features: ['shader-f16', 'subgroups'], limits: { maxBufferSize: 7 } });
});
