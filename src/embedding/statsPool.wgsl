// Weighted statistics of the maps of a batch of windows, for all masks of all windows in one dispatch.
//
// Matches statsPool in statsPool.ts. For each mask m of window w:
//
//   mean[m][c] = Σ_f weight[m][f] · map[w][c][f] / meanDivisor[m]
//   deviation[m][c] = √(Σ_f weight[m][f] · (map[w][c][f] - mean[m][c])² / varianceDivisor[m])
//   map[w][c][f] = map[base + w · windowStride + f · frameStride + (c / inner) · outerStride + (c % inner) · innerStride]
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params, in the order of gpuStatsPool.ts |
// | 1 | map | any layout, f32 |
// | 2 | masks | (mask, value) f32: 1 / meanDivisor, 1 / varianceDivisor, the window, then the weight of each frame |
// | 3 | statistics | written: (mask, statistic) f32, the means of all channels, then their deviations |
//
// One workgroup per mask and 8 channels. Its 16 columns of invocations process the frames of a channel in parallel. The
// deviation needs a second pass over the frames: for a large mean, a difference of squares would lose the precision of
// float32.

const CHANNELS = 8u;
const LANES = 16u;
const HEADER = 3u;

struct Params {
  numChannels: u32,
  numFrames: u32,
  base: u32,
  windowStride: u32,
  frameStride: u32,
  inner: u32,
  outerStride: u32,
  innerStride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> map: array<f32>;
@group(0) @binding(2) var<storage, read> masks: array<f32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<f32>;

var<workgroup> sums: array<f32, CHANNELS * LANES>;

// Sums over the lanes of a channel and returns the sum to all of them.
fn sumLanes(place: vec3u, value: f32) -> f32 {
  // Other invocations may still be reading the previous sums.
  workgroupBarrier();
  sums[place.y * LANES + place.x] = value;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (place.x < half) {
      sums[place.y * LANES + place.x] += sums[place.y * LANES + place.x + half];
    }
  }
  workgroupBarrier();
  return sums[place.y * LANES];
}

@compute @workgroup_size(LANES, CHANNELS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) place: vec3u) {
  let channel = group.x * CHANNELS + place.y;
  let exists = channel < params.numChannels;
  let header = group.y * (HEADER + params.numFrames);
  let outer = channel / params.inner;
  let first = params.base + u32(masks[header + 2u]) * params.windowStride
    + outer * params.outerStride + (channel - outer * params.inner) * params.innerStride;
  var sum = 0f;
  if (exists) {
    for (var frame = place.x; frame < params.numFrames; frame += LANES) {
      sum += masks[header + HEADER + frame] * map[first + frame * params.frameStride];
    }
  }
  let mean = sumLanes(place, sum) * masks[header];
  var squares = 0f;
  if (exists) {
    for (var frame = place.x; frame < params.numFrames; frame += LANES) {
      let centered = map[first + frame * params.frameStride] - mean;
      squares += masks[header + HEADER + frame] * centered * centered;
    }
  }
  let variance = sumLanes(place, squares) * masks[header + 1u];
  if (exists && place.x == 0u) {
    let row = group.y * 2u * params.numChannels;
    statistics[row + channel] = mean;
    statistics[row + params.numChannels + channel] = sqrt(variance);
  }
}
