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
// One workgroup per direction and WINDOWS windows loops over the frames, so a layer is one dispatch. Two invocations per
// unit each sum half of the previous units, for all four gates of the unit and all windows of the workgroup. Then each
// completes one window. The weights (256 KiB for 128 units) do not fit in workgroup memory and stay in the second-level
// cache, so two windows share each read; adjacent invocations read adjacent vectors. The hidden states are
// double-buffered in workgroup memory, and the cells stay in registers.

override UNITS: u32 = 128u;
// 1 or 2.
override WINDOWS: u32 = 2u;

const SPLITS = 2u;
const MAX_UNITS = 128u;
// tanh and σ are 1 in float32 beyond this, and exp stays finite.
const LIMIT = 20f;
// Bits of float32.
const EXPONENT: u32 = 0x7f800000u;
const QUIET_NAN: u32 = 0x7fc00000u;

struct Params {
  numWindows: u32,
  numFrames: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> inputs: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// Axes (parity of the frame, window, unit).
var<workgroup> hidden: array<array<array<f32, MAX_UNITS>, 2>, 2>;
// Sums of the invocation that does not complete the window, axes (window, unit).
var<workgroup> partial: array<array<vec4f, MAX_UNITS>, 2>;

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
  // The last workgroup of an odd number of windows computes its only window twice, and stores it once.
  let first = group.x * WINDOWS;
  let second = min(first + 1u, params.numWindows - 1u);
  // The window that this invocation completes.
  let window = first + split;
  hidden[0][split][unit] = 0f;
  var cell = 0f;
  workgroupBarrier();
  for (var step = 0u; step < params.numFrames; step++) {
    let frame = select(step, params.numFrames - 1u - step, direction == 1u);
    let parity = step % 2u;
    var a = vec4f();
    var b = vec4f();
    if (split == 0u) {
      a = inputs[((first * params.numFrames + frame) * 2u + direction) * UNITS + unit];
      if (WINDOWS > 1u) { b = inputs[((second * params.numFrames + frame) * 2u + direction) * UNITS + unit]; }
    }
    for (var j = 0u; j < count; j += 4u) {
      let weight = firstWeight + j * UNITS;
      let previous = firstUnit + j;
      let w0 = weights[weight];
      let w1 = weights[weight + UNITS];
      let w2 = weights[weight + 2u * UNITS];
      let w3 = weights[weight + 3u * UNITS];
      a += w0 * hidden[parity][0][previous];
      a += w1 * hidden[parity][0][previous + 1u];
      a += w2 * hidden[parity][0][previous + 2u];
      a += w3 * hidden[parity][0][previous + 3u];
      if (WINDOWS > 1u) {
        b += w0 * hidden[parity][1][previous];
        b += w1 * hidden[parity][1][previous + 1u];
        b += w2 * hidden[parity][1][previous + 2u];
        b += w3 * hidden[parity][1][previous + 3u];
      }
    }
    if (split == 1u) {
      partial[0][unit] = a;
    } else if (WINDOWS > 1u) {
      partial[1][unit] = b;
    }
    workgroupBarrier();
    if (split < WINDOWS) {
      var sum = select(b, a, split == 0u) + partial[split][unit];
      // Bits, because an infinity would be limited like any large number, and `exp` of NaN is finite on some hardware.
      // As NaN, broken inputs spread to all later frames and to the scores.
      let bits = bitcast<vec4u>(sum);
      let isBroken = any((bits & vec4u(EXPONENT)) == vec4u(EXPONENT));
      sum = bounded(sum);
      let iof = sigmoid(sum.xyz);
      cell = iof.z * cell + iof.x * tanhOf(sum.w);
      let state = select(iof.y * tanhOf(bounded(vec4f(cell)).x), bitcast<f32>(bits.x | QUIET_NAN), isBroken);
      hidden[1u - parity][split][unit] = state;
      if (window < params.numWindows) {
        let row = ((window * params.numFrames + frame) * 2u + direction) * UNITS + unit;
        out[row] = state;
      }
    }
    workgroupBarrier();
  }
}
