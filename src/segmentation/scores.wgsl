// Classifier and log-softmax.
//
// Matches computeScores in gpuScores.ts. For each row r and class n:
//
//   y[n]         = bias[n] + Σ_k input[r][k] · weights[k][n]
//   scores[r][n] = y[n] - max_m y[m] - log Σ_m exp(y[m] - max y)
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params |
// | 1 | input | (row, input) f32 |
// | 2 | weights | (input, class) f32, padded to 8 or 16 classes |
// | 3 | bias | (class) f32, padded |
// | 4 | scores | written: (row, class) f32 |
//
// One workgroup per 64 / CLASSES rows, one invocation per row and class; those of a row read the same inputs.

override CLASSES: u32 = 8u;

const THREADS = 64u;

struct Params {
  numRows: u32,
  numInputs: u32,
  numClasses: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;

var<workgroup> sums: array<f32, THREADS>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let own = index % CLASSES;
  let row = group.x * (THREADS / CLASSES) + index / CLASSES;
  let begin = min(row, params.numRows - 1u) * params.numInputs;
  var sum = bias[own];
  for (var k = 0u; k < params.numInputs; k++) {
    sum += input[begin + k] * weights[k * CLASSES + own];
  }
  sums[index] = sum;
  workgroupBarrier();
  let first = index - own;
  var greatest = sum;
  for (var other = 0u; other < params.numClasses; other++) { greatest = max(greatest, sums[first + other]); }
  var total = 0f;
  for (var other = 0u; other < params.numClasses; other++) { total += exp(sums[first + other] - greatest); }
  if (row < params.numRows && own < params.numClasses) {
    scores[row * params.numClasses + own] = sum - greatest - log(total);
  }
}
