import type { Pair } from '../../compare/picture';
import type { AuditEntry, AuditFlag, BackendName, CauseId, DecisionKind, Outcome } from '../../compare/report';
import type { ShippedModel } from '../../store/manifest';
import { formatsIn } from '../../ui-kit/format';
import { figuresIn } from '../figures';
import type { HeatScale, JobKind, Notice, Reading } from '../state';

/** English names for closed sets of values; part of the text table of the comparison panel. */

export const BACKENDS: Readonly<Record<BackendName, string>> = { wasm: 'WASM', webgpu: 'WebGPU', kernels: 'Voxlane kernels (WASM)' };

/** No-break spaces keep the dot from starting a line. */
const PAIRS: Readonly<Record<Pair, string>> = {
  'golden-wasm': 'golden\u00a0· WASM',
  'golden-webgpu': 'golden\u00a0· WebGPU',
  'golden-kernels': 'golden\u00a0· Voxlane kernels',
  'wasm-webgpu': 'WASM\u00a0· WebGPU',
};

const NOTICES: Readonly<Record<Notice, string>> = {
  busy: 'Another task is still in progress. The new request was ignored.',
  cancelled: 'Canceled. Earlier results are kept.',
};

const JOBS: Readonly<Record<JobKind, string>> = {
  open: 'Opening',
  map: 'Mapping',
  form: 'Converting the weights to',
  step: 'Selecting a step',
  compare: 'Comparing',
  audit: 'Auditing',
  bisect: 'Bisecting',
};

const VERDICTS: Readonly<Record<Outcome, string>> = { pass: 'pass', fail: 'fail', incomplete: 'incomplete' };

const READINGS: Readonly<Record<Reading, string>> = {
  'all-pass': 'Both backends match the golden outputs.',
  'same-stage': 'Both backends diverge at the same stage: check the exported graph, not a backend.',
  'webgpu-only': 'WASM matches the golden outputs, but WebGPU does not: the graph is correct, the GPU backend is not.',
  'wasm-only': 'WebGPU matches the golden outputs, but WASM does not: the graph is correct, the WASM backend is not.',
  'kernels-only': 'ONNX Runtime matches the golden outputs, but the Voxlane kernels do not: the graph is correct, a kernel is not.',
  'two-stages': 'The backends diverge from the golden outputs at different stages: fix the earlier one first.',
  'one-backend': 'Run the other backend too: an export error shows on both, a backend error on that backend only.',
};

