// Fills a result with NaN if a map before it was broken. The CPU detects this in the result that it reads anyway.
//
// Matches markBroken in mapGuard.ts.
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params |
// | 1 | flags | flags[0]: whether surveyMap.wgsl found a broken map |
// | 2 | values | written: (value) bit patterns of f32 |
//
// Values are bit patterns, because WGSL has no NaN. One invocation per value.

const QUIET_NAN: u32 = 0x7fc00000u;

struct Params {
  numValues: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> flags: array<u32>;
@group(0) @binding(2) var<storage, read_write> values: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) index: u32) {
  if (flags[0] == 0u) { return; }
  for (var i = group.x * 64u + index; i < params.numValues; i += groups.x * 64u) { values[i] = QUIET_NAN; }
}
