// GELU in its exact form, in place.
//
// Matches computeGelu in gelu.ts. For each value x, with z = |x| / √2 and t = 1 / (1 + 0.3275911 · z):
//
//   erfc(z) = (((((1.061405429 · t - 1.453152027) · t) + 1.421413741) · t - 0.284496736) · t + 0.254829592) · t · exp(-z²)
//   x'      = x · (x < 0 ? erfc(z) / 2 : 1 - erfc(z) / 2)
//
// The polynomial is formula 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical Functions. Its error is at most 1.5e-7.
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params |
// | 1 | values | changed: (value) f32 |
//
// Each invocation computes the values at distances of all invocations.

const THREADS = 256u;

struct Params {
  numValues: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) place: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = place.x; i < params.numValues; i += groups.x * THREADS) {
    let x = values[i];
    let z = abs(x) * 0.70710678118654752;
    let t = 1f / (1f + 0.3275911 * z);
    let polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    let half = 0.5 * polynomial * exp(-z * z);
    values[i] = x * select(1f - half, half, x < 0f);
  }
}
