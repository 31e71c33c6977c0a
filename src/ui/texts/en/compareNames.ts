import type { AuditEntry, AuditFlag } from '../../../compare/auditReport';
import type { Pair } from '../../../compare/picture';
import type { BackendName, CauseId, Outcome } from '../../../compare/report';
import type { ShippedModel } from '../../../store/shipped';
import type { Reading } from '../../compare/selection';
import type { HeatScale, JobKind, Notice } from '../../compare/state';

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
  'shifted-frames': ['Shifted frames', 'Padding sits on the other side, or a frame is centred and not left-aligned.'],
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
  accumulated: ['Accumulated rounding', 'Each stage is within tolerance on golden input, and no stretch before it causes most of the error.'],
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
