/** How a graph uses ONNX Runtime and a GPU, with a runtime and a device whose results the test chooses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GpuContext } from '../gpu/context';
import { type FloatTensor, openGraph } from './graph';

const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
const runtimeBase = pathToFileURL(`${folder}/`).href;
/** A runtime in the form of the real one. Its session calls `fake.run` of the test. */
const RUNTIME = `
export const fake = { run: null, created: [], released: 0 };
export const env = { wasm: {}, versions: { common: '1.2.3' } };
export class Tensor {
  constructor(type, data, dims) { Object.assign(this, { type, data, dims }); }
  static fromGpuBuffer(gpuBuffer, { dataType, dims }) { return Object.assign(new Tensor(dataType, null, dims), { gpuBuffer }); }
}
export const InferenceSession = {
  async create(bytes, options) {
    if (bytes.length === 0) throw new Error("No Op registered for Swish with domain_version of 24");
    fake.created.push(options);
    return { run: (feeds) => fake.run(feeds), release: async () => { fake.released++; } };
  },
};
`;
interface FakeRuntime {
  readonly fake: { run: (feeds: Record<string, unknown>) => Promise<Record<string, unknown>>; created: Record<string, unknown>[]; released: number };
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: { mjs: string; wasm: string } } };
}
let wasm: FakeRuntime;
let webgpu: FakeRuntime;

const globals = globalThis as unknown as Record<string, unknown>;
beforeAll(async () => {
  for (const name of ['ort.wasm.min.mjs', 'ort.webgpu.min.mjs']) writeFileSync(join(folder, name), RUNTIME);
  wasm = (await import(/* @vite-ignore */ `${runtimeBase}ort.wasm.min.mjs`)) as FakeRuntime;
  webgpu = (await import(/* @vite-ignore */ `${runtimeBase}ort.webgpu.min.mjs`)) as FakeRuntime;
  Object.assign(globals, { GPUBufferUsage: { MAP_READ: 1, COPY_DST: 8 }, GPUMapMode: { READ: 1 } });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  delete globals.GPUBufferUsage;
  delete globals.GPUMapMode;
});
beforeEach(() => {
  wasm.fake.created = [];
  webgpu.fake.created = [];
  webgpu.fake.released = 0;
});

const spec = (name: string) => ({ name, axes: [], dtype: 'float32' }) as never;
const TENSORS = { input: spec('x'), output: spec('y') };
const BYTES = Uint8Array.of(1);
const INPUT: FloatTensor = { data: Float32Array.of(1, 2), shape: [1, 2] };

describe('on WASM', () => {
  const open = (bytes = BYTES) => openGraph(bytes, TENSORS, { runtimeBase, threads: 3, gpu: null });

  it('passes the input by name, and returns the named output with its shape', async () => {
    const graph = await open();
    expect(wasm.env.wasm).toMatchObject({ numThreads: 3, wasmPaths: { wasm: `${runtimeBase}ort-wasm-simd-threaded.wasm` } });
    wasm.fake.run = (feeds) => {
      expect(feeds).toMatchObject({ x: { type: 'float32', data: INPUT.data, dims: [1, 2] } });
      return Promise.resolve({ z: {}, y: { type: 'float32', data: Float32Array.of(3, 0), dims: [2, 1] } });
    };
    expect(await graph.run(INPUT)).toEqual({ data: Float32Array.of(3, 0), shape: [2, 1] });
    await expect(graph.run({ buffer: {} as GPUBuffer, shape: [2] })).rejects.toMatchObject({ code: 'backend-failed' });
  });

  it.each([
    ['NaN', 'model-output', { y: { type: 'float32', data: Float32Array.of(1, NaN), dims: [2] } }],
    ['only zeros', 'model-output', { y: { type: 'float32', data: new Float32Array(2), dims: [2] } }],
    ['another name', 'model-invalid', { z: { type: 'float32', data: Float32Array.of(1), dims: [1] } }],
    ['another type', 'model-invalid', { y: { type: 'int64', data: new BigInt64Array(1), dims: [1] } }],
  ])('refuses an output with %s', async (_what, code, results) => {
    const graph = await open();
    wasm.fake.run = () => Promise.resolve(results);
    await expect(graph.run(INPUT)).rejects.toMatchObject({ code });
  });

  it('names the reason of a failure, and what to do', async () => {
    const graph = await open();
    wasm.fake.run = () => Promise.reject(new Error('std::bad_alloc'));
    await expect(graph.run(INPUT)).rejects.toMatchObject({ code: 'backend-failed', problem: 'The WASM backend failed: there is not enough memory', remedy: expect.stringContaining('fewer threads') as string });
    await expect(open(new Uint8Array(0))).rejects.toMatchObject({ code: 'backend-failed', problem: 'The WASM backend failed: it has no operator Swish in version 24' });
    await expect(openGraph(BYTES, TENSORS, { runtimeBase: `${runtimeBase}elsewhere/`, threads: 1, gpu: null })).rejects.toMatchObject({ code: 'model-missing' });
  });
});

