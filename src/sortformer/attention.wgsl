// Self-attention with a rotary embedding, for heads of 64 channels.
//
// Matches computeAttention in gpuAttention.ts. For each head h and frame f, with the query q, key k and value v of a frame:
//
//   q'[c], k'[c] = x[c] · cos[f][c % 32] + (c < 32 ? -x[c + 32] : x[c - 32]) · sin[f][c % 32]
//   scores[g]    = scale · Σ_c q'[f][c] · k'[g][c], for the frames g < numKeys
//   out[f][h][c] = Σ_g exp(scores[g]) · v[g][c] / Σ_g exp(scores[g])
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params, in the order of gpuAttention.ts |
// | 1 | projections | (frame, [query, key, value], head, 16) vec4f |
// | 2 | rotation | (frame, [cos, sin], 8) vec4f |
// | 3 | out | written: (frame, head, 16) vec4f |
//
// One workgroup per head and 16 queries. 32 keys, and then their values, are in workgroup memory at a time. Each invocation
// computes two by two scores, and 8 channels of the result of one query. Weights are relative to the maximum of the scores so
// far: if it grows, earlier sums shrink. All invocations of a query compute its maximum and its sum of weights, in equal order.

const QUERIES = 16u;
const KEYS = 32u;
const THREADS = 128u;
// Vectors of four channels of a head, and of half a head.
const VECTORS = 16u;
const HALF = 8u;
// One vector more than in use, so adjacent rows are in different memory banks.
const STRIDE = 17u;
const SCORE_STRIDE = 33u;
// Invocations of a query.
const PARTS = 8u;
// Less than all scores.
const LEAST = -1e30;

struct Params {
  numFrames: u32,
  numKeys: u32,
  numHeads: u32,
  scale: f32,
  // VECTORS. As a constant, it would let compilers unroll the longest loop, which takes a software adapter many seconds.
  numVectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> projections: array<vec4f>;
@group(0) @binding(2) var<storage, read> rotation: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;

// Axes (query, vector).
var<workgroup> queries: array<vec4f, QUERIES * STRIDE>;
// Axes (key, vector): keys, then values.
var<workgroup> others: array<vec4f, KEYS * STRIDE>;
// Axes (query, key): scores, then weights.
var<workgroup> scores: array<f32, QUERIES * SCORE_STRIDE>;

// Place of the first vector of a head's query (0), key (1) or value (2).
fn placeOf(frame: u32, part: u32, head: u32) -> u32 {
  return ((frame * 3u + part) * params.numHeads + head) * VECTORS;
}

// Vectors i and i + 8 of a head after rotation.
fn rotated(frame: u32, part: u32, head: u32, i: u32) -> array<vec4f, 2> {
  let place = placeOf(frame, part, head) + i;
  let a = projections[place];
  let b = projections[place + HALF];
  let cos = rotation[frame * VECTORS + i];
  let sin = rotation[frame * VECTORS + HALF + i];
  return array<vec4f, 2>(a * cos - b * sin, b * cos + a * sin);
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let head = group.y;
  let firstQuery = group.x * QUERIES;
  let query = index / PARTS;
  let part = index % PARTS;

  // There are as many invocations as vectors of half a head of all queries. Frames beyond the last are those of the last.
  let own = rotated(min(firstQuery + query, params.numFrames - 1u), 0u, head, part);
  queries[query * STRIDE + part] = own[0] * params.scale;
  queries[query * STRIDE + HALF + part] = own[1] * params.scale;

  var greatest = LEAST;
  var sum = 0f;
  var first = vec4f();
  var second = vec4f();
  for (var begin = 0u; begin < params.numKeys; begin += KEYS) {
    let numKeys = min(KEYS, params.numKeys - begin);
    for (var i = index; i < KEYS * HALF; i += THREADS) {
      let key = i / HALF;
      let vector = i % HALF;
      let both = rotated(min(begin + key, params.numKeys - 1u), 1u, head, vector);
      others[key * STRIDE + vector] = both[0];
      others[key * STRIDE + HALF + vector] = both[1];
    }
    workgroupBarrier();

    // Rows q and q + 8, keys k and k + 16.
    let q = index / 16u;
    let k = index % 16u;
    var products = vec4f();
    for (var i = 0u; i < params.numVectors; i++) {
      let q0 = queries[q * STRIDE + i];
      let q1 = queries[(q + 8u) * STRIDE + i];
      let k0 = others[k * STRIDE + i];
      let k1 = others[(k + 16u) * STRIDE + i];
      products += vec4f(dot(q0, k0), dot(q0, k1), dot(q1, k0), dot(q1, k1));
    }
    scores[q * SCORE_STRIDE + k] = products.x;
    scores[q * SCORE_STRIDE + k + 16u] = products.y;
    scores[(q + 8u) * SCORE_STRIDE + k] = products.z;
    scores[(q + 8u) * SCORE_STRIDE + k + 16u] = products.w;
    workgroupBarrier();

    for (var i = index; i < KEYS * VECTORS; i += THREADS) {
      let key = i / VECTORS;
      let vector = i % VECTORS;
      others[key * STRIDE + vector] = projections[placeOf(min(begin + key, params.numKeys - 1u), 2u, head) + vector];
    }
    var next = greatest;
    for (var i = 0u; i < numKeys; i++) { next = max(next, scores[query * SCORE_STRIDE + i]); }
    workgroupBarrier();
    for (var i = part; i < numKeys; i += PARTS) {
      let place = query * SCORE_STRIDE + i;
      scores[place] = exp(scores[place] - next);
    }
    workgroupBarrier();
    let shrink = exp(greatest - next);
    greatest = next;
    sum *= shrink;
    first *= shrink;
    second *= shrink;
    for (var i = 0u; i < numKeys; i++) {
      let weight = scores[query * SCORE_STRIDE + i];
      sum += weight;
      first += weight * others[i * STRIDE + part];
      second += weight * others[i * STRIDE + HALF + part];
    }
    workgroupBarrier();
  }

  let frame = firstQuery + query;
  if (frame < params.numFrames) {
    let place = (frame * params.numHeads + head) * VECTORS + part;
    out[place] = first / sum;
    out[place + HALF] = second / sum;
  }
}
