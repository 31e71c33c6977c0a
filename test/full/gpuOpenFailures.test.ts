/**
 * Networks on our own WGSL kernels whose kernels do not compile, one kernel at a time: nothing that was uploaded may stay on the GPU, because
 * another network runs in its place. The device is a list of buffers, so this needs no adapter.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openGpuKernels, PooledRunner } from '../../src/compare/kernelRunner';
import { GpuCampplus } from '../../src/embedding/gpuCampplus';
import { GpuResnet } from '../../src/embedding/gpuResnet';
import type { GpuContext } from '../../src/gpu/context';
import { graphInfo, parseOnnx } from '../../src/onnx/model';
import { splitAtPooling } from '../../src/onnx/pooled';
import { GpuPyannet } from '../../src/segmentation/gpuPyannet';
import { GpuNetwork } from '../../src/sortformer/gpuNetwork';
import { parseManifest } from '../../src/store/manifest';
import { RESNET34 } from '../resnetGoldens';
import { seededResnet34 } from '../seededModel';
import { seededParts } from '../sortformerNetworkTests';
import { bytesOf, manifestOf } from '../gpu/shippedNetworks';

/** A device that compiles all kernels but one, and whose buffers hold nothing. */
class ListedDevice {
  readonly live = new Set<object>();
  /** Kernels in the order of compilation. */
  readonly labels: string[] = [];
  readonly limits = { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30, minUniformBufferOffsetAlignment: 256, maxComputeWorkgroupStorageSize: 2 ** 15 };
  readonly queue = { writeBuffer: () => undefined, onSubmittedWorkDone: () => Promise.resolve() };

  constructor(private readonly broken: string | null) {}

  createBuffer({ size }: GPUBufferDescriptor): object {
    const buffer = { size, destroy: () => void this.live.delete(buffer) };
    this.live.add(buffer);
    return buffer;
  }

  createBindGroupLayout = (): object => ({});
  createPipelineLayout = (): object => ({});
  createShaderModule = (): object => ({ getCompilationInfo: () => Promise.resolve({ messages: [] }) });
  pushErrorScope = (): void => undefined;
  popErrorScope = (): Promise<null> => Promise.resolve(null);

  createComputePipelineAsync({ label }: GPUComputePipelineDescriptor): Promise<object> {
    this.labels.push(label!);
    return label === this.broken ? Promise.reject(new Error('does not compile')) : Promise.resolve({ label });
  }
}

const contextOf = (device: ListedDevice): GpuContext =>
  ({ device: device as unknown as GPUDevice, adapterName: 'a list', guard: (work) => work() });

beforeEach(() => {
  vi.stubGlobal('GPUBufferUsage', { STORAGE: 1, COPY_SRC: 2, COPY_DST: 4, UNIFORM: 8, MAP_READ: 16 });
  vi.stubGlobal('GPUShaderStage', { COMPUTE: 4 });
});
afterEach(() => { vi.unstubAllGlobals(); });

interface Opened {
  release(): Promise<void>;
}

const segmentation = parseManifest('segmentation', manifestOf('segmentation-3.0'), 'segmentation-3.0');
const campplus = parseManifest('embedding', manifestOf('campplus-zh-en'), 'campplus-zh-en');

const NETWORKS: readonly (readonly [string, () => Promise<(gpu: GpuContext) => Promise<Opened>>])[] = [
  ['PyanNet', () => {
    const bytes = bytesOf('segmentation-3.0');
    return Promise.resolve((gpu) => GpuPyannet.open(gpu, bytes, segmentation));
  }],
  ['CAM++', () => {
    const bytes = bytesOf('campplus-zh-en');
    return Promise.resolve((gpu) => GpuCampplus.open(gpu, bytes, campplus));
  }],
  ['ResNet34', () => {
    const network = splitAtPooling(parseOnnx(seededResnet34('pyannote'), 'pyannote'));
    return Promise.resolve((gpu) => GpuResnet.open(gpu, network, RESNET34.fbank));
  }],
  ['nemotron', async () => {
    const parts = await seededParts(1);
    return (gpu) => GpuNetwork.open(gpu, parts);
  }],
];

test.each(NETWORKS)('%s leaves nothing on the GPU if a kernel does not compile', async (_, prepare) => {
  const open = await prepare();
  const whole = new ListedDevice(null);
  const network = await open(contextOf(whole));
  expect(whole.live.size).toBeGreaterThan(10);
  await network.release();
  expect(whole.live.size).toBe(0);
  for (const label of new Set(whole.labels)) {
    const device = new ListedDevice(label);
    await expect(open(contextOf(device)), label).rejects.toMatchObject({ code: 'backend-failed' });
    // Parts that were opened at the same time end later.
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(device.live.size, label).toBe(0);
  }
});

test('a comparison pools with our own kernels on the map of the runtime, if those of ResNet34 do not compile', async () => {
  const unused = () => Promise.reject(new Error('the runtime was used'));
  const model = parseOnnx(seededResnet34('pyannote'), 'pyannote');
  const runtime = { info: graphInfo(model), inputsOf: () => [], values: unused, release: () => Promise.resolve() };
  expect(await openGpuKernels(model, RESNET34, runtime, contextOf(new ListedDevice('product')))).toBeInstanceOf(PooledRunner);
  // Without kernels for pooling, the runtime computes all.
  expect(await openGpuKernels(model, RESNET34, runtime, contextOf(new ListedDevice('statsPool')))).toBe(runtime);
});
