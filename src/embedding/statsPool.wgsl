// Weighted statistics of one window's map, for all masks of the window in one dispatch.
//
// Matches statsPool in statsPool.ts:
//
//   mean[m][c] = Σ_f w[m][f] · map[c][f] / meanDivisor[m]
//   deviation[m][c] = √(Σ_f w[m][f] · (map[c][f] - mean[m][c])² / varianceDivisor[m])
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | map | (channel, frame) f32 |
// | 1 | masks | (mask, value) f32: 1 / meanDivisor, 1 / varianceDivisor, then the weight of each frame |
// | 2 | statistics | written: (mask, statistic) f32, the means of all channels, then their deviations |
//
// One workgroup per mask and 8 channels. Its 16 columns of invocations process the frames of a channel in parallel,
// so adjacent invocations read adjacent frames. The deviation needs a second pass over the frames: for a large mean,
// a difference of squares would lose the precision of float32.

override NUM_CHANNELS: u32;

const CHANNELS = 8u;
const LANES = 16u;
const HEADER = 2u;

@group(0) @binding(0) var<storage, read> map: array<f32>;
@group(0) @binding(1) var<storage, read> masks: array<f32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<f32>;

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
  let numFrames = arrayLength(&map) / NUM_CHANNELS;
  let channel = group.x * CHANNELS + place.y;
  let exists = channel < NUM_CHANNELS;
  let first = channel * numFrames;
  let header = group.y * (HEADER + numFrames);
  var sum = 0f;
  if (exists) {
    for (var frame = place.x; frame < numFrames; frame += LANES) {
      sum += masks[header + HEADER + frame] * map[first + frame];
    }
  }
  let mean = sumLanes(place, sum) * masks[header];
  var squares = 0f;
  if (exists) {
    for (var frame = place.x; frame < numFrames; frame += LANES) {
      let centered = map[first + frame] - mean;
      squares += masks[header + HEADER + frame] * centered * centered;
    }
  }
  let variance = sumLanes(place, squares) * masks[header + 1u];
  if (exists && place.x == 0u) {
    let row = group.y * 2u * NUM_CHANNELS;
    statistics[row + channel] = mean;
    statistics[row + NUM_CHANNELS + channel] = sqrt(variance);
  }
}
