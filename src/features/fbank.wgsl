// Filterbank of many frames: one workgroup of 64 invocations per frame, entirely in workgroup memory.
//
// Matches src/features/fbank.ts and the functions named there, with x the samples of the frame times SAMPLE_SCALE:
//
//   d[i]   = x[i] - mean(x)                                   i in 0 … FRAME_SAMPLES - 1
//   y[i]   = (d[i] - PREEMPHASIS · d[max(i - 1, 0)]) · window[i],   0 up to 511
//   P[k]   = |FFT512(y)[k]|²                                  k in 0 … 255
//   out[m] = log(max(Σ_k weight[m][k] · P[k], 2^-23))
//
// Frame f starts at f · HOP_SAMPLES - LEAD_SAMPLES. Samples before the window of samples are zeros; y is zero after it.
// With a LOG_OFFSET above 0, out[m] = log(Σ_k weight[m][k] · P[k] + LOG_OFFSET).
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | the frames of one dispatch |
// | 1 | samples | (window, sample) f32, nominally in [-1, 1] |
// | 2 | windowFunction | (sample) f32, 512 of them, zeros after FRAME_SAMPLES |
// | 3 | twiddles | (k) vec2f, exp(-2πik/512) for k in 0 … 511 |
// | 4 | filters | (mel) MelFilter |
// | 5 | weights | the filters' weights concatenated, f32 |
// | 6 | features | written: (window, frame, mel) f32, natural logarithm of power |
//
// The 512 real samples are treated as 256 complex ones, z[n] = y[2n] + i·y[2n+1]. Their FFT is four radix-4 Stockham
// passes, in which each invocation computes one butterfly. A last step separates the spectra of even and odd samples.
// WGSL allows an error of 2^-11 for sin and cos, so no angle is computed here.
//
// NaN in the samples results in NaN: its bits are checked, because max() of NaN and the floor is either of them.

override FRAME_SAMPLES: u32;
override HOP_SAMPLES: u32;
override NUM_MEL_BINS: u32;
override PREEMPHASIS: f32;
override SAMPLE_SCALE: f32;
override REMOVE_DC_OFFSET: bool;
// Half of a centered frame; 0 for frames that lie in their window of samples.
override LEAD_SAMPLES: u32;
override LOG_OFFSET: f32;

const LANES = 64u;
const POINTS = 256u;
const PING = 0u;
const PONG = 256u;
const LOG_FLOOR = 0x1p-23f;
// Of the bits of a float32.
const EXPONENT: u32 = 0x7f800000u;

struct Params {
  // Of each window.
  numSamples: u32,
  // Of each window.
  numFrames: u32,
  // Frames are counted across all windows.
  firstFrame: u32,
  endFrame: u32,
  // Workgroups form a rectangle if one row is not enough.
  groupsPerRow: u32,
  // Bindings have an alignment: index of their first element in the whole buffer.
  samplesBase: u32,
  featuresBase: u32,
}

