/** Measures every stage of a bundled network on our WGSL kernels, in a page or in Node. */
import { cosineDistance } from '../../src/clustering/linearAlgebra';
import { fetchGoldens, readBundle, tensorNamed } from '../../src/compare/files/bundle';
import type { TracedNetwork } from '../../src/compare/kernelRunner';
import { CampplusNet } from '../../src/embedding/campplusNet';
import { GpuCampplus } from '../../src/embedding/gpuCampplus';
import type { GpuContext } from '../../src/gpu/context';
import type { FloatTensor } from '../../src/ort/graph';
import { GpuPyannet } from '../../src/segmentation/gpuPyannet';
import { PyannetNet } from '../../src/segmentation/pyannetNet';
import { loadModel } from '../../src/store/load';
import type { ShippedModel } from '../../src/store/manifest';
import type { FileBase } from '../../src/util/fileBase';
import { differentRows, shareOf } from './errorShare';

/** Differences of the WGSL kernels from two references. */
interface Differences {
  /** From PyTorch, on the golden input. */
  readonly golden: number;
  /** From our WASM kernels. */
  readonly wasm: number;
}

/** The differences of a network, as plain data. */
export interface NetworkErrors {
  /** Greatest difference of each stage, as a share of the spread of its values, by name in the order of computation. */
  readonly stages: readonly (Differences & { readonly name: string })[];
  /** Cosine similarity of the outputs. */
  readonly cosine: Differences;
  /** Number of frames with another class; for an embedding, whether its greatest dimension is another one. */
  readonly otherClasses: Differences;
  /** Number of compared frames; 1 for an embedding. */
  readonly numRows: number;
}

/** A network on both backends. */
interface Opened {
  readonly gpu: TracedNetwork & Pick<GpuPyannet, 'release'>;
  readonly wasm: TracedNetwork;
  /** As in the manifest. */
  readonly stages: readonly { readonly name: string; readonly value: string | null }[];
}

async function openNetwork(id: ShippedModel, gpu: GpuContext, models: FileBase): Promise<Opened> {
  if (id === 'segmentation-3.0') {
    const { manifest, bytes } = await loadModel('segmentation', id, models);
    return { gpu: await GpuPyannet.open(gpu, bytes, manifest), wasm: PyannetNet.open(bytes, manifest), stages: manifest.stages };
  }
  const { manifest, bytes } = await loadModel('embedding', id, models);
  return { gpu: await GpuCampplus.open(gpu, bytes, manifest), wasm: CampplusNet.open(bytes, manifest), stages: manifest.stages };
}

/**
 * Every named value of a network, with the output.
 *
 * @param replaced the values with which the network continues; by default its own
 */
export async function valuesOf(
  network: TracedNetwork,
  input: FloatTensor,
  replaced: (value: FloatTensor) => FloatTensor | undefined = () => undefined,
): Promise<Map<string, FloatTensor>> {
  const values = new Map<string, FloatTensor>();
  const output = await network.trace(input, (name, { data, shape }) => {
    const value = { data: data.slice(), shape };
    values.set(name, value);
    return replaced(value);
  });
  return values.set(network.valueNames.at(-1)!, output);
}

/**
 * Compares every stage inside a network with its golden value and with WASM.
 *
 * @param models folder of the models
 * @param goldens folder of their golden outputs
 */
export async function measureNetwork(id: ShippedModel, gpu: GpuContext, models: FileBase, goldens: FileBase): Promise<NetworkErrors> {
  const bundle = readBundle(await fetchGoldens(id, goldens));
  const input = id === 'segmentation-3.0' ? tensorNamed(bundle.inputs, 'waveform') : tensorNamed(bundle.stages, 'fbank');
  const network = await openNetwork(id, gpu, models);
  const values = await valuesOf(network.gpu, input);
  const expected = await valuesOf(network.wasm, input);
  await network.gpu.release();
  const stages = network.stages.flatMap(({ name, value }) => {
    if (value === null) return [];
    const own = values.get(value)!;
    return [{ name, golden: shareOf(own, tensorNamed(bundle.stages, name)), wasm: shareOf(own, expected.get(value)!) }];
  });
  const outputName = network.gpu.valueNames.at(-1)!;
  const [last, output] = [values.get(outputName)!, expected.get(outputName)!];
  const golden = tensorNamed(bundle.stages, network.stages.at(-1)!.name);
  const against = (measure: (own: FloatTensor, other: FloatTensor) => number): Differences => ({ golden: measure(last, golden), wasm: measure(last, output) });
  return {
    stages,
    cosine: against((own, other) => 1 - cosineDistance(own.data, other.data)),
    otherClasses: against(differentRows),
    numRows: last.data.length / last.shape.at(-1)!,
  };
}