/** The name of each cause, and where to look for it. */
const CAUSES: Readonly<Record<CauseId, readonly [string, string]>> = {
  'permuted-axes': ['Permuted axes', 'A transpose is missing or duplicated at the boundary of this stage.'],
  scaled: ['Constant factor', 'A scale is missing or applied twice: sample range, attention, normalization.'],
  offset: ['Constant offset', 'A bias or a mean is missing or applied twice.'],
  'shifted-frames': ['Shifted frames', 'Padding is on the wrong side, or a frame is centered instead of left-aligned.'],
  'frame-count': ['Different number of frames', 'The stride, padding, or input length differs.'],
  'channel-order': ['Different channel order', 'Heads, filters, or classes are sorted differently.'],
  'all-zeros': ['All zeros', 'Weights were not loaded, or the backend computed nothing.'],
  'zero-weights': ['Weights are zero', 'This layer has a different name in the checkpoint: run the weights audit.'],
  'not-finite': ['NaN or Inf', 'Overflow, division by zero, or logarithm of zero.'],
  'log-base': ['Different logarithm', 'Natural logarithm, base 10, and decibels are mixed up.'],
  'missing-mean': ['Mean not subtracted', 'The mean over frames was not subtracted from the features, or was subtracted twice.'],
  'fbank-window': ['Different filterbank settings', 'The window function, pre-emphasis, or DC removal differs.'],
  'sample-scale': ['Different sample scale', 'Samples are in [-1, 1] instead of 16-bit integers, or vice versa.'],
  'lstm-gates': ['LSTM gate order', 'ONNX orders gates i, o, f, c; PyTorch i, f, g, o.'],
  'lstm-direction': ['LSTM directions swapped', 'Forward and backward weights are swapped.'],
  'equals-stage': ['Values of a different stage', 'A step between the two stages is missing or fused, or the stage is misnamed.'],
  'missing-bias': ['Missing bias', 'The bias of a layer was not loaded or is missing from the export.'],
  'other-bias': ['Different bias', 'The bias of a layer differs, or a value with the same effect, such as the mean of a batch norm.'],
  'channel-scale': ['Different scale per channel', 'A normalization or the scales of quantized weights are missing or applied twice.'],
  'float16-overflow': ['float16 overflow', 'The values exceed 65504. Compute this stage in float32.'],
  'weight-transposed': ['Transposed weight', 'A square weight is transposed: PyTorch stores (out, in), MatMul reads (in, out).'],
  epsilon: ['Different epsilon', 'Set the epsilon of the normalization to the value in the original model.'],
  'norm-groups': ['Different number of groups', 'Set the number of normalization groups to the value in the original model.'],
  activation: ['Different activation function', 'Check which function the original model uses, such as GELU with erf or with tanh.'],
  'softmax-axis': ['Softmax along a different axis', 'Check the softmax axis, including after a transpose.'],
  'attention-scale': ['Attention scale', 'The division by √d is missing or applied twice.'],
  'causal-mask': ['Causal mask', 'The attention mask is missing, or the original model has none.'],
  'query-key-swapped': ['Queries and keys swapped', 'The weights of the two projections are swapped.'],
  'interleaved-heads': ['Interleaved heads', 'The reshape into heads reads (head, channel) as (channel, head), or vice versa.'],
  'conv-kernel': ['Convolution kernel', 'The kernel is flipped or transposed, or the channels are in a different order.'],
  padding: ['Different padding', 'The padding is on a different side or has different values than in the original model.'],
  gru: ['Different GRU variant', 'PyTorch orders the gates r, z, n and needs linear_before_reset = 1; ONNX orders them z, r, h.'],
  'batch-norm-training': ['Batch norm in training mode', 'One side normalizes with batch statistics. Call model.eval() before the export.'],
  'resize-mode': ['Different resize mode', 'The interpolation or the position of its sample points differs.'],
  pooling: ['Different pooling', 'Mean or max pooling, counting of the padding, or rounding of the output size differs.'],
  'double-preprocessing': ['Input normalized twice', 'The graph normalizes its input internally: feed it the raw input.'],
  'rounded-weights': ['Rounded weights', 'The golden outputs come from a model with float16, bfloat16, or int8 weights.'],
  'negated-weight': ['Negated weight', 'One weight of a layer has the opposite sign.'],
  'zero-point': ['Different zero point', 'The zero point of quantized values differs.'],
  'batch-dependent': ['Depends on the batch size', 'Padding or normalization reaches across the batch.'],
  'run-to-run': ['Differs from run to run', 'A race in the backend, active dropout, or random numbers in the graph.'],
  accumulated: ['Accumulated rounding', 'Each stage is within tolerance on golden input, and no single section before it causes most of the error.'],
};

