/** Tables of the benchmark. */
import { tableOf } from '../profile/report';
import type { AdapterFacts } from './adapter';
import { CLASSES, type Estimate, LIMIT_AUDIO_SECONDS, LIMIT_SECONDS, sumOf } from './estimate';
import type { ParityFigures, RunFigures } from './measure';
import { GPU_STAGES } from './stages';

/** All figures of a measurement. */
export interface Report {
  readonly machine: string;
  readonly node: string;
  readonly adapter: AdapterFacts;
  /** In FLOP/s. */
  readonly peak: number;
  readonly runs: readonly RunFigures[];
  readonly parity: ParityFigures | null;
}

const fixed = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '-');
const perBatch = (count: number, batches: number): string => fixed(count / batches, 1);

export function reportText({ machine, node, adapter, peak, runs, parity }: Report): string {
  return [adapterText(adapter), `${machine}, Node ${node}`, `peak: ${fixed(peak / 1e9, 1)} GFLOP/s`, ...runs.map((run) => runText(run, peak)), ...(parity ? [parityText(parity)] : [])].join('\n');
}

function adapterText({ vendor, architecture, device, description, isSoftware, features, limits }: AdapterFacts): string {
  const rows = Object.entries({ vendor, architecture, device, description }).map(([name, value]) => `  ${name}: ${value || '-'}`);
  return [
    `adapter${isSoftware ? ' (software: its times say nothing about a GPU)' : ''}`,
    ...rows,
    `  features: ${features.join(', ')}`,
    ...Object.entries(limits).map(([name, value]) => `  ${name}: ${value}`),
  ].join('\n');
}

function runText({ speed, audioSeconds, wallSeconds, gpu, clusteringSeconds, restSeconds, numWindows, numEmbeddings, backend }: RunFigures, peak: number): string {
  const stages = GPU_STAGES.map((stage) => {
    const { seconds, flops, batches, dispatches, submits, bytesUp, bytesBack } = gpu[stage];
    const rate = flops / seconds;
    return [
      stage,
      fixed(seconds, 3),
      fixed(seconds / audioSeconds, 5),
      fixed(flops / 1e9, 1),
      fixed(rate / 1e9, 1),
      `${fixed((100 * rate) / peak, 1)} %`,
      String(dispatches),
      perBatch(dispatches, batches),
      String(batches),
      String(submits),
      fixed(bytesUp / 1e6, 2),
      fixed(bytesBack / 1e6, 2),
    ];
  });
  const others = Object.entries({ clustering: clusteringSeconds, rest: restSeconds, wall: wallSeconds }).map(([stage, seconds]) => [
    stage,
    fixed(seconds, 3),
    fixed(seconds / audioSeconds, 5),
    ...Array.from({ length: 9 }, () => ''),
  ]);
  const heads = ['stage', 's', 'RTF', 'GFLOP', 'GFLOP/s', 'of peak', 'dispatches', 'per batch', 'batches', 'submits', 'MB up', 'MB back'];
  return [
    `\n${audioSeconds.toFixed(1)} s of audio, ${speed}: ${fixed(audioSeconds / wallSeconds, 2)} times real time; ${numWindows} windows, ${numEmbeddings} embeddings`,
    `(${backend})`,
    tableOf([heads, ...stages, ...others]),
  ].join('\n');
}

function parityText({ speed, audioSeconds, numFrames, differingFrames, numEmbeddings, leastCosine, unmatchedEmbeddings, numTurns, differingTurns }: ParityFigures): string {
  return [
    `\nparity with WASM, ${audioSeconds} s of audio, ${speed}`,
    `  frames with another class: ${differingFrames} of ${numFrames}`,
    `  least cosine of embeddings: ${leastCosine === null ? '-' : leastCosine.toFixed(9)}, of ${numEmbeddings}; ${unmatchedEmbeddings} in one run only`,
    `  differing turns: ${differingTurns} of ${numTurns}`,
  ].join('\n');
}

export function estimateText(estimates: readonly Estimate[]): string {
  const classes = CLASSES.map((gpu) => [
    gpu.name,
    fixed(gpu.peak / 1e12, 1),
    fixed(gpu.efficiency, 2),
    fixed(gpu.bandwidth / 1e9, 0),
    fixed(gpu.coreBandwidth / 1e9, 0),
    fixed(gpu.link / 1e9, 0),
    String(gpu.cores),
    fixed(1e6 * gpu.dispatchSeconds, 0),
    fixed(1e3 * gpu.roundTripSeconds, 1),
    String(gpu.windowsPerBatch),
  ]);
  const rows = estimates.map((one) => {
    const { gpu, embedding, speed, audioSeconds, seconds } = one;
    const sum = sumOf(one);
    const limit = audioSeconds === LIMIT_AUDIO_SECONDS ? LIMIT_SECONDS[speed] : null;
    const verdict = limit === null ? ['-', '-'] : [String(limit), sum <= limit ? 'yes' : 'no'];
    const stages = GPU_STAGES.map((stage) => fixed(seconds[stage], 2));
    return [gpu.name, embedding, speed, fixed(audioSeconds / 60, 1), ...stages, fixed(sum, 2), fixed(audioSeconds / sum, 0), ...verdict];
  });
  const work = estimates.flatMap(({ gpu, embedding, speed, audioSeconds, work: own }) =>
    GPU_STAGES.map((stage) => {
      const { flops, bytes, dispatches, batches, transferred } = own[stage];
      const counts = [fixed(flops / 1e9, 0), fixed(bytes / 1e9, 1), String(dispatches), String(batches), fixed(transferred / 1e6, 0)];
      return [gpu.name, embedding, speed, fixed(audioSeconds / 60, 1), stage, ...counts];
    }),
  );
  return [
    'ESTIMATE, not a measurement: GPU stages only, without decoding, clustering and the start.',
    'seconds = max(FLOPs / (efficiency · peak), bytes / bandwidth) + recurrence',
    '          + dispatches · time per dispatch + batches · round trip + transferred bytes / link',
    'recurrence = batches · LSTM layers · frames · ⌈2 · ⌈windows per batch / 2⌉ / cores⌉ · 256 KiB / bandwidth of a core',
    '\nassumed rates',
    tableOf([['class', 'TFLOP/s', 'efficiency', 'GB/s', 'GB/s per core', 'GB/s link', 'cores', 'µs per dispatch', 'ms round trip', 'windows per batch'], ...classes]),
    '\ncounted work',
    tableOf([['class', 'embedding', 'speed', 'minutes', 'stage', 'GFLOP', 'GB', 'dispatches', 'batches', 'MB transferred'], ...work]),
    '\nestimated seconds',
    tableOf([['class', 'embedding', 'speed', 'minutes', ...GPU_STAGES, 'sum', 'times real time', 'limit', 'met'], ...rows]),
  ].join('\n');
}
