import { floatBits, type Kernel, openKernel, type Program } from '../gpu/program';
import code from './attention.wgsl?raw';

/** Channels of a head, and queries of a workgroup, as in the kernel. */
export const HEAD_SIZE = 64;
const QUERIES = 16;
const HALF = HEAD_SIZE / 2;

/** Attention over one sequence, with buffers of a kind: arrays on the CPU, GPU buffers on the GPU. */
export interface AttentionStep<Floats> {
  /** Axes (frame, [query, key, value], head, channel), before rotation. */
  readonly projections: Floats;
  /** Axes (frame, [cos, sin], half of the channels of a head), for at least `numFrames` frames. */
  readonly rotation: Floats;
  readonly numFrames: number;
  /** Frames to attend to, at least 1. The others are at the end. */
  readonly numKeys: number;
  readonly numHeads: number;
  /** Factor of the scores. */
  readonly scale: number;
  /** Written: axes (frame, head, channel). */
  readonly out: Floats;
}

/**
 * Puts the tables of the rotary embedding in the layout of the kernel.
 *
 * @param cos axes (frame, half of the channels of a head)
 * @param sin like `cos`
 * @returns axes (frame, [cos, sin], half of the channels of a head)
 */
export function packRotation(cos: Float32Array, sin: Float32Array): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(2 * cos.length);
  for (let frame = 0; frame * HALF < cos.length; frame++) {
    packed.set(cos.subarray(frame * HALF, (frame + 1) * HALF), 2 * frame * HALF);
    packed.set(sin.subarray(frame * HALF, (frame + 1) * HALF), (2 * frame + 1) * HALF);
  }
  return packed;
}

/** Computes attention on the CPU: the reference for the kernel. attention.wgsl has the formula. */
export function computeAttention({ projections, rotation, numFrames, numKeys, numHeads, scale, out }: AttentionStep<Float32Array>): void {
  const part = (frame: number, index: number, head: number): Float32Array => {
    const place = ((frame * 3 + index) * numHeads + head) * HEAD_SIZE;
    return projections.subarray(place, place + HEAD_SIZE);
  };
  const rotated = (frame: number, index: number, head: number): Float64Array => {
    const own = part(frame, index, head);
    return Float64Array.from(own, (value, channel) => {
      const cos = rotation[frame * HEAD_SIZE + (channel % HALF)]!;
      const sin = rotation[frame * HEAD_SIZE + HALF + (channel % HALF)]!;
      return value * cos + (channel < HALF ? -own[channel + HALF]! : own[channel - HALF]!) * sin;
    });
  };
  for (let head = 0; head < numHeads; head++) {
    const keys = Array.from({ length: numKeys }, (_, frame) => rotated(frame, 1, head));
    for (let frame = 0; frame < numFrames; frame++) {
      const query = rotated(frame, 0, head);
      const scores = keys.map((key) => scale * key.reduce((sum, value, channel) => sum + value * query[channel]!, 0));
      const greatest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - greatest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const means = new Float64Array(HEAD_SIZE);
      for (const [key, weight] of weights.entries()) {
        for (const [channel, value] of part(key, 2, head).entries()) means[channel]! += (weight / total) * value;
      }
      out.set(means, (frame * numHeads + head) * HEAD_SIZE);
    }
  }
}

/** The kernel for any number of heads. */
export class GpuAttention {
  private constructor(private readonly kernel: Kernel) {}

  /** @throws VoxlaneError `backend-failed` if the kernel does not compile */
  static async open(device: GPUDevice): Promise<GpuAttention> {
    const read = 'read-only-storage';
    return new GpuAttention(await openKernel(device, { label: 'attention', code, buffers: [read, read, 'storage'] }));
  }

  /** Adds one dispatch to a program, for all frames and heads. */
  add(program: Program, { projections, rotation, numFrames, numKeys, numHeads, scale, out }: AttentionStep<GPUBuffer>): void {
    const parameters = [numFrames, numKeys, numHeads, floatBits(scale), HEAD_SIZE / 4];
    program.add(this.kernel, [projections, rotation, out], parameters, [Math.ceil(numFrames / QUERIES), numHeads]);
  }
}
