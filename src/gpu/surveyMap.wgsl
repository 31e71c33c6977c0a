// Finds broken values in a map between two layers: NaN, infinities, or only zeros in a part of an item.
//
// Matches surveyMap in mapGuard.ts. Group 0 of an item has the first `firstChannels` channels, each further group has
// `groupChannels`. For each item and group, over the rows of the item and the channels of the group:
//
//   flags[0] = 1 if a value is not finite, or (unless ALLOW_ZEROS) if all are zero; otherwise unchanged
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params, in the order of mapGuard.ts |
// | 1 | map | (row, channel) bit patterns of f32, with rowStride values per row |
// | 2 | items | (item) vec2u: first row, number of rows, both times rowScale; unused if itemRows is not 0 |
// | 3 | flags | written: flags[0]; a word per item and group from firstWord, which must be 0 before |
//
// Values are read as bit patterns, because WGSL lets an implementation assume that floats are never NaN or infinite.
// One workgroup per part of the rows (x), group (y) and item (z); adjacent invocations read adjacent channels. The word
// of an item and group counts the workgroups that have arrived, and in its upper half those with a value other than
// zero, so the last one has the result of all.

const COLUMNS = 32u;
const ROWS = 8u;
const EXPONENT: u32 = 0x7f800000u;
// As in the flags that the workgroup shares.
const NONZERO = 1u;
const BROKEN = 2u;
const ONE_NONZERO: u32 = 0x10000u;

struct Params {
  // Rows of every item, one item after the other; 0 to use the table of items.
  itemRows: u32,
  rowScale: u32,
  rowStride: u32,
  firstChannels: u32,
  groupChannels: u32,
  firstWord: u32,
  allowZeros: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> map: array<u32>;
@group(0) @binding(2) var<storage, read> items: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> flags: array<atomic<u32>>;

var<workgroup> found: atomic<u32>;

@compute @workgroup_size(COLUMNS, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) place: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  var range = vec2u(group.z * params.itemRows, params.itemRows);
  if (params.itemRows == 0u) { range = items[group.z] * params.rowScale; }
  var begin = 0u;
  var width = params.firstChannels;
  if (group.y > 0u) {
    begin = params.firstChannels + (group.y - 1u) * params.groupChannels;
    width = params.groupChannels;
  }
  var anyBits = 0u;
  var broken = 0u;
  for (var row = group.x * ROWS + place.y; row < range.y; row += groups.x * ROWS) {
    let start = (range.x + row) * params.rowStride + begin;
    for (var column = place.x; column < width; column += COLUMNS) {
      let bits = map[start + column];
      anyBits |= bits << 1u;
      broken |= select(0u, BROKEN, (bits & EXPONENT) == EXPONENT);
    }
  }
  let own = broken | select(0u, NONZERO, anyBits != 0u);
  if (own != 0u) { atomicOr(&found, own); }
  workgroupBarrier();
  if (index > 0u) { return; }
  let all = atomicLoad(&found);
  if ((all & BROKEN) != 0u) { atomicStore(&flags[0], 1u); }
  let word = params.firstWord + group.z * groups.y + group.y;
  let added = 1u + select(0u, ONE_NONZERO, (all & NONZERO) != 0u);
  // The last workgroup reads the sum of all, and its lower half alone if all values are zero.
  if (atomicAdd(&flags[word], added) + added == groups.x && params.allowZeros == 0u) { atomicStore(&flags[0], 1u); }
}
