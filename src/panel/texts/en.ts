import type { Pair } from '../../compare/picture';
import type { AuditEntry, AuditFlag, BackendName, CauseId, DecisionKind, Outcome } from '../../compare/report';
import type { ShippedModel } from '../../store/manifest';
import { formatsIn } from '../../ui-kit/format';
import { figuresIn } from '../figures';
import type { HeatScale, JobKind, Notice, Reading } from '../state';

/** What the comparison panel calls each of a closed set of things in English; part of the table of its words. */

export const BACKENDS: Readonly<Record<BackendName, string>> = { wasm: 'WASM', webgpu: 'WebGPU', kernels: 'Own kernels (WASM)' };

/** With spaces that do not break before the dot: it would begin a line. */
export const PAIRS: Readonly<Record<Pair, string>> = {
  'golden-wasm': 'golden\u00a0· WASM',
  'golden-webgpu': 'golden\u00a0· WebGPU',
  'golden-kernels': 'golden\u00a0· own kernels',
  'wasm-webgpu': 'WASM\u00a0· WebGPU',
};

export const NOTICES: Readonly<Record<Notice, string>> = {
  busy: 'One thing at a time: what is in progress goes on, the new request was not taken.',
  cancelled: 'Cancelled. What was computed before is kept.',
};

export const JOBS: Readonly<Record<JobKind, string>> = {
  open: 'Opening',
  map: 'Naming a stage',
  compare: 'Comparing',
  audit: 'Auditing weights',
  bisect: 'Bisecting',
};

export const VERDICTS: Readonly<Record<Outcome, string>> = { pass: 'pass', fail: 'fail', incomplete: 'incomplete' };

export const READINGS: Readonly<Record<Reading, string>> = {
  'all-pass': 'Both backends reproduce the golden outputs.',
  'same-stage': 'Both backends differ at the same stage: look at the exported graph, not at a backend.',
  'webgpu-only': 'WASM reproduces the golden outputs and WebGPU does not: the graph is right, the GPU backend is not.',
  'wasm-only': 'WebGPU reproduces the golden outputs and WASM does not: the graph is right, the WASM backend is not.',
  'kernels-only': 'ONNX Runtime reproduces the golden outputs and our own kernels do not: the graph is right, a kernel is not.',
  'two-stages': 'The backends differ from the golden outputs at different stages: mend the earlier one first.',
  'one-backend': 'Run the other backend too: an error of the export is on both, one of a backend on that backend alone.',
};

