/** The WGSL kernels of networks with arrays in place of buffers, for {@link networkKernelTests}. */
import { GpuGates } from '../../src/embedding/gpuGates';
import { GpuGatherBatch, JOB_VALUES, packJobs } from '../../src/embedding/gpuGatherBatch';
import { uploadBuffer } from '../../src/gpu/buffers';
import { ChannelStats } from '../../src/gpu/channelStats';
import { type GpuContext, readBack } from '../../src/gpu/context';
import { MapGuard, numGroupsOf } from '../../src/gpu/mapGuard';
import { ProductKernels, uploadWeights } from '../../src/gpu/product';
import { Program } from '../../src/gpu/program';
import { GpuLstm } from '../../src/segmentation/gpuLstm';
import { GpuScores } from '../../src/segmentation/gpuScores';
import { UNTOUCHED, type NetworkKernels } from '../kernels/networkKernelTests';

/**
 * Runs each kernel by itself. Buffers are freed with the device.
 *
 * @param hasWideTiles whether products have the tiles of software adapters instead of those of GPUs
 */
export function gpuKernels(gpu: GpuContext, hasWideTiles: boolean): NetworkKernels {
  const { device } = gpu;
  const products = new ProductKernels(device, hasWideTiles);
  const program = new Program(device, 'test', 1);
  const upload = (values: Float32Array | Uint32Array): GPUBuffer => uploadBuffer(device, 'test', values as Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>);
  const uploadIf = (values: Float32Array | Uint32Array | undefined): GPUBuffer | undefined => values && upload(values);
  /** Runs what `add` adds, and copies the buffer `out` back. */
  const run = (add: () => void, out: GPUBuffer, length: number): Promise<Float32Array> =>
    gpu.guard(() => {
      program.clear();
      add();
      program.upload();
      return readBack(device, out, 4 * length, (encoder) => { program.encode(encoder); });
    });
  return {
    async product(packed, { input, out, factors, gates, table, survey, ...step }) {
      await products.open(packed);
      const weights = uploadWeights(device, 'test', packed);
      const buffer = upload(out);
      const surveyed = survey && { ...survey, found: upload(survey.found) };
      const buffers = { input: upload(input), out: buffer, factors: uploadIf(factors), gates: uploadIf(gates), table: uploadIf(table), survey: surveyed };
      out.set(await run(() => { products.add(program, weights, { ...step, ...buffers }); }, buffer, out.length));
      if (!survey || !surveyed) return;
      const found = await gpu.guard(() => readBack(device, surveyed.found, survey.found.byteLength));
      survey.found.set(new Uint32Array(found.buffer));
    },
    async stats(kind, { values, items, norm, out, ...step }) {
      const stats = await ChannelStats.open(device, kind, step.numChannels);
      const buffer = upload(out);
      const buffers = { values: upload(values), items: upload(items), norm: uploadIf(norm), out: buffer };
      out.set(await run(() => { stats.add(program, { ...step, ...buffers }); }, buffer, out.length));
    },
    async lstm({ inputs, weights, out, ...step }) {
      const lstm = await GpuLstm.open(device, step.numUnits);
      const buffer = upload(out);
      out.set(await run(() => { lstm.add(program, { ...step, inputs: upload(inputs), weights: upload(weights), out: buffer }); }, buffer, out.length));
    },
    async scores(packed, input) {
      const scores = await GpuScores.open(device, packed, upload);
      const numRows = input.length / packed.numInputs;
      const out = upload(new Float32Array(numRows * packed.numClasses));
      return run(() => { scores.add(program, { input: upload(input), numRows, out }); }, out, numRows * packed.numClasses);
    },
    async gates(packed, { hidden, items, segmentRows, numGateRows }) {
      const gates = await GpuGates.open(device, packed);
      const out = upload(new Float32Array(numGateRows * packed.numGates));
      const step = {
        hidden: upload(hidden),
        items: upload(items),
        numItems: items.length / 4,
        segmentRows,
        first: upload(packed.first),
        second: upload(packed.second),
        sums: upload(new Float32Array(numGateRows * packed.numChannels)),
        gates: out,
      };
      return run(() => { gates.add(program, step); }, out, numGateRows * packed.numGates);
    },
    async gather({ features, ...source }, places, numRows) {
      const gather = await GpuGatherBatch.open(device);
      const jobs = new Uint32Array(places.length * JOB_VALUES);
      const used = new Uint32Array(places.reduce((sum, place) => sum + place.used.length, 0));
      packJobs(places, jobs, used);
      const length = numRows * (source.numMelBins + (source.paddingColumns ?? 2));
      const out = upload(new Float32Array(length).fill(UNTOUCHED));
      const buffers = { jobs: upload(jobs), used: upload(used), numJobs: places.length };
      return run(() => { gather.add(program, { ...source, features: upload(features), out }, buffers); }, out, length);
    },
    async guard(steps, result) {
      const guard = await MapGuard.open(device);
      guard.layOut(steps.reduce((sum, step) => sum + step.numItems * numGroupsOf(step), 0));
      const out = upload(result);
      const several = new Program(device, 'test', steps.length + 1);
      for (const { map, rows, ...step } of steps) {
        const onGpu = 'perItem' in rows ? rows : { ...rows, items: upload(rows.items) };
        guard.add(several, { ...step, map: upload(map), rows: onGpu });
      }
      guard.addMark(several, out, result.length);
      several.upload();
      const values = await gpu.guard(() => readBack(device, out, 4 * result.length, (encoder) => {
        guard.reset(encoder);
        several.encode(encoder);
      }));
      guard.free();
      several.destroy();
      return values;
    },
  };
}
