// Gates of a dense layer: from the means of each segment and of all frames, by two small linear layers.
//
// Matches computeGates in gpuGates.ts. For each item and segment s of its rows:
//
//   context[c] = mean of hidden[…][c] over the rows of s + mean over all rows of the item
//   inner[n]   = max(0, bias₁[n] + Σ_c context[c] · weights₁[c][n])
//   gates[n]   = 1 / (1 + exp(-(bias₂[n] + Σ_m inner[m] · weights₂[m][n])))
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params |
// | 1 | hidden | (row, channel) vec4f, four channels each |
// | 2 | items | (item) vec4u: first row, number of rows, first gate row, 0 |
// | 3 | first | (channel and bias, inner) f32 |
// | 4 | second | (inner and bias, gate) f32 |
// | 5 | sums | scratch: (gate row, channel) vec4f |
// | 6 | gates | written: (gate row, gate) f32 |
//
// One workgroup per item, because the context needs all its rows. Adjacent invocations read adjacent channels, and the
// rows of a segment are divided among 256 / (CHANNELS / 4) rows of invocations.

override CHANNELS: u32 = 128u;
override INNER: u32 = 64u;
override GATES: u32 = 32u;

const THREADS = 256u;
const MAX_CHANNELS = 256u;

struct Params {
  segmentRows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> hidden: array<vec4f>;
@group(0) @binding(2) var<storage, read> items: array<vec4u>;
@group(0) @binding(3) var<storage, read> first: array<f32>;
@group(0) @binding(4) var<storage, read> second: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> gates: array<f32>;

var<workgroup> partial: array<vec4f, THREADS>;
var<workgroup> products: array<f32, THREADS>;
var<workgroup> context: array<vec4f, MAX_CHANNELS / 4u>;
var<workgroup> inner: array<f32, MAX_CHANNELS>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let vectors = CHANNELS / 4u;
  let item = items[group.x];
  let numRows = item.y;
  let numSegments = (numRows + params.segmentRows - 1u) / params.segmentRows;
  let vector = index % vectors;
  let rowThreads = THREADS / vectors;

  var total = vec4f();
  for (var segment = 0u; segment < numSegments; segment++) {
    let end = min((segment + 1u) * params.segmentRows, numRows);
    var sum = vec4f();
    for (var row = segment * params.segmentRows + index / vectors; row < end; row += rowThreads) {
      sum += hidden[(item.x + row) * vectors + vector];
    }
    partial[index] = sum;
    // Pairwise, for small rounding errors and a fixed order.
    for (var half = THREADS / 2u; half >= vectors; half /= 2u) {
      workgroupBarrier();
      if (index < half) { partial[index] += partial[index + half]; }
    }
    if (index < vectors) {
      total += partial[index];
      sums[(item.z + segment) * vectors + index] = partial[index];
    }
    workgroupBarrier();
  }

  let innerParts = THREADS / INNER;
  let gateParts = THREADS / GATES;
  for (var segment = 0u; segment < numSegments; segment++) {
    let size = min(params.segmentRows, numRows - segment * params.segmentRows);
    // Each invocation reads only the sums that it has written itself.
    if (index < vectors) {
      context[index] = sums[(item.z + segment) * vectors + index] / f32(size) + total / f32(numRows);
    }
    workgroupBarrier();
    // The invocations of an output each add a part of the inputs.
    let ownInner = index % INNER;
    var sum = 0f;
    for (var c = index / INNER; c < CHANNELS; c += innerParts) { sum += context[c / 4u][c % 4u] * first[c * INNER + ownInner]; }
    products[index] = sum;
    workgroupBarrier();
    if (index < INNER) {
      sum = first[CHANNELS * INNER + index];
      for (var part = 0u; part < innerParts; part++) { sum += products[part * INNER + index]; }
      inner[index] = max(sum, 0f);
    }
    workgroupBarrier();
    let ownGate = index % GATES;
    sum = 0f;
    for (var m = index / GATES; m < INNER; m += gateParts) { sum += inner[m] * second[m * GATES + ownGate]; }
    products[index] = sum;
    workgroupBarrier();
    if (index < GATES) {
      sum = second[INNER * GATES + index];
      for (var part = 0u; part < gateParts; part++) { sum += products[part * GATES + index]; }
      // Beyond this, σ is 0 or 1 in float32, and exp stays finite.
      gates[(item.z + segment) * GATES + index] = 1f / (1f + exp(clamp(-sum, -80f, 80f)));
    }
    workgroupBarrier();
  }
}