/** What a cause is called, and where to look for it. */
export const CAUSES: Readonly<Record<CauseId, readonly [string, string]>> = {
  'permuted-axes': ['Permuted axes', 'A transpose is missing or doubled at the border of this stage.'],
  scaled: ['Constant factor', 'A scale is missing or applied twice: sample range, attention, normalization.'],
  offset: ['Constant offset', 'A bias or a mean is missing or applied twice.'],
  'shifted-frames': ['Shifted frames', 'Padding sits on the other side, or a frame is centered and not left-aligned.'],
  'frame-count': ['Another number of frames', 'Stride, padding or the length of the input differs.'],
  'channel-order': ['Another order of channels', 'Heads, filters or classes are sorted differently.'],
  'all-zeros': ['All zeros', 'Weights were not loaded, or the backend ran nothing.'],
  'zero-weights': ['Weights are zero', 'The checkpoint has another name for this layer: run the weights audit.'],
  'not-finite': ['NaN or Inf', 'Overflow, division by zero, or a logarithm of zero.'],
  'log-base': ['Another logarithm', 'Natural, base 10 and decibels are mixed up.'],
  'missing-mean': ['Mean not subtracted', 'Features are used with the mean over frames left in, or taken off twice.'],
  'fbank-window': ['Another filterbank setting', 'Window function, pre-emphasis or DC removal differ.'],
  'sample-scale': ['Another sample scale', 'Samples in [-1, 1] where 16-bit integers are meant, or the reverse.'],
  'lstm-gates': ['LSTM gate order', 'ONNX orders gates i, o, f, c; PyTorch i, f, g, o.'],
  'lstm-direction': ['LSTM directions swapped', 'Forward and backward weights changed places.'],
  'equals-stage': ['Values of another stage', 'A step between the two stages is missing or merged, or the stage has the wrong name.'],
  'missing-bias': ['Missing bias', 'The bias of a layer was not loaded, or is not part of the export.'],
  'other-bias': ['Another bias', 'The bias of a layer has other values, or a value with the same effect differs, such as the mean of a batch norm.'],
  'channel-scale': ['Another scale in each channel', 'A normalization or the scales of quantized weights are missing or applied twice.'],
  'float16-overflow': ['float16 overflow', 'The values exceed 65504. Compute this stage in float32.'],
  'weight-transposed': ['Transposed weight', 'A square weight is transposed: PyTorch stores (out, in), MatMul reads (in, out).'],
  epsilon: ['Another epsilon', 'Set the epsilon of the normalization to that of the original model.'],
  'norm-groups': ['Another number of groups', 'Set the number of groups of the normalization to that of the original model.'],
  activation: ['Another activation function', 'Check which function the original model uses, such as GELU by erf or by tanh.'],
  'softmax-axis': ['Softmax along another axis', 'Check the axis of the softmax, also after a transpose.'],
  'attention-scale': ['Scale of the attention scores', 'The division by √d is missing or done twice.'],
  'causal-mask': ['Causal mask', 'The mask of the attention is missing, or the original model has none.'],
  'query-key-swapped': ['Queries and keys exchanged', 'The weights of the two projections changed places.'],
  'interleaved-heads': ['Interleaved heads', 'The reshape into heads reads (head, channel) as (channel, head), or the reverse.'],
  'conv-kernel': ['Kernel of a convolution', 'The taps are flipped or transposed, or the channels are in another order.'],
  padding: ['Other padding', 'The padding is on another side, or has other values than in the original model.'],
  gru: ['Other kind of GRU', 'PyTorch orders the gates r, z, n and needs linear_before_reset = 1; ONNX orders them z, r, h.'],
  'batch-norm-training': ['Batch norm in training mode', 'One side normalizes by the statistics of the batch. Call model.eval() before the export.'],
  'resize-mode': ['Other resize mode', 'The interpolation, or the position of its sample points, differs.'],
  pooling: ['Other pooling', 'The pooling takes the mean or the greatest value, counts its padding or not, or rounds its size up or down.'],
  'double-preprocessing': ['Input normalized twice', 'The graph normalizes its input by itself: feed it the raw input.'],
  'rounded-weights': ['Rounded weights', 'The golden outputs come from a model with weights in float16, bfloat16 or int8.'],
  'negated-weight': ['Weight with the other sign', 'One weight of a layer was negated.'],
  'zero-point': ['Other zero point', 'The zero point of quantized values differs.'],
  'batch-dependent': ['Depends on the batch size', 'Padding or normalization reaches across the batch.'],
  'run-to-run': ['Differs from run to run', 'A race in the backend, dropout left on, or random numbers in the graph.'],
  accumulated: ['Accumulated rounding', 'Each stage is within tolerance on golden input, and no segment before it causes most of the error.'],
};

export const FLAGS: Readonly<Record<AuditFlag, string>> = {
  'all-zero': 'all zero',
  initial: 'initial values',
  'not-finite': 'NaN or Inf',
  unmatched: 'unmatched',
  permuted: 'permuted',
  reordered: 'reordered',
  'values-differ': 'values differ',
  'shape-differs': 'shape differs',
  misaligned: 'misaligned',
};

export const MATCHES: Readonly<Record<NonNullable<AuditEntry['match']>['how'], string>> = {
  name: 'by name',
  bytes: 'by bytes',
  permuted: 'permuted',
  reordered: 'reordered',
};

export const SHIPPED: Readonly<Record<ShippedModel, string>> = { 'segmentation-3.0': 'segmentation-3.0', 'campplus-zh-en': 'CAM++' };
export const SCALES: Readonly<Record<HeatScale, string>> = { log: 'Log', linear: 'Linear' };

/** Every word of the comparison panel in English. Its shape is that of the other languages. */

const { bytes: bytesText, count, decimal, percent } = formatsIn('en');
const { figure, secondsText, shortFigure } = figuresIn('en');
const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;