const FLAGS: Readonly<Record<AuditFlag, string>> = {
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

const MATCHES: Readonly<Record<NonNullable<AuditEntry['match']>['how'], string>> = {
  name: 'by name',
  bytes: 'by bytes',
  permuted: 'permuted',
  reordered: 'reordered',
};

export const SHIPPED: Readonly<Record<ShippedModel, string>> = { 'segmentation-3.0': 'segmentation-3.0', 'campplus-zh-en': 'CAM++' };
const SCALES: Readonly<Record<HeatScale, string>> = { log: 'Log', linear: 'Linear' };

/** All texts of the comparison panel in English. The tables of the other languages have the same shape. */

const { bytes: bytesText, count, decimal, percent } = formatsIn('en');
const { figure, secondsText, shortFigure } = figuresIn('en');
const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;

export const compareEn = {
  tagline: 'Finds the first layer of a ported model that differs from the original. Nothing leaves this machine.',
  link: { href: './', label: 'Diarize a recording' },
  backends: BACKENDS,
  pairs: PAIRS,
  verdicts: VERDICTS,
  notices: NOTICES,
  jobs: JOBS,
  jobOn: (job: string, subject: string): string => `${job} ${subject}`,
  pageTitle: {
    empty: 'Voxlane: find the faulty layer',
    working: (job: string, subject: string): string => `${job} ${subject} · Voxlane`,
    opened: (model: string): string => `${model} · Voxlane`,
    divergence: (stage: string, model: string): string => `${stage} diverges · ${model} · Voxlane`,
  },
  drop: {
    ready: 'Drop to open these files',
    busy: 'Another task is in progress. Cancel it first',
  },

  empty: {
    heading: 'Find the faulty layer',
    lead: 'Drop a model and its golden outputs anywhere on this page. Every layer is run here and compared with the output of the original.',
    choose: 'Choose files',
    folder: 'Choose a folder',
    shipped: 'Or compare a bundled model with its golden outputs',
    models: SHIPPED,
    facts: [
      ['Golden outputs', 'A bundle (.zip), a folder, .npz, .npy, or .safetensors'],
      ['Model', 'Any .onnx file; not needed with a golden bundle of a bundled model'],
      ['Checkpoint', '.safetensors, .npz, or .gguf, for the weights audit'],
      ['No golden outputs?', 'Open a model alone to bisect WebGPU against WASM, down to a single node'],
    ] as readonly (readonly [string, string])[],
  },

  bench: {
    label: 'Model',
    shipped: 'bundled',
    summary: (stages: number, nodes: number): string => `${plural(stages, 'stage', 'stages')} with golden outputs · ${plural(nodes, 'node', 'nodes')}`,
    summaryAlone: (nodes: number): string => `${plural(nodes, 'node', 'nodes')}, no golden outputs: WebGPU can be bisected against WASM`,
    again: 'Open other files',
    backends: 'Run on',
    both: 'Both',
    thorough: 'Check repeatability',
    thoroughHint: 'Runs everything twice, and once with a different batch size.',
    run: 'Run the comparison',
    bisect: 'Bisect WebGPU against WASM',
    bisectTolerance: 'tolerance',
    bisectToleranceHint: 'Largest difference to ignore, relative to the largest value of a tensor',
    bisectDefault: 'default',
    audit: 'Audit the weights',
    auditAgainst: (file: string): string => `Audit the weights against ${file}`,
    noGpu: 'WebGPU is unavailable: this browser does not support it.',
    noAdapter: 'WebGPU is unavailable: no compatible adapter was found.',
    cancel: 'Cancel',
    escape: 'Esc',
    waiting: 'Starting',
    progress: (step: string, fraction: number): string => `${step}: ${percent(fraction)}`,
  },
  mapping: {
    heading: (n: number): string => `${plural(n, 'stage', 'stages')} without a value in the graph`,
    hint: 'Enter the graph value for each stage to include it in the comparison.',
    label: (stage: string): string => `Graph value of ${stage}`,
    placeholder: 'value name',
    unknown: 'The graph has no value with this name.',
  },

  steps: {
    heading: 'Steps',
    hint: 'Each step is computed from the golden state, which gives the error of this step alone, and from our own state, which adds the drift.',
    notCompared: 'Compare to see the errors of all steps.',
    form: 'Form of the weights',
    previous: 'Previous step',
    next: 'Next step',
    name: (index: number): string => `Step ${index}`,
    stateName: 'state',
    stagesOf: 'Relative errors of the selected step',
    names: { pass: 'pass', step: 'error of the step', drift: 'drift of the state' },
    pass: 'all steps pass.',
    fail: (step: number, stage: string, kind: string): string => `first in step ${step}: ${stage}, ${kind}.`,
    perTenThousand: (golden: string, own: string): string => `Of 10,000 decisions, ${golden} differ from the golden state and ${own} from our own.`,
    mostBy: (stage: string, count: number, total: number): string => `${stage} causes ${count} of ${total} differing decisions, frames of the state included.`,
    frames: (frames: number, others: number): string => `${count(frames)}, ${count(others)} other`,
    otherNumber: (frames: number, golden: number): string => `${count(frames)}, golden ${count(golden)}`,
    columns: {
      step: 'Step',
      time: 'Time',
      verdict: 'Verdict',
      first: 'First responsible',
      state: 'Frames of the state',
      stage: 'Stage',
      golden: 'From the golden state',
      own: 'From our own state',
      drift: 'Drift',
    },
  },

  verdict: {
    label: 'Result',
    pass: (stages: number): string => (stages === 1 ? 'The only stage passes' : `All ${count(stages)} stages pass`),
    passPart: (compared: number, total: number): string => `${count(compared)} of ${plural(total, 'stage', 'stages')} compared, all pass`,
    incomplete: (compared: number, total: number): string => `Not enough compared for a result: ${count(compared)} of ${plural(total, 'stage', 'stages')}`,
    part: (compared: number, total: number): string => `${count(compared)} of ${plural(total, 'stage', 'stages')} compared.`,
    uncompared: (names: string): string => `Not compared: ${names}.`,
    mergedWith: (stage: string): string => `merged with ${stage}`,
    noOutput: 'No output of the graph was compared.',
    gap: (names: string): string => `The first divergence may be earlier. Not compared before it: ${names}.`,
    andMore: (n: number): string => `and ${count(n)} more`,
    decisions: (kind: DecisionKind, unit: 'frame' | 'item' | 'row', differing: number, total: number): string => {
      const [isOne, of] = [differing === 1, `${count(differing)} of ${count(total)}`];
      if (kind === 'class') return `${of} ${unit}s ${isOne ? 'has' : 'have'} a different class`;
      if (kind === 'threshold') return `${of} values ${isOne ? 'is' : 'are'} on the other side of the threshold`;
      if (kind === 'rank') return `${of} ranks ${isOne ? 'has' : 'have'} a different item`;
      return `${of} values ${isOne ? 'differs' : 'differ'}`;
    },
    nearTies: (n: number, differing: number): string => (n < differing ? `${count(n)} of them near ties` : differing === 1 ? 'a near tie' : 'all of them near ties'),
    decisionCauses: (stages: string): string => `Differing decisions, by the first stage that causes them: ${stages}.`,
    fail: 'First divergence:',
    goTo: 'Show this stage',
    failNowhere: 'Fails, but no single stage is at fault',
    readings: READINGS,
    backend: (failing: number, total: number, seconds: number): string =>
      `${failing === 0 ? `${count(total)} of ${count(total)} pass` : `${count(failing)} of ${plural(total, 'stage', 'stages')} ${failing === 1 ? 'fails' : 'fail'}`} · ${decimal(seconds, 2)} s`,
    first: (stage: string): string => `first divergence ${stage}`,
    edited: 'Judged by the tolerances edited here, not those of the bundle.',
    reset: 'Restore bundle tolerances',
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
    inheritedHint: 'Fails only because an earlier stage fails.',
    mootHint: 'The stage fails on golden input only. It passes on computed input, so it is not counted as an error.',
    forcedHint: 'The same stage, with the golden outputs of earlier stages as input.',
    golden: (shape: string): string => `golden ${shape}`,
    ours: (shape: string): string => `computed ${shape}`,
    allowed: (rtol: number | null, maxAbs: number, cosine: number): string =>
      [rtol !== null && `relative ≤ ${figure(rtol)}`, maxAbs !== Infinity && `max abs ≤ ${figure(maxAbs)}`, `cosine ≥ ${cosine}`].filter(Boolean).join(', '),
    edited: 'edited',
    search: 'Search stages',
    onlyFailing: 'Failing only',
    shown: (shown: number, total: number): string => (shown === total ? plural(total, 'stage', 'stages') : `${count(shown)} of ${plural(total, 'stage', 'stages')}`),
    none: 'No stage matches.',
    keys: [
      ['↑ ↓', 'previous or next stage'],
      ['← →', 'previous or next frame in the heatmap'],
      ['Enter', 'play around the frame'],
    ] as readonly (readonly [string, string])[],
    keysLabel: 'Keyboard shortcuts',
  },
  causes: {
    names: CAUSES,
    heading: 'Likely cause',
    note: 'Note',
    on: (backend: string): string => `on ${backend}`,
  },
  tolerances: {
    summary: 'Tolerances',
    hint: 'Try other tolerances here. The report and the command still use those of the bundle.',
    all: 'All stages',
    rtol: 'Maximum relative error',
    maxAbs: 'Maximum absolute error',
    cosine: 'Minimum cosine',
    field: (what: string, stage: string): string => `${what}, ${stage}`,
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
    none: 'No plots for this stage.',
    whyNone: (problem: string, remedy: string | null): string => [problem, remedy].flatMap((words) => (words ? `${words}.` : [])).join(' '),
    tolerance: 'tolerance',
    notFinite: 'not finite',
    histogram: 'Errors by size',
    histogramZeros: (zeros: number): string => `${plural(zeros, 'value is', 'values are')} exactly equal`,
    slice: (axis: string, column: number): string => `Golden and computed values at ${axis} ${column}`,
    sliceBetween: (axis: string, column: number): string => `WASM and WebGPU values at ${axis} ${column}`,
    sliceWhole: 'Value by value',
    sides: { golden: 'golden', wasm: 'WASM', webgpu: 'WebGPU', kernels: 'Voxlane kernels' },
    values: 'values',
    error: 'error',
    at: (axis: string, index: number, seconds: number | null): string =>
      `${axis} ${index}${seconds === null ? '' : ` · ${secondsText(seconds)}`}`,
    cell: (row: string | null, error: number): string => `${row === null ? '' : `${row} · `}error ${figure(error)}`,
    range: (axis: string, first: number, last: number): string => `${axis} ${first === last ? first : `${first}–${last}`}`,
    slider: 'Frame shown',
    unnamedAxis: (index: number): string => `axis ${index}`,
    onlyValue: 'the only value',
    heatAlternative: (stage: string, pair: string, shape: string, maxError: number, where: string): string =>
      `Heatmap of the absolute error of ${stage}, ${pair}, ${shape}. Maximum error ${figure(maxError)} at ${where}.`,
    histogramBin: (values: number, from: number, to: number): string => `${count(values)} from ${shortFigure(from)} to ${shortFigure(to)}`,
    histogramAlternative: (bins: string): string => `Histogram of absolute errors: ${bins || 'no errors'}.`,
    sliceAlternative: (axis: string, values: number, worst: number): string =>
      `Line plot of both sides along ${axis}, ${plural(values, 'value', 'values')}, at most ${figure(worst)} apart.`,
    waveformAlternative: (seconds: number): string => `Waveform of the input, ${secondsText(seconds)}, on the time axis of the heatmap.`,
  },

  neighborhood: {
    heading: 'In the graph',
    value: 'Value',
    module: 'Module',
    weight: 'weight',
    input: 'graph input',
    before: 'Preceding stages',
    fromStart: 'none: computed from the graph inputs',
    nodes: (n: number): string => `${plural(n, 'node', 'nodes')} from there to this stage`,
    readers: 'Read by',
    none: 'No node of the graph computes this stage.',
  },
  audit: {
    heading: 'Weights audit',
    clean: (n: number): string => `No problems found in ${plural(n, 'tensor', 'tensors')}`,
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
    pass: 'No graph value differs',
    fail: 'First node that differs:',
    facts: (nodes: number, probes: number, tolerance: number): string =>
      `${plural(nodes, 'node', 'nodes')}, ${plural(probes, 'session', 'sessions')} created, relative tolerance ${figure(tolerance)}`,
    op: 'Op',
    inputs: 'Inputs',
    outputs: 'Outputs',
    attributes: 'Attributes',
    whole: 'In the full graph',
    alone: 'Alone, on the WASM inputs',
    aloneFails: 'The node itself is faulty. The bug report contains the node, its inputs, and the WASM output.',
    range: (first: string, last: string): string => `Accumulated between ${first} and ${last}`,
    rangeReading: (nodes: number): string =>
      `${plural(nodes, 'node', 'nodes')}, each correct by itself. The cause is accumulated rounding or a fused kernel. The bug report contains these nodes.`,
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
    label: (job: string | null): string => (job === null ? 'Failed' : `${job} failed`),
    problem: 'What was wrong',
    expected: 'What was expected',
    remedy: 'What you can do',
    code: (code: string): string => `Code: ${code}`,
    dismiss: 'Dismiss',
    kept: 'Earlier results are still shown below.',
  },
  announce: {
    opened: (model: string): string => `${model} is open.`,
    stage: (name: string, verdict: string): string => `${name}, ${verdict}`,
    bisected: (node: string | null): string => (node === null ? 'No node differs.' : `The first differing node is ${node}.`),
    audited: (flagged: number): string => `Audit complete, ${plural(flagged, 'tensor', 'tensors')} flagged.`,
  },
};

export type CompareWords = typeof compareEn;
