// Inputs of the embedding network for many speakers of many windows: the features of each speaker's frames, with the
// mean of each mel bin subtracted, in the rows of the network's layout.
//
// Matches gatherBatch in gpuGatherBatch.ts. For each job:
//
//   out[firstFrame + row][padding + m] = features[window][used[firstUsed + row]][m] - (subtractMean ? mean over the rows : 0)
//   out[firstFrame + numUsed … clearEnd)[…] = 0
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params |
// | 1 | features | (window, frame, mel) f32 |
// | 2 | jobs | (job) Job |
// | 3 | used | (row of all jobs) u32, the frames to take |
// | 4 | out | written: (frame, mel + 2 · padding) f32; the first and last columns stay 0, as padding of the convolution |
//
// One workgroup per 16 mel bins and job. Its 16 rows of invocations process the frames in parallel.

const COLUMNS = 16u;
const ROWS = 16u;

struct Params {
  numFrames: u32,
  numMelBins: u32,
  subtractMean: u32,
  // Columns before and after the mel bins.
  padding: u32,
}

struct Job {
  window: u32,
  firstUsed: u32,
  numUsed: u32,
  firstFrame: u32,
  clearEnd: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> features: array<f32>;
@group(0) @binding(2) var<storage, read> jobs: array<Job>;
@group(0) @binding(3) var<storage, read> used: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

var<workgroup> sums: array<f32, COLUMNS * ROWS>;

fn featureAt(job: Job, row: u32, mel: u32) -> f32 {
  return features[(job.window * params.numFrames + used[job.firstUsed + row]) * params.numMelBins + mel];
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) place: vec3u) {
  let job = jobs[group.y];
  let mel = group.x * COLUMNS + place.x;
  let exists = mel < params.numMelBins;
  var mean = 0f;
  if (params.subtractMean != 0u) {
    var sum = 0f;
    if (exists) {
      for (var row = place.y; row < job.numUsed; row += ROWS) { sum += featureAt(job, row, mel); }
    }
    sums[place.y * COLUMNS + place.x] = sum;
    // Pairwise over the rows, for small rounding errors and a fixed order.
    for (var half = ROWS / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (place.y < half) { sums[place.y * COLUMNS + place.x] += sums[(place.y + half) * COLUMNS + place.x]; }
    }
    workgroupBarrier();
    mean = sums[place.x] / f32(job.numUsed);
  }
  if (!exists) { return; }
  let width = params.numMelBins + 2u * params.padding;
  for (var row = place.y; row < job.numUsed; row += ROWS) {
    out[(job.firstFrame + row) * width + params.padding + mel] = featureAt(job, row, mel) - mean;
  }
  for (var frame = job.firstFrame + job.numUsed + place.y; frame < job.clearEnd; frame += ROWS) {
    out[frame * width + params.padding + mel] = 0f;
  }
}
