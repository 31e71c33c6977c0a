import { VoxlaneError } from '../util/errors';
import type { FbankGeometry } from './options';

/** What a device allows in one dispatch; by default a device's own limits. */
export interface DispatchLimits {
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxStorageBufferBindingSize: number;
  readonly minStorageBufferOffsetAlignment: number;
}

/** The windows of one call. */
export interface FbankShape {
  readonly numWindows: number;
  /** Of each window. */
  readonly numSamples: number;
  /** Of each window. */
  readonly numFrames: number;
  readonly numMelBins: number;
}

/** A part of a buffer of 32-bit values, in bytes. */
export interface Part {
  readonly offset: number;
  readonly size: number;
}

/** The frames [firstFrame, endFrame), counted through all windows, as a dispatch of one workgroup per frame. */
export interface PlannedDispatch {
  readonly firstFrame: number;
  readonly endFrame: number;
  readonly groupsPerRow: number;
  readonly rows: number;
  /** The samples that these frames read. */
  readonly samples: Part;
  /** The features that these frames write. */
  readonly features: Part;
}

/**
 * The fewest dispatches that compute all frames within a device's limits: one, wherever bindings are large enough.
 *
 * @throws VoxlaneError `backend-failed` where a single frame is too much
 */
export function planDispatches(shape: FbankShape, geometry: FbankGeometry, limits: DispatchLimits): PlannedDispatch[] {
  const total = shape.numWindows * shape.numFrames;
  const dispatches: PlannedDispatch[] = [];
  for (let firstFrame = 0; firstFrame < total; firstFrame = dispatches.at(-1)!.endFrame) {
    dispatches.push(largestFrom(firstFrame, total, shape, geometry, limits));
  }
  return dispatches;
}

/** The longest run of frames from `firstFrame` on that fits, found by bisection. */
function largestFrom(
  firstFrame: number,
  total: number,
  shape: FbankShape,
  geometry: FbankGeometry,
  limits: DispatchLimits,
): PlannedDispatch {
  const make = (endFrame: number) => dispatchOf(firstFrame, endFrame, shape, geometry, limits);
  const fits = ({ samples, features, rows }: PlannedDispatch) =>
    Math.max(samples.size, features.size) <= limits.maxStorageBufferBindingSize &&
    rows <= limits.maxComputeWorkgroupsPerDimension;
  const whole = make(total);
  if (fits(whole)) return whole;
  let fitting = firstFrame;
  let tooFar = total;
  while (tooFar - fitting > 1) {
    const middle = Math.floor((fitting + tooFar) / 2);
    if (fits(make(middle))) fitting = middle;
    else tooFar = middle;
  }
  if (fitting === firstFrame) {
    throw new VoxlaneError({
      code: 'backend-failed',
      problem: `The GPU binds no more than ${limits.maxStorageBufferBindingSize} bytes, which is less than one frame needs`,
      remedy: "Use the backend 'wasm'",
    });
  }
  return make(fitting);
}

function dispatchOf(
  firstFrame: number,
  endFrame: number,
  { numSamples, numFrames, numMelBins }: FbankShape,
  { frameSamples, hopSamples }: FbankGeometry,
  limits: DispatchLimits,
): PlannedDispatch {
  const startOf = (frame: number) => Math.floor(frame / numFrames) * numSamples + (frame % numFrames) * hopSamples;
  const count = endFrame - firstFrame;
  const groupsPerRow = Math.min(count, limits.maxComputeWorkgroupsPerDimension);
  return {
    firstFrame,
    endFrame,
    groupsPerRow,
    rows: Math.ceil(count / groupsPerRow),
    samples: partOf(startOf(firstFrame), startOf(endFrame - 1) + frameSamples, limits),
    features: partOf(firstFrame * numMelBins, endFrame * numMelBins, limits),
  };
}

/** Elements [first, end) of 32-bit values as a binding, which may have to begin somewhat before them. */
function partOf(first: number, end: number, { minStorageBufferOffsetAlignment: alignment }: DispatchLimits): Part {
  const offset = Math.floor((4 * first) / alignment) * alignment;
  return { offset, size: 4 * end - offset };
}
