import type { AuditEntry, AuditFlag } from '../../../compare/auditReport';
import type { Pair } from '../../../compare/picture';
import type { BackendName, CauseId, Outcome } from '../../../compare/report';
import type { ShippedModel } from '../../../store/shipped';
import type { Reading } from '../../compare/selection';
import type { HeatScale, JobKind, Notice } from '../../compare/state';

/** What the comparison panel calls each of a closed set of things in English; part of the table of its words. */

export const BACKENDS: Readonly<Record<BackendName, string>> = { wasm: 'WASM', webgpu: 'WebGPU' };

/** With spaces that do not break before the dot: it would begin a line. */
export const PAIRS: Readonly<Record<Pair, string>> = {
  'golden-wasm': 'golden\u00a0· WASM',
  'golden-webgpu': 'golden\u00a0· WebGPU',
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
