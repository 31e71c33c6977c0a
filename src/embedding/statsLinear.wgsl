// Embeddings for all masks of a batch: the network's last layer applied to their statistics, in one dispatch.
//
// Matches the second half of poolEmbeddings in statsPool.ts:
//
//   embedding[m][d] = offset[d] + Σ_i weight[d][i] · statistics[m][i]
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params |
// | 1 | statistics | (mask, statistic) f32 |
// | 2 | weight | (dimension, statistic) f32 |
// | 3 | offset | (dimension) f32: the bias less the mean vector |
// | 4 | embeddings | written: (mask, dimension) f32 |
//
// One workgroup per dimension and mask; its invocations read adjacent statistics. This dispatch follows that of
// statsPool.wgsl, because every dimension needs all statistics and workgroups cannot be synchronized within a
// dispatch.

const LANES = 64u;

struct Params {
  numStatistics: u32,
  numDimensions: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> statistics: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> offset: array<f32>;
@group(0) @binding(4) var<storage, read_write> embeddings: array<f32>;

var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) place: vec3u) {
  let dimension = group.x;
  let mask = group.y;
  var sum = 0f;
  for (var i = place.x; i < params.numStatistics; i += LANES) {
    sum += weight[dimension * params.numStatistics + i] * statistics[mask * params.numStatistics + i];
  }
  sums[place.x] = sum;
  // Pairwise, for small rounding errors and a fixed order.
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (place.x < half) {
      sums[place.x] += sums[place.x + half];
    }
  }
  if (place.x == 0u) {
    embeddings[mask * params.numDimensions + dimension] = offset[dimension] + sums[0];
  }
}
