// Layer norm of each row.
//
// Matches computeLayerNorm in layerNorm.ts. For each row r and channel c:
//
//   mean      = Σ_c x[r][c] / numChannels
//   variance  = Σ_c (x[r][c] - mean)² / numChannels
//   out[r][c] = (x[r][c] - mean) / √(variance + epsilon) · norm[c].scale + norm[c].shift
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params, in the order of layerNorm.ts |
// | 1 | values | (row, channel) f32 |
// | 2 | norm | (channel) vec2f: scale, shift |
// | 3 | out | written: (row, channel) f32 |
//
// One workgroup per row. The second pass reads the row again, because its values are still in a cache.

const THREADS = 64u;

struct Params {
  numChannels: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> norm: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> sums: array<f32, THREADS>;

// Adds the values of all invocations, pairwise, for small rounding errors and a fixed order.
fn total(index: u32, value: f32) -> f32 {
  sums[index] = value;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (index < half) { sums[index] += sums[index + half]; }
  }
  workgroupBarrier();
  let result = sums[0];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let begin = group.x * params.numChannels;
  var sum = 0f;
  for (var channel = index; channel < params.numChannels; channel += THREADS) { sum += values[begin + channel]; }
  let mean = total(index, sum) / f32(params.numChannels);
  var squares = 0f;
  for (var channel = index; channel < params.numChannels; channel += THREADS) {
    let deviation = values[begin + channel] - mean;
    squares += deviation * deviation;
  }
  let scale = 1f / sqrt(total(index, squares) / f32(params.numChannels) + params.epsilon);
  for (var channel = index; channel < params.numChannels; channel += THREADS) {
    out[begin + channel] = (values[begin + channel] - mean) * scale * norm[channel].x + norm[channel].y;
  }
}