export const compareEn = {
  tagline: 'Finds the first layer of a port that differs from the original. Nothing leaves this machine.',
  link: { href: './', label: 'Diarize a recording' },
  backends: BACKENDS,
  pairs: PAIRS,
  verdicts: VERDICTS,
  notices: NOTICES,
  jobs: JOBS,
  jobOn: (job: string, subject: string): string => `${job} ${subject}`,
  pageTitle: {
    empty: 'Voxlane: find the layer that is wrong',
    working: (job: string, subject: string): string => `${job} ${subject} · Voxlane`,
    opened: (model: string): string => `${model} · Voxlane`,
    divergence: (stage: string, model: string): string => `${stage} diverges · ${model} · Voxlane`,
  },
  drop: {
    ready: 'Drop to open these files',
    busy: 'One thing at a time: cancel what is in progress first',
  },

  empty: {
    heading: 'Find the layer that is wrong',
    lead: 'Drop a model and its golden outputs anywhere on this page. Every layer is run here and compared with what the original gave.',
    choose: 'Choose files',
    folder: 'Choose a folder',
    shipped: 'Or compare a model of this app with its golden outputs',
    models: SHIPPED,
    facts: [
      ['Golden outputs', 'A bundle (.zip), a folder, .npz, .npy or .safetensors'],
      ['Model', 'Any .onnx; not needed for a bundle of a model of this app'],
      ['Checkpoint', '.safetensors, .npz or .gguf, for the weights audit'],
      ['No golden outputs?', 'A model alone is bisected: WebGPU against WASM, down to one node'],
    ] as readonly (readonly [string, string])[],
  },

  bench: {
    label: 'Model',
    shipped: 'of this app',
    summary: (stages: number, nodes: number): string => `${plural(stages, 'stage', 'stages')} with golden outputs · ${plural(nodes, 'node', 'nodes')}`,
    summaryAlone: (nodes: number): string => `${plural(nodes, 'node', 'nodes')}, no golden outputs: WebGPU can be bisected against WASM`,
    again: 'Open others',
    backends: 'Run on',
    both: 'Both',
    thorough: 'Check repeatability',
    thoroughHint: 'Runs everything twice, and once at another batch size.',
    run: 'Run the comparison',
    bisect: 'Bisect WebGPU against WASM',
    bisectTolerance: 'tolerance',
    bisectToleranceHint: 'Greatest difference that counts as none, relative to the greatest value of a tensor',
    bisectDefault: 'default',
    audit: 'Audit the weights',
    auditAgainst: (file: string): string => `Audit the weights against ${file}`,
    noGpu: 'WebGPU cannot be chosen: this browser does not offer it.',
    noAdapter: 'WebGPU cannot be chosen: this machine has no adapter for it.',
    cancel: 'Cancel',
    escape: 'Esc',
    waiting: 'Starting',
    progress: (step: string, fraction: number): string => `${step}: ${percent(fraction)}`,
  },
  mapping: {
    heading: (n: number): string => `${plural(n, 'stage', 'stages')} without a value in the graph`,
    hint: 'Name the value that each is, and it will be compared.',
    label: (stage: string): string => `Graph value of ${stage}`,
    placeholder: 'value name',
    unknown: 'The graph has no value of this name.',
  },

  verdict: {
    label: 'Result',
    pass: (stages: number): string => `All ${plural(stages, 'stage', 'stages')} pass`,
    passPart: (compared: number, total: number): string => `${count(compared)} of ${plural(total, 'stage', 'stages')} compared, all of them pass`,
    incomplete: (compared: number, total: number): string => `Too little compared for a result: ${count(compared)} of ${plural(total, 'stage', 'stages')}`,
    part: (compared: number, total: number): string => `${count(compared)} of ${plural(total, 'stage', 'stages')} compared.`,
    uncompared: (names: string): string => `Not compared: ${names}.`,
    mergedWith: (stage: string): string => `merged with ${stage}`,
    noOutput: 'No output of the graph was compared.',
    gap: (names: string): string => `The first divergence may be earlier: ${names} before it could not be compared.`,
    andMore: (n: number): string => `and ${count(n)} more`,
    decisions: (kind: DecisionKind, unit: 'frame' | 'item' | 'row', differing: number, total: number): string => {
      const [isOne, of] = [differing === 1, `${count(differing)} of ${count(total)}`];
      if (kind === 'class') return `${of} ${unit}s ${isOne ? 'has' : 'have'} another class`;
      if (kind === 'threshold') return `${of} values ${isOne ? 'is' : 'are'} on the other side of the threshold`;
      if (kind === 'rank') return `${of} places of the ranking ${isOne ? 'has' : 'have'} another item`;
      return `${of} values ${isOne ? 'differs' : 'differ'}`;
    },
    nearTies: (n: number, differing: number): string => (n < differing ? `${count(n)} of them near ties` : differing === 1 ? 'a near tie' : 'all of them near ties'),
    decisionCauses: (stages: string): string => `Decisions that differ, by the first stage that causes them: ${stages}.`,
    fail: 'First divergence:',
    goTo: 'Show this stage',
    failNowhere: 'Fails, and no stage is wrong by itself',
    readings: READINGS,
    backend: (failing: number, total: number, seconds: number): string =>
      `${failing === 0 ? `${count(total)} of ${count(total)} pass` : `${count(failing)} of ${plural(total, 'stage', 'stages')} fail`} · ${decimal(seconds, 2)} s`,
    first: (stage: string): string => `first divergence ${stage}`,
    edited: "Judged by tolerances edited here, not the bundle's.",
    reset: "Back to the bundle's",
    save: 'Save report',
    saveLabel: 'Save the report as JSON',
    print: 'Print',
  },

  table: {
    label: 'Stages',
    columns: {
      stage: 'Stage',
      pair: 'Pair',
      verdict: 'Verdict',
      forced: 'On golden input',
      maxAbs: 'Max abs',
      meanAbs: 'Mean abs',
      relative: 'Relative',
      cosine: 'Cosine',
      snr: 'SNR dB',
      argmax: 'Argmax',
      odd: 'NaN / Inf / 0',
      worst: 'Worst at',
    },
    inherited: 'inherited',
    inheritedHint: 'Fails only because a stage before it does.',
    mootHint: 'The stage passes on its own input: what differs is the golden output that was put in.',
    forcedHint: 'The same stage with the golden output of the stages before it put in.',
    golden: (shape: string): string => `golden ${shape}`,
    ours: (shape: string): string => `ours ${shape}`,
    allowed: (rtol: number | null, maxAbs: number, cosine: number): string =>
      [rtol !== null && `relative ≤ ${figure(rtol)}`, maxAbs !== Infinity && `max abs ≤ ${figure(maxAbs)}`, `cosine ≥ ${cosine}`].filter(Boolean).join(', '),
    edited: 'edited',
    search: 'Search stages',
    onlyFailing: 'Failing only',
    shown: (shown: number, total: number): string => (shown === total ? plural(total, 'stage', 'stages') : `${count(shown)} of ${plural(total, 'stage', 'stages')}`),
    none: 'No stage matches.',
    keys: [
      ['↑ ↓', 'stage by stage'],
      ['← →', 'frame by frame in the heatmap'],
      ['Enter', 'play around the frame'],
    ] as readonly (readonly [string, string])[],
    keysLabel: 'Keys',
  },
  causes: {
    names: CAUSES,
    heading: 'Likely cause',
    note: 'Note',
    on: (backend: string): string => `on ${backend}`,
  },
  tolerances: {
    summary: 'Tolerances',
    hint: "Try others here. What the report and the command say stays judged by the bundle's.",
    all: 'All stages',
    rtol: 'Greatest relative error',
    maxAbs: 'Greatest absolute error',
    cosine: 'Least cosine',
    field: (what: string, stage: string): string => `${what} of ${stage}`,
    reset: 'Reset',
  },

  detail: {
    label: 'Stage',
    pair: 'Compared',
    scale: 'Color scale',
    scales: SCALES,
    heat: 'Absolute error',
    waveform: 'Waveform',
    playWorst: 'Play the worst second',
    stop: 'Stop',
    drawing: 'Drawing',
    worst: (place: string, values: string): string => `Worst at ${place}: ${values}`,
    quantiles: (median: string, p90: string, p99: string): string => `Errors: 50 % ≤ ${median}, 90 % ≤ ${p90}, 99 % ≤ ${p99}`,
    allowed: (bounds: string): string => `Tolerance: ${bounds}`,
    time: 'time, s',
    back: 'Back to the table',
    none: 'No picture of this stage.',
    whyNone: (problem: string, remedy: string | null): string => [problem, remedy].flatMap((words) => (words ? `${words}.` : [])).join(' '),
    tolerance: 'tolerance',
    notFinite: 'not finite',
    histogram: 'Errors by size',
    histogramZeros: (zeros: number): string => `${plural(zeros, 'value is', 'values are')} exactly equal`,
    slice: (axis: string, column: number): string => `Golden against ours at ${axis} ${column}`,
    sliceBetween: (axis: string, column: number): string => `WASM against WebGPU at ${axis} ${column}`,
    sliceWhole: 'Value by value',
    sides: { golden: 'golden', wasm: 'WASM', webgpu: 'WebGPU', kernels: 'own kernels' },
    values: 'values',
    error: 'error',
    at: (axis: string, index: number, seconds: number | null): string =>
      `${axis} ${index}${seconds === null ? '' : ` · ${secondsText(seconds)}`}`,
    cell: (row: string | null, error: number): string => `${row === null ? '' : `${row} · `}error ${figure(error)}`,
    range: (axis: string, first: number, last: number): string => `${axis} ${first === last ? first : `${first}–${last}`}`,
    slider: 'Frame shown',
    unnamedAxis: (index: number): string => `axis ${index}`,
    onlyValue: 'its only value',
    heatAlternative: (stage: string, pair: string, shape: string, maxError: number, where: string): string =>
      `Heatmap of the absolute error of ${stage}, ${pair}, ${shape}. Greatest error ${figure(maxError)}, worst at ${where}.`,
    histogramBin: (values: number, from: number, to: number): string => `${count(values)} from ${shortFigure(from)} to ${shortFigure(to)}`,
    histogramAlternative: (bins: string): string => `Histogram of absolute errors: ${bins || 'no error at all'}.`,
    sliceAlternative: (axis: string, values: number, worst: number): string =>
      `Line plot of both sides along ${axis}, ${plural(values, 'value', 'values')}, at most ${figure(worst)} apart.`,
    waveformAlternative: (seconds: number): string => `Waveform of the input, ${secondsText(seconds)}, on the time axis of the heatmap.`,
  },

  neighborhood: {
    heading: 'In the graph',
    value: 'Value',
    module: 'Module',
    weight: 'weight',
    input: 'input of the graph',
    before: 'Stages before',
    fromStart: 'none: computed from the inputs of the graph',
    nodes: (n: number): string => `${plural(n, 'node', 'nodes')} from there to this stage`,
    readers: 'Read by',
    none: 'No node of the graph computes this stage.',
  },
  audit: {
    heading: 'Weights audit',
    clean: (n: number): string => `Nothing odd in ${plural(n, 'tensor', 'tensors')}`,
    flagged: (flagged: number, n: number): string => `${count(flagged)} of ${plural(n, 'tensor', 'tensors')} flagged`,
    onlyFlagged: 'Only flagged',
    graph: 'Graph',
    columns: {
      tensor: 'Tensor',
      dtype: 'Type',
      shape: 'Shape',
      mean: 'Mean',
      spread: 'Spread',
      zeros: 'Zeros',
      nonFinite: 'NaN, Inf',
      match: 'Match',
      sha256: 'SHA-256',
    },
    flags: FLAGS,
    matches: MATCHES,
    none: 'No tensor is flagged.',
  },
  bisect: {
    heading: 'WebGPU against WASM',
    pass: 'No value of the graph differs',
    fail: 'First node that differs:',
    facts: (nodes: number, probes: number, tolerance: number): string =>
      `${plural(nodes, 'node', 'nodes')}, ${plural(probes, 'session', 'sessions')} made, relative tolerance ${figure(tolerance)}`,
    op: 'Op',
    inputs: 'Inputs',
    outputs: 'Outputs',
    attributes: 'Attributes',
    whole: 'In the whole graph',
    alone: "Alone, on WASM's inputs",
    aloneFails: 'The node is wrong by itself. The bug report holds it, its inputs and what WASM gives.',
    range: (first: string, last: string): string => `Accumulated between ${first} and ${last}`,
    rangeReading: (nodes: number): string =>
      `${plural(nodes, 'node', 'nodes')}, each right by itself: rounding that adds up, or a fused kernel. The bug report holds these nodes.`,
    download: 'Download the bug report',
  },
  facts: {
    graph: 'Graph',
    goldens: 'Golden outputs',
    machine: 'This machine',
    sha256: 'SHA-256',
    producer: 'Producer',
    opset: 'Opset',
    nodes: 'Nodes',
    size: 'Size',
    inputs: 'Inputs',
    input: (name: string, dtype: string, shape: string): string => `${name}: ${dtype} ${shape}`,
    file: 'File',
    checkpoint: 'Checkpoint',
    notes: 'Notes',
    bytes: (bytes: number): string => bytesText(bytes),
  },
  failure: {
    label: (job: string | null): string => (job === null ? 'Did not work' : `${job} did not work`),
    problem: 'What was wrong',
    expected: 'What was expected',
    remedy: 'What you can do',
    code: (code: string): string => `Code: ${code}`,
    dismiss: 'Dismiss',
    kept: 'What was computed before is still below.',
  },
  announce: {
    opened: (model: string): string => `${model} is open.`,
    stage: (name: string, verdict: string): string => `${name}, ${verdict}`,
    bisected: (node: string | null): string => (node === null ? 'No node differs.' : `The first node that differs is ${node}.`),
    audited: (flagged: number): string => `Audit done, ${plural(flagged, 'tensor', 'tensors')} flagged.`,
  },
};

export type CompareWords = typeof compareEn;