struct MelFilter {
  firstBin: u32,
  numBins: u32,
  firstWeight: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> samples: array<f32>;
@group(0) @binding(2) var<storage, read> windowFunction: array<f32>;
@group(0) @binding(3) var<storage, read> twiddles: array<vec2f>;
@group(0) @binding(4) var<storage, read> filters: array<MelFilter>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> features: array<f32>;

var<workgroup> partialSums: array<f32, LANES>;
var<workgroup> sums: array<f32, 8>;
// Two halves: each pass of the FFT reads one and writes the other.
var<workgroup> points: array<vec2f, 2 * POINTS>;
var<workgroup> power: array<f32, POINTS>;

// Sums over all lanes, in short chains and a fixed order, for small and reproducible rounding errors.
fn sumOverLanes(values: vec4f, lane: u32) -> f32 {
  partialSums[lane] = (values.x + values.y) + (values.z + values.w);
  workgroupBarrier();
  if (lane < 8u) {
    var row = 0f;
    for (var i = 0u; i < 8u; i++) {
      row += partialSums[lane * 8u + i];
    }
    sums[lane] = row;
  }
  workgroupBarrier();
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// A frame, and which of its samples exist.
struct Frame {
  // Index of its first sample in the binding. It wraps around if the frame starts before the binding.
  start: u32,
  first: u32,
  end: u32,
}

fn frameAt(frame: u32) -> Frame {
  let position = (frame % params.numFrames) * HOP_SAMPLES;
  let start = (frame / params.numFrames) * params.numSamples + position - params.samplesBase;
  if (LEAD_SAMPLES == 0u) {
    return Frame(start, 0u, FRAME_SAMPLES);
  }
  let end = min(FRAME_SAMPLES, params.numSamples - position + LEAD_SAMPLES);
  return Frame(start - LEAD_SAMPLES, LEAD_SAMPLES - min(LEAD_SAMPLES, position), end);
}

fn sampleAt(frame: Frame, i: u32) -> f32 {
  // Values after the frame or the buffer must be excluded: 0 · window would not remove an infinity.
  if (i < frame.first || i >= frame.end) {
    return 0f;
  }
  return samples[frame.start + i] * SAMPLE_SCALE;
}

fn windowAt(indices: vec4u) -> vec4f {
  return vec4f(
    windowFunction[indices.x], windowFunction[indices.y], windowFunction[indices.z], windowFunction[indices.w]);
}

fn multiply(a: vec2f, b: vec2f) -> vec2f {
  return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

struct Butterfly {
  a: vec2f,
  b: vec2f,
  c: vec2f,
  d: vec2f,
}

// DFT of four points.
fn butterfly(v: Butterfly) -> Butterfly {
  let sum02 = v.a + v.c;
  let difference02 = v.a - v.c;
  let sum13 = v.b + v.d;
  let difference13 = v.b - v.d;
  // Multiplied by -i.
  let turned = vec2f(difference13.y, -difference13.x);
  return Butterfly(sum02 + sum13, difference02 + turned, sum02 - sum13, difference02 - turned);
}

// `length` points are already transformed; this pass transforms four times as many.
fn twisted(v: Butterfly, lane: u32, length: u32) -> Butterfly {
  let step = (lane % length) * (128u / length);
  return butterfly(Butterfly(
    v.a, multiply(v.b, twiddles[step]), multiply(v.c, twiddles[2u * step]), multiply(v.d, twiddles[3u * step])));
}

// Stockham passes read every 64th point, starting at the lane's index, and write the points in sorted order.
fn readPoints(half: u32, lane: u32) -> Butterfly {
  let first = half + lane;
  return Butterfly(points[first], points[first + LANES], points[first + 2u * LANES], points[first + 3u * LANES]);
}

fn writePoints(half: u32, lane: u32, length: u32, v: Butterfly) {
  let first = half + (lane / length) * length * 4u + lane % length;
  points[first] = v.a;
  points[first + length] = v.b;
  points[first + 2u * length] = v.c;
  points[first + 3u * length] = v.d;
}

// Power of bin `k` of the 512 real samples, from the FFT of the 256 complex ones.
fn powerOf(k: u32) -> f32 {
  let z = points[PONG + k];
  let mirrored = points[PONG + (POINTS - k) % POINTS] * vec2f(1f, -1f);
  let even = 0.5f * (z + mirrored);
  let odd = multiply(0.5f * (z - mirrored), twiddles[k]);
  // even - i·odd
  let value = even + vec2f(odd.y, -odd.x);
  return dot(value, value);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let frame = params.firstFrame + group.y * params.groupsPerRow + group.x;
  if (frame >= params.endFrame) {
    return;
  }
  let own = frameAt(frame);

  // Each invocation keeps the four complex points of its first butterfly, and the sample before each, in registers.
  let evenAt = 2u * (vec4u(lane) + vec4u(0u, 64u, 128u, 192u));
  let oddAt = evenAt + 1u;
  // The frame's first sample is its own predecessor.
  let beforeAt = max(evenAt, vec4u(1u)) - 1u;
  var even = vec4f(
    sampleAt(own, evenAt.x), sampleAt(own, evenAt.y), sampleAt(own, evenAt.z), sampleAt(own, evenAt.w));
  var odd = vec4f(sampleAt(own, oddAt.x), sampleAt(own, oddAt.y), sampleAt(own, oddAt.z), sampleAt(own, oddAt.w));
  var before = vec4f(
    sampleAt(own, beforeAt.x), sampleAt(own, beforeAt.y), sampleAt(own, beforeAt.z), sampleAt(own, beforeAt.w));

  if (REMOVE_DC_OFFSET) {
    let zero = vec4f();
    let evenInside = evenAt < vec4u(FRAME_SAMPLES);
    let oddInside = oddAt < vec4u(FRAME_SAMPLES);
    // Twice: the second mean is the rounding error of the first, which would exceed the floor at 16-bit scale. (A
    // compensated sum would also work, but fast math in a compiler can remove the compensation.)
    for (var round = 0u; round < 2u; round++) {
      let inside = select(zero, even, evenInside) + select(zero, odd, oddInside);
      let mean = sumOverLanes(inside, lane) / f32(FRAME_SAMPLES);
      even -= mean;
      odd -= mean;
      before -= mean;
    }
  }
  var real = (even - PREEMPHASIS * before) * windowAt(evenAt);
  var imaginary = (odd - PREEMPHASIS * even) * windowAt(oddAt);
  if (LEAD_SAMPLES > 0u) {
    // The pre-emphasis reduces the first sample after the end by the last one.
    real = select(vec4f(), real, evenAt < vec4u(own.end));
    imaginary = select(vec4f(), imaginary, oddAt < vec4u(own.end));
  }

  writePoints(PING, lane, 1u, butterfly(Butterfly(
    vec2f(real.x, imaginary.x), vec2f(real.y, imaginary.y), vec2f(real.z, imaginary.z), vec2f(real.w, imaginary.w))));
  workgroupBarrier();
  writePoints(PONG, lane, 4u, twisted(readPoints(PING, lane), lane, 4u));
  workgroupBarrier();
  writePoints(PING, lane, 16u, twisted(readPoints(PONG, lane), lane, 16u));
  workgroupBarrier();
  writePoints(PONG, lane, 64u, twisted(readPoints(PING, lane), lane, 64u));
  workgroupBarrier();
  for (var k = lane; k < POINTS; k += LANES) {
    power[k] = powerOf(k);
  }
  workgroupBarrier();

  let row = frame * NUM_MEL_BINS - params.featuresBase;
  for (var mel = lane; mel < NUM_MEL_BINS; mel += LANES) {
    let melFilter = filters[mel];
    var energy = 0f;
    for (var i = 0u; i < melFilter.numBins; i++) {
      energy += weights[melFilter.firstWeight + i] * power[melFilter.firstBin + i];
    }
    let isBroken = (bitcast<u32>(energy) & EXPONENT) == EXPONENT;
    let guarded = select(max(energy, LOG_FLOOR), energy + LOG_OFFSET, LOG_OFFSET > 0f);
    features[row + mel] = select(log(guarded), energy, isBroken);
  }
}
