// Matrix product with the work before and after it: convolutions (as implicit GEMM), recurrent inputs, linear layers.
//
// Matches computeProduct in product.ts. For each item z, row r and column n:
//
//   x[k]   = input[inputBase + z · inputItem + start(r) + (k / tapLength) · tapStride + k % tapLength]
//   x'[k]  = NORMALIZE ? leaky((x[k] - center) · scale + shift) with factors[z · channels + k % channels] : x[k]
//   y[n]   = bias[n] + Σ_k x'[k] · weights[k][n]
//   pooled = POOL  ? the maximum of y (or of its magnitude) over three rows : y
//   out[…] = leaky(pooled (+ out[…] if ACCUMULATE)) (· gates[entry - 1][n] if GATE); 0 if MASK and entry = 0
//
// where start(r) = (r / innerRows) · outerStride + (r % innerRows) · innerStride, for the input and the output,
// leaky(v) = max(v, slope · v), and entry = table[tableBase + r / innerRows]. For each row with an entry, if SURVEY:
//
//   found[(entry - 1) · surveyStride + surveyBase]     = 1 if one of its inputs x[k] is not zero; otherwise unchanged
//   found[(entry - 1) · surveyStride + surveyBase + 1] = 1 if ACCUMULATE and an earlier out[…] of the row is not zero
//
// With HALVES, weights[k][n] is a float16, which becomes a float32 before the product: half the bytes, the same arithmetic. This
// needs no feature of the adapter. WGSL allows zero in place of a float16 below 2^-14.
//
// | binding | holds | axes, type |
// |---|---|---|
// | 0 | params | Params, in the order of product.ts |
// | 1 | input | any layout, f32 |
// | 2 | weights | (input, column) bits of f32, or with HALVES two f16 per word, the even column in the low bits; rows are padded to
//                 whole tiles of columns, zeros below the last input |
// | 3 | bias | (column) f32, padded |
// | 4 | out | written: any layout, f32 |
// | 5 | factors | (item, channel) vec4f: center, scale, shift, slope |
// | 6 | gates | (gate row, column) f32 |
// | 7 | table | (outer row) u32: 0 for a row between items, else 1 + the gate row, or with SURVEY, 1 + the item |
// | 8 | found | written: (item, map) u32 |
//
// One workgroup per tile of 96 rows and PARTS · COLUMN_THREADS columns. 16 inputs of a tile at a time are in workgroup
// memory. Each invocation computes 12 adjacent rows and PARTS columns at a distance of COLUMN_THREADS: for each input, it
// reads three vectors of rows, which are the same for all invocations of a row, and PARTS weights, which are adjacent
// for adjacent invocations, and computes 48 products, or 96 with eight columns. Eight columns would not fit in the
// registers of some GPUs.

override COLUMN_THREADS: u32 = 16u;
// 4 or 8.
override PARTS: u32 = 4u;
// Whether the weights are float16.
override HALVES: bool = false;

const ROW_THREADS = 8u;
// Rows are in groups of four, three groups per invocation.
const GROUPS = 24u;
// One group more than in use, so adjacent inputs are in different memory banks.
const GROUP_STRIDE = 25u;
const TILE_ROWS = 4u * GROUPS;
const DEPTH = 16u;
const MAX_COLUMN_THREADS = 20u;
const MAX_TILE_COLUMNS = 4u * MAX_COLUMN_THREADS;

const ACCUMULATE = 1u;
const MASK = 2u;
const GATE = 4u;
const POOL = 8u;
const MAGNITUDE = 16u;
const NORMALIZE = 32u;
const SURVEY = 64u;