describe('on WebGPU', () => {
  /** Sources of copies to the CPU. */
  let copied: unknown[];
  /** Values of the buffers. */
  type Buffer = GPUBuffer & { readonly values: Float32Array };
  const bufferOf = (...values: number[]): Buffer => ({ values: Float32Array.from(values) }) as unknown as Buffer;
  const device = {
    createBuffer: () => ({ mapAsync: () => Promise.resolve(), getMappedRange: () => (copied.at(-1) as Buffer).values.buffer, destroy: () => undefined }),
    createCommandEncoder: () => ({ copyBufferToBuffer: (from: unknown) => copied.push(from), finish: () => undefined }),
    queue: { submit: () => undefined },
  } as unknown as GPUDevice;
  const gpu: GpuContext = { device, adapterName: 'a test', guard: (work) => work() };
  const open = (bytes = BYTES) => openGraph(bytes, TENSORS, { runtimeBase, threads: 3, gpu });
  let disposed: string[];
  const outputOf = (name: string, gpuBuffer: Buffer) => ({ type: 'float32', gpuBuffer, dims: [1, 2], dispose: () => disposed.push(name) });

  beforeEach(() => { [copied, disposed] = [[], []]; });

  it('runs on the given device with one thread, and leaves outputs on the GPU', async () => {
    const graph = await open();
    expect(webgpu.env.wasm.numThreads).toBe(1);
    expect(webgpu.fake.created).toEqual([{ executionProviders: [{ name: 'webgpu', device }], preferredOutputLocation: 'gpu-buffer' }]);
    await graph.release();
    expect(webgpu.fake.released).toBe(1);
  });

  it('reads the output once, after commands on it, and frees all outputs', async () => {
    const graph = await open();
    const [input, output] = [bufferOf(9, 9), bufferOf(4, 5)];
    webgpu.fake.run = (feeds) => {
      expect(feeds).toMatchObject({ x: { gpuBuffer: input, dims: [1, 2], data: null } });
      return Promise.resolve({ y: outputOf('y', output), other: outputOf('other', bufferOf(1)) });
    };
    const commands: unknown[] = [];
    expect(await graph.run({ buffer: input, shape: [1, 2] }, (_encoder, buffer, bytes) => commands.push([buffer, bytes, copied.length]))).toEqual({ data: Float32Array.of(4, 5), shape: [1, 2] });
    expect(commands).toEqual([[output, 8, 0]]);
    expect(copied).toEqual([output]);
    expect(disposed).toEqual(['y', 'other']);
  });

  it('reads another tensor instead, which the commands compute', async () => {
    const graph = await open();
    const pooled = bufferOf(7);
    webgpu.fake.run = () => Promise.resolve({ y: outputOf('y', bufferOf(4, 5)) });
    expect(await graph.run(INPUT, () => undefined, { buffer: pooled, shape: [1] })).toEqual({ data: Float32Array.of(7), shape: [1] });
    expect(copied).toEqual([pooled]);
  });

  it('frees the outputs of a wrong result, and distinguishes a lack of memory', async () => {
    const graph = await open();
    webgpu.fake.run = () => Promise.resolve({ y: outputOf('y', bufferOf(NaN, 1)) });
    await expect(graph.run(INPUT)).rejects.toMatchObject({ code: 'gpu-wrong' });
    expect(disposed).toEqual(['y']);
    webgpu.fake.run = () => Promise.reject(new Error('failed to allocate a buffer'));
    await expect(graph.run(INPUT)).rejects.toMatchObject({ code: 'gpu-memory' });
    webgpu.fake.run = () => Promise.reject(new Error('unknown'));
    await expect(graph.run(INPUT)).rejects.toMatchObject({ code: 'backend-failed', problem: 'The WebGPU backend failed', remedy: expect.stringContaining('wasm') as string });
    await expect(open(new Uint8Array(0))).rejects.toMatchObject({ code: 'backend-failed', problem: expect.stringContaining('Swish') as string });
  });
});
