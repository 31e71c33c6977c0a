// Detects the output of broken drivers: NaN, infinities, only zeros.
//
// Values are read as bit patterns, because WGSL lets an implementation assume that floats are never NaN or Inf.
//
// group 0, binding 0: values, array<u32>, bit patterns of float32
// group 0, binding 1: flags, 3 × u32: number of non-finite values, number of exact zeros, number of all surveyed
// values
//
// `survey` adds the counts of `values` to `flags`, one thread per value, strided.
// `poison` overwrites `values` with NaN if `flags` shows a broken source: any non-finite value, or more than half
// zeros. The CPU detects this in the result that it reads anyway, without an additional transfer.

@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@group(0) @binding(1) var<storage, read_write> flags: array<atomic<u32>, 3>;

const EXPONENT: u32 = 0x7f800000u;
const QUIET_NAN: u32 = 0x7fc00000u;
const STRIDE: u32 = 64u * 256u;

@compute @workgroup_size(64)
fn survey(@builtin(global_invocation_id) id: vec3u) {
  var broken = 0u;
  var zeros = 0u;
  for (var i = id.x; i < arrayLength(&values); i += STRIDE) {
    let bits = values[i];
    broken += select(0u, 1u, (bits & EXPONENT) == EXPONENT);
    zeros += select(0u, 1u, (bits << 1u) == 0u);
  }
  if (broken > 0u) { atomicAdd(&flags[0], broken); }
  if (zeros > 0u) { atomicAdd(&flags[1], zeros); }
  if (id.x == 0u) { atomicAdd(&flags[2], arrayLength(&values)); }
}

@compute @workgroup_size(64)
fn poison(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&values)) { return; }
  if (atomicLoad(&flags[0]) > 0u || atomicLoad(&flags[1]) * 2u > atomicLoad(&flags[2])) {
    values[id.x] = QUIET_NAN;
  }
}