struct Params {
  numRows: u32,
  numColumns: u32,
  weightStride: u32,
  numInputs: u32,
  inputBase: u32,
  inputItem: u32,
  inputOuter: u32,
  inputInner: u32,
  innerRows: u32,
  tapLength: u32,
  tapStride: u32,
  channels: u32,
  outBase: u32,
  outItem: u32,
  outOuter: u32,
  outInner: u32,
  flags: u32,
  slope: f32,
  tableBase: u32,
  surveyBase: u32,
  surveyStride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<u32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read> factors: array<vec4f>;
@group(0) @binding(6) var<storage, read> gates: array<f32>;
@group(0) @binding(7) var<storage, read> table: array<u32>;
@group(0) @binding(8) var<storage, read_write> found: array<atomic<u32>>;

// Axes (input, group of rows); at the end (column, group of rows).
var<workgroup> inputTile: array<vec4f, MAX_COLUMN_THREADS * GROUP_STRIDE>;
// Axes (input, column).
var<workgroup> weightTile: array<f32, DEPTH * MAX_TILE_COLUMNS>;
// Axes (group of rows): where the rows' inputs start.
var<workgroup> starts: array<vec4u, GROUPS>;
// Bits of the rows whose inputs are not all zero, and of those whose earlier outputs are not; eight groups per word.
const ROW_WORDS = GROUPS / 8u;
var<workgroup> nonzero: array<atomic<u32>, 2u * ROW_WORDS>;

fn hasFlag(flag: u32) -> bool {
  return (params.flags & flag) != 0u;
}

fn startOf(row: u32) -> u32 {
  // Rows beyond the last read those of the last.
  let known = min(row, params.numRows - 1u);
  let outer = known / params.innerRows;
  return outer * params.inputOuter + (known - outer * params.innerRows) * params.inputInner;
}

// The place of a weight of the tile, which begins at an input and a column.
fn weightPlace(firstInput: u32, firstColumn: u32, index: u32) -> u32 {
  let tileColumns = PARTS * COLUMN_THREADS;
  let row = index / tileColumns;
  return (firstInput + row) * params.weightStride + firstColumn + (index - row * tileColumns);
}

fn store(item: u32, row: u32, column: u32, value: f32) {
  if (row >= select(params.numRows, params.numRows / 3u, hasFlag(POOL)) || column >= params.numColumns) { return; }
  let outer = row / params.innerRows;
  let place = params.outBase + item * params.outItem + outer * params.outOuter
    + (row - outer * params.innerRows) * params.outInner + column;
  var result = value;
  if (hasFlag(ACCUMULATE)) {
    let before = out[place];
    result += before;
    if (hasFlag(SURVEY) && before != 0f) {
      let own = row % TILE_ROWS;
      atomicOr(&nonzero[ROW_WORDS + own / 32u], 1u << (own % 32u));
    }
  }
  result = max(result, params.slope * result);
  if (hasFlag(MASK)) {
    let entry = table[params.tableBase + outer];
    if (entry == 0u) {
      result = 0f;
    } else if (hasFlag(GATE)) {
      result *= gates[(entry - 1u) * params.numColumns + column];
    }
  }
  out[place] = result;
}

fn pooledValue(column: u32, row: u32, added: f32) -> f32 {
  let x = tileValue(column, row) + added;
  let y = tileValue(column, row + 1u) + added;
  let z = tileValue(column, row + 2u) + added;
  let greatest = max(max(x, y), z);
  return select(greatest, max(greatest, -min(min(x, y), z)), hasFlag(MAGNITUDE));
}

fn tileValue(column: u32, row: u32) -> f32 {
  return inputTile[column * GROUP_STRIDE + row / 4u][row % 4u];
}

// Whether a row of the tile has a value that is not zero; `first` is the first of the words.
fn isNonzero(first: u32, row: u32) -> bool {
  return ((atomicLoad(&nonzero[first + row / 32u]) >> (row % 32u)) & 1u) != 0u;
}

// Reports the rows of the tile with values that are not zero. Most rows belong to the item of the row before.
fn report(first: u32, word: u32, firstRow: u32, index: u32, numThreads: u32) {
  for (var own = index; own < min(TILE_ROWS, params.numRows - firstRow); own += numThreads) {
    if (!isNonzero(first, own)) { continue; }
    let entry = table[params.tableBase + (firstRow + own) / params.innerRows];
    if (entry == 0u) { continue; }
    if (own > 0u && isNonzero(first, own - 1u) && table[params.tableBase + (firstRow + own - 1u) / params.innerRows] == entry) { continue; }
    atomicStore(&found[(entry - 1u) * params.surveyStride + word], 1u);
  }
}

@compute @workgroup_size(COLUMN_THREADS, ROW_THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) place: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let numThreads = COLUMN_THREADS * ROW_THREADS;
  let tileColumns = PARTS * COLUMN_THREADS;
  let firstRow = group.y * TILE_ROWS;
  let firstColumn = group.x * tileColumns;
  let item = group.z;

  for (var i = index; i < GROUPS; i += numThreads) {
    let row = firstRow + 4u * i;
    starts[i] = vec4u(startOf(row), startOf(row + 1u), startOf(row + 2u), startOf(row + 3u));
  }
  workgroupBarrier();

  // Axes: column, group of rows.
  var a0 = vec4f();
  var a1 = vec4f();
  var a2 = vec4f();
  var b0 = vec4f();
  var b1 = vec4f();
  var b2 = vec4f();
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var d0 = vec4f();
  var d1 = vec4f();
  var d2 = vec4f();
  var e0 = vec4f();
  var e1 = vec4f();
  var e2 = vec4f();
  var f0 = vec4f();
  var f1 = vec4f();
  var f2 = vec4f();
  var g0 = vec4f();
  var g1 = vec4f();
  var g2 = vec4f();
  var h0 = vec4f();
  var h1 = vec4f();
  var h2 = vec4f();

