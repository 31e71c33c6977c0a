// Recurrence of a bidirectional LSTM layer over all frames, from the products of its inputs.
//
// Matches computeLstm in gpuLstm.ts. For each window and direction, over the frames t in the direction's order, with
// gates in the order i, o, f, g:
//
//   [i, o, f, g] = inputs[t] + Σ_j hidden[t - 1][j] · weights[j]
//   cell[t]      = σ(f) · cell[t - 1] + σ(i) · tanh(g)
//   hidden[t]    = σ(o) · tanh(cell[t])
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params |
// | 1 | inputs | (window, frame, direction, unit) vec4f: the gates' products and biases |
// | 2 | weights | (direction, unit of the previous frame, unit) vec4f, one per gate |
// | 3 | out | written: (window, frame, direction, unit) f32 |
//
// One workgroup per window and direction loops over the frames, so a layer is one dispatch. SPLITS invocations per
// unit each sum a part of the previous units, for all four gates of the unit. The weights (256 KiB for 128 units) do
// not fit in workgroup memory and stay in the second-level cache; adjacent invocations read adjacent vectors. The
// hidden states are double-buffered in workgroup memory, and the cells stay in registers.

override UNITS: u32 = 128u;
override SPLITS: u32 = 2u;

const MAX_UNITS = 128u;
const MAX_SPLITS = 2u;
// tanh and σ are 1 in float32 beyond this, and exp stays finite.
const LIMIT = 20f;
// Bits of float32.
const EXPONENT: u32 = 0x7f800000u;
const QUIET_NAN: u32 = 0x7fc00000u;

struct Params {
  numFrames: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> inputs: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// Axes (parity of the frame, unit).
var<workgroup> hidden: array<array<f32, MAX_UNITS>, 2>;
// Axes (split, unit), without the first split.
var<workgroup> partial: array<vec4f, MAX_UNITS * (MAX_SPLITS - 1u)>;

fn bounded(x: vec4f) -> vec4f {
  return select(select(x, vec4f(LIMIT), x > vec4f(LIMIT)), vec4f(-LIMIT), x < vec4f(-LIMIT));
}

fn sigmoid(x: vec3f) -> vec3f {
  return 1f / (1f + exp(-x));
}

// The built-in tanh overflows in some drivers.
fn tanhOf(x: f32) -> f32 {
  return 1f - 2f / (exp(2f * x) + 1f);
}

@compute @workgroup_size(UNITS, SPLITS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) place: vec3u) {
  let unit = place.x;
  let split = place.y;
  let direction = group.y;
  let count = UNITS / SPLITS;
  let firstUnit = split * count;
  let firstWeight = (direction * UNITS + firstUnit) * UNITS + unit;
  if (split == 0u) { hidden[0][unit] = 0f; }
  var cell = 0f;
  workgroupBarrier();
  for (var step = 0u; step < params.numFrames; step++) {
    let frame = select(step, params.numFrames - 1u - step, direction == 1u);
    let row = ((group.x * params.numFrames + frame) * 2u + direction) * UNITS + unit;
    let parity = step % 2u;
    var sum = vec4f();
    if (split == 0u) { sum = inputs[row]; }
    for (var j = 0u; j < count; j += 4u) {
      let weight = firstWeight + j * UNITS;
      let previous = firstUnit + j;
      sum += weights[weight] * hidden[parity][previous];
      sum += weights[weight + UNITS] * hidden[parity][previous + 1u];
      sum += weights[weight + 2u * UNITS] * hidden[parity][previous + 2u];
      sum += weights[weight + 3u * UNITS] * hidden[parity][previous + 3u];
    }
    if (SPLITS > 1u) {
      if (split > 0u) { partial[(split - 1u) * MAX_UNITS + unit] = sum; }
      workgroupBarrier();
    }
    if (split == 0u) {
      for (var part = 1u; part < SPLITS; part++) { sum += partial[(part - 1u) * MAX_UNITS + unit]; }
      // Bits, because an infinity would be limited like any large number, and `exp` of NaN is finite on some hardware.
      // As NaN, broken inputs spread to all later frames and to the scores.
      let bits = bitcast<vec4u>(sum);
      let isBroken = any((bits & vec4u(EXPONENT)) == vec4u(EXPONENT));
      sum = bounded(sum);
      let iof = sigmoid(sum.xyz);
      cell = iof.z * cell + iof.x * tanhOf(sum.w);
      let state = select(iof.y * tanhOf(bounded(vec4f(cell)).x), bitcast<f32>(bits.x | QUIET_NAN), isBroken);
      hidden[1u - parity][unit] = state;
      out[row] = state;
    }
    workgroupBarrier();
  }
}
