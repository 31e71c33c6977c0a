// Statistics over the rows of each item and channel: factors of an instance norm, or mean and deviation.
//
// Matches computeChannelStats in channelStats.ts. With mean and Σ over the numRows rows of item i:
//
//   mean      = first + Σ (x - first) / numRows, where first is the value of the first row
//   squares   = Σ (x - mean)²
//   FACTORS:    out[i][c] = vec4(mean, norm[c].scale / √(squares / numRows + epsilon), norm[c].shift, slope)
//   otherwise:  out[i][c] = mean, out[i][numChannels + c] = √(squares / (numRows - 1))
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params, in the order of channelStats.ts |
// | 1 | values | (row, channel) f32, with rowStride values per row |
// | 2 | items | (item) vec2u: first row, number of rows |
// | 3 | norm | (channel) vec2f: scale, shift; unused without FACTORS |
// | 4 | out | written: (item, channel) vec4f, or (item, [mean, deviation], channel) f32 |
//
// One workgroup per item and COLUMNS channels; its 256 / COLUMNS rows of invocations read adjacent channels. Sums
// relative to the first row are exactly 0 for constant channels, and avoid cancellation for channels on a level.

override COLUMNS: u32 = 16u;
override FACTORS: bool = true;

const THREADS = 256u;

struct Params {
  numChannels: u32,
  rowStride: u32,
  epsilon: f32,
  slope: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> items: array<vec2u>;
@group(0) @binding(3) var<storage, read> norm: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> sums: array<f32, THREADS>;

// Adds the values of all invocations of a column, pairwise, for small rounding errors and a fixed order.
fn total(index: u32, value: f32) -> f32 {
  sums[index] = value;
  for (var half = THREADS / 2u; half >= COLUMNS; half /= 2u) {
    workgroupBarrier();
    if (index < half) { sums[index] += sums[index + half]; }
  }
  workgroupBarrier();
  let result = sums[index % COLUMNS];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let channel = group.x * COLUMNS + index % COLUMNS;
  let item = group.y;
  let numRows = items[item].y;
  let begin = items[item].x * params.rowStride + min(channel, params.numChannels - 1u);
  let first = values[begin];
  var sum = 0f;
  for (var row = index / COLUMNS; row < numRows; row += THREADS / COLUMNS) {
    sum += values[begin + row * params.rowStride] - first;
  }
  let mean = first + total(index, sum) / f32(numRows);
  var squares = 0f;
  for (var row = index / COLUMNS; row < numRows; row += THREADS / COLUMNS) {
    let deviation = values[begin + row * params.rowStride] - mean;
    squares += deviation * deviation;
  }
  squares = total(index, squares);
  if (index >= COLUMNS || channel >= params.numChannels) { return; }
  if (FACTORS) {
    let place = 4u * (item * params.numChannels + channel);
    out[place] = mean;
    out[place + 1u] = norm[channel].x / sqrt(squares / f32(numRows) + params.epsilon);
    out[place + 2u] = norm[channel].y;
    out[place + 3u] = params.slope;
  } else {
    let place = 2u * item * params.numChannels + channel;
    out[place] = mean;
    out[place + params.numChannels] = sqrt(squares / f32(numRows - 1u));
  }
}
