// Detects the output of broken drivers: NaN, infinities, only zeros.
//
// Values are read as bit patterns, because WGSL lets an implementation assume that floats are never NaN or Inf.
//
// group 0, binding 0: values, array<u32>, bit patterns of float32
// group 0, binding 1: Flags
//
// `survey` adds the counts of `values` to `flags`, one thread per value, strided, and one row of workgroups per item:
// values are divided into items of equal length, such as the windows of a batch.
// `poison` overwrites `values` with NaN if `flags` shows a broken source: any non-finite value, more than half zeros, or
// an item of zeros. The CPU detects this in the result that it reads anyway, without an additional transfer.

// As in health.ts. Items at this distance share a bit.
const MAX_ITEMS = 4096u;

struct Flags {
  numBroken: atomic<u32>,
  numZeros: atomic<u32>,
  numValues: atomic<u32>,
  numItems: atomic<u32>,
  // One bit per item: whether it has a value other than zero.
  nonzero: array<atomic<u32>, MAX_ITEMS / 32u>,
}

@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@group(0) @binding(1) var<storage, read_write> flags: Flags;

const EXPONENT: u32 = 0x7f800000u;
const QUIET_NAN: u32 = 0x7fc00000u;
const STRIDE: u32 = 64u * 256u;

@compute @workgroup_size(64)
fn survey(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(num_workgroups) groups: vec3u,
) {
  let item = group.y;
  let length = arrayLength(&values) / groups.y;
  let first = group.x * 64u + index;
  var broken = 0u;
  var zeros = 0u;
  var nonzero = false;
  for (var i = first; i < length; i += STRIDE) {
    let bits = values[item * length + i];
    broken += select(0u, 1u, (bits & EXPONENT) == EXPONENT);
    let isZero = (bits << 1u) == 0u;
    zeros += select(0u, 1u, isZero);
    nonzero = nonzero || !isZero;
  }
  if (broken > 0u) { atomicAdd(&flags.numBroken, broken); }
  if (zeros > 0u) { atomicAdd(&flags.numZeros, zeros); }
  let place = item % MAX_ITEMS;
  if (nonzero) { atomicOr(&flags.nonzero[place / 32u], 1u << (place % 32u)); }
  if (first == 0u) {
    atomicAdd(&flags.numValues, length);
    atomicMax(&flags.numItems, place + 1u);
  }
}

fn hasZeroItem() -> bool {
  let numItems = atomicLoad(&flags.numItems);
  for (var first = 0u; first < numItems; first += 32u) {
    let all = 0xffffffffu >> (32u - min(32u, numItems - first));
    if ((atomicLoad(&flags.nonzero[first / 32u]) & all) != all) { return true; }
  }
  return false;
}

@compute @workgroup_size(64)
fn poison(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&values)) { return; }
  let mostlyZero = atomicLoad(&flags.numZeros) * 2u > atomicLoad(&flags.numValues);
  if (atomicLoad(&flags.numBroken) > 0u || mostlyZero || hasZeroItem()) { values[id.x] = QUIET_NAN; }
}