  // Adjacent invocations load adjacent inputs.
  let ownInput = index % DEPTH;
  let normalize = hasFlag(NORMALIZE);
  let survey = hasFlag(SURVEY);
  // Four bits for each of this invocation's groups.
  var seen = 0u;
  let itemStart = params.inputBase + item * params.inputItem;
  for (var begin = 0u; begin < params.numInputs; begin += DEPTH) {
    let k = begin + ownInput;
    let exists = k < params.numInputs;
    let tap = k / params.tapLength;
    let offset = itemStart + tap * params.tapStride + (k - tap * params.tapLength);
    var factor = vec4f();
    if (normalize && exists) { factor = factors[item * params.channels + k % params.channels]; }
    var shift = 0u;
    for (var i = index / DEPTH; i < GROUPS; i += numThreads / DEPTH) {
      var values = vec4f();
      if (exists) {
        let first = starts[i] + offset;
        values = vec4f(input[first.x], input[first.y], input[first.z], input[first.w]);
        if (survey) {
          let bits = select(vec4u(), vec4u(1u, 2u, 4u, 8u), values != vec4f());
          seen |= (bits.x | bits.y | bits.z | bits.w) << shift;
          shift += 4u;
        }
        if (normalize) {
          values = (values - factor.x) * factor.y + factor.z;
          values = max(values, factor.w * values);
        }
      }
      inputTile[ownInput * GROUP_STRIDE + i] = values;
    }
    if (HALVES) {
      for (var i = 2u * index; i < DEPTH * tileColumns; i += 2u * numThreads) {
        let pair = unpack2x16float(weights[weightPlace(begin, firstColumn, i) / 2u]);
        weightTile[i] = pair.x;
        weightTile[i + 1u] = pair.y;
      }
    } else {
      for (var i = index; i < DEPTH * tileColumns; i += numThreads) {
        weightTile[i] = bitcast<f32>(weights[weightPlace(begin, firstColumn, i)]);
      }
    }
    workgroupBarrier();
    for (var i = 0u; i < DEPTH; i++) {
      let rows = i * GROUP_STRIDE + 3u * place.y;
      let x0 = inputTile[rows];
      let x1 = inputTile[rows + 1u];
      let x2 = inputTile[rows + 2u];
      let column = i * tileColumns + place.x;
      let wa = weightTile[column];
      let wb = weightTile[column + COLUMN_THREADS];
      let wc = weightTile[column + 2u * COLUMN_THREADS];
      let wd = weightTile[column + 3u * COLUMN_THREADS];
      a0 += wa * x0;
      a1 += wa * x1;
      a2 += wa * x2;
      b0 += wb * x0;
      b1 += wb * x1;
      b2 += wb * x2;
      c0 += wc * x0;
      c1 += wc * x1;
      c2 += wc * x2;
      d0 += wd * x0;
      d1 += wd * x1;
      d2 += wd * x2;
      if (PARTS > 4u) {
        let we = weightTile[column + 4u * COLUMN_THREADS];
        let wf = weightTile[column + 5u * COLUMN_THREADS];
        let wg = weightTile[column + 6u * COLUMN_THREADS];
        let wh = weightTile[column + 7u * COLUMN_THREADS];
        e0 += we * x0;
        e1 += we * x1;
        e2 += we * x2;
        f0 += wf * x0;
        f1 += wf * x1;
        f2 += wf * x2;
        g0 += wg * x0;
        g1 += wg * x1;
        g2 += wg * x2;
        h0 += wh * x0;
        h1 += wh * x1;
        h2 += wh * x2;
      }
    }
    workgroupBarrier();
  }

  if (survey) {
    for (var i = index / DEPTH; i < GROUPS; i += numThreads / DEPTH) {
      atomicOr(&nonzero[i / 8u], (seen & 15u) << (4u * (i % 8u)));
      seen >>= 4u;
    }
  }

  // Adjacent invocations store adjacent columns. The rows pass through the memory of the input tile, because the sums
  // would not stay in registers if the loop above used an array.
  var sums = array<vec4f, 24>(a0, a1, a2, b0, b1, b2, c0, c1, c2, d0, d1, d2, e0, e1, e2, f0, f1, f2, g0, g1, g2, h0, h1, h2);
  let pooled = hasFlag(POOL);
  let numValues = select(TILE_ROWS, TILE_ROWS / 3u, pooled) * COLUMN_THREADS;
  for (var part = 0u; part < PARTS; part++) {
    let ownGroup = place.x * GROUP_STRIDE + 3u * place.y;
    for (var i = 0u; i < 3u; i++) { inputTile[ownGroup + i] = sums[3u * part + i]; }
    workgroupBarrier();
    for (var i = index; i < numValues; i += numThreads) {
      let row = i / COLUMN_THREADS;
      let own = i - row * COLUMN_THREADS;
      var value = 0f;
      if (pooled) {
        value = pooledValue(own, 3u * row, bias[firstColumn + part * COLUMN_THREADS + own]);
      } else {
        value = tileValue(own, row) + bias[firstColumn + part * COLUMN_THREADS + own];
      }
      store(item, select(firstRow, firstRow / 3u, pooled) + row, firstColumn + part * COLUMN_THREADS + own, value);
    }
    workgroupBarrier();
  }
  if (survey) {
    report(0u, params.surveyBase, firstRow, index, numThreads);
    report(ROW_WORDS, params.surveyBase + 1u, firstRow, index, numThreads);
  }
}
