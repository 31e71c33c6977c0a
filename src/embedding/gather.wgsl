// Input of the embedding model for one speaker: the features of the speaker's frames, with the mean of each mel bin
// subtracted.
//
// Matches maskedFeatures in mask.ts:
//
//   out[row][m] = features[used[row]][m] - (SUBTRACT_MEAN ? Σ_row features[used[row]][m] / numUsed : 0)
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | job | Job: sizes, then (row) u32, the frames to take |
// | 1 | features | (frame, mel) f32, of one window |
// | 2 | gathered | written: (row, mel) f32 |
//
// One workgroup per 8 mel bins. Its 16 rows of invocations process the used frames in parallel.

override SUBTRACT_MEAN: bool;

const COLUMNS = 8u;
const ROWS = 16u;

struct Job {
  numUsed: u32,
  numMelBins: u32,
  // Bindings have an alignment: index of the window's first feature in the binding.
  featuresBase: u32,
  used: array<u32>,
}

@group(0) @binding(0) var<storage, read> job: Job;
@group(0) @binding(1) var<storage, read> features: array<f32>;
@group(0) @binding(2) var<storage, read_write> gathered: array<f32>;

var<workgroup> sums: array<f32, COLUMNS * ROWS>;

fn featureAt(row: u32, mel: u32) -> f32 {
  return features[job.featuresBase + job.used[row] * job.numMelBins + mel];
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) place: vec3u) {
  let mel = group.x * COLUMNS + place.x;
  let exists = mel < job.numMelBins;
  var mean = 0f;
  if (SUBTRACT_MEAN) {
    var sum = 0f;
    if (exists) {
      for (var row = place.y; row < job.numUsed; row += ROWS) {
        sum += featureAt(row, mel);
      }
    }
    sums[place.y * COLUMNS + place.x] = sum;
    // Pairwise over the rows, for small rounding errors and a fixed order.
    for (var half = ROWS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (place.y < half) {
        sums[place.y * COLUMNS + place.x] += sums[(place.y + half) * COLUMNS + place.x];
      }
    }
    workgroupBarrier();
    mean = sums[place.x] / f32(job.numUsed);
  }
  if (exists) {
    for (var row = place.y; row < job.numUsed; row += ROWS) {
      gathered[row * job.numMelBins + mel] = featureAt(row, mel) - mean;
    }
  }
}
