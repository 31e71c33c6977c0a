import { expect, test } from 'vitest';
import { adapterName, isSoftware, missingLimit } from './adapter';

const adapter = (info: Partial<GPUAdapterInfo>, limits: Partial<GPUSupportedLimits> = {}) =>
  ({
    info: { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false, ...info },
    limits: {
      maxStorageBufferBindingSize: 2 ** 27,
      maxComputeWorkgroupStorageSize: 16384,
      maxComputeInvocationsPerWorkgroup: 256,
      maxStorageBuffersPerShaderStage: 8,
      ...limits,
    },
  }) as GPUAdapter;

test('the name of an adapter comes from the information of the browser', () => {
  expect(adapterName(adapter({ vendor: 'nvidia', architecture: 'hopper' }))).toBe('nvidia, hopper');
  expect(adapterName(adapter({ description: 'Apple M3', vendor: 'apple' }))).toBe('Apple M3, apple');
  expect(adapterName(adapter({}))).toBe('unnamed adapter');
});

test('an adapter that computes on the processor is recognized by its mark or its name', () => {
  const named = ['Google SwiftShader', 'llvmpipe (LLVM 19.1.7, 256 bits)', 'Microsoft Basic Render Driver', 'NVIDIA H200', 'Apple M3'];
  expect(named.map((description) => isSoftware(adapter({ description })))).toEqual([true, true, true, false, false]);
  expect(isSoftware(adapter({ description: 'a GPU', isFallbackAdapter: true }))).toBe(true);
});

test("WebGPU's guaranteed limits are enough; a lower limit is reported with both numbers", () => {
  expect(missingLimit(adapter({}))).toBeNull();
  expect(missingLimit(adapter({}, { maxComputeInvocationsPerWorkgroup: 128 }))).toBe(
    'maxComputeInvocationsPerWorkgroup is 128, but at least 256 is required',
  );
});
