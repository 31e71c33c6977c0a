import { count, number, oneOf } from '../../cli/arguments';
import { parsed, parseFlags, refuseIdle } from '../../cli/usage';
import type { Speed } from '../../src/index';

export const HELP = `Usage: npm run --silent bench:profile -- [options]

Prints time, multiply-adds and throughput of a model by stage, by operator and by node.

  --model NAME|FILE.onnx  segmentation-3.0, campplus-zh-en (default: both), or any graph
  --backend wasm|webgpu   backend (default wasm)
  --threads N             number of WASM threads (default 1)
  --frames N              size of dynamic input axes except the batch: samples for segmentation-3.0 (default 160000, a
                          window), mel frames for campplus-zh-en (default 998, a window); other graphs require this
                          option or --shape
  --shape A,B,…           shape of the graph's first input
  --runs N                number of counted runs, after one warm-up run (default 5); times are the minimum over the
                          runs, because other load only adds time
  --top N                 number of nodes in the last table (default 15)
  --work FILE             instead of profiling, print FLOPs of each stage per second of the recording FILE, and GPU work
                          on WebGPU; --seconds N uses only its start, --speed exact|fast (default exact) sets the speed
  --json                  print JSON instead of tables
  --help                  print this text

On WASM, the time of a node is that of its kernel. On WebGPU, it is the GPU time if the adapter has timestamps. In JSON,
cpuMs is the time for recording the node's commands. The warm-up run excludes compilation.
A multiply-add counts as two FLOPs; other arithmetic as one per output value. With --work, the FLOPs of CAM++ are
interpolated from three counts: at most 3 % too low for 20 frames, 0.5 % from 150 frames.
Exit status: 0 on success, 1 if the measurement failed, 2 for wrong usage.
`;

export type Backend = 'wasm' | 'webgpu';

export interface ProfileCommand {
  /** Names of bundled models or one path. */
  readonly models: readonly string[];
  readonly backend: Backend;
  readonly threads: number;
  readonly openSize: number | null;
  readonly shape: readonly number[] | null;
  readonly runs: number;
  readonly top: number;
  /** Path of a recording. */
  readonly work: string | null;
  readonly seconds: number | null;
  readonly speed: Speed;
  readonly json: boolean;
}

export const MODELS = ['segmentation-3.0', 'campplus-zh-en'] as const;

/** @throws UsageError with a one-line message for invalid arguments */
export const parseCommand = (args: readonly string[]): ProfileCommand | 'help' => parsed(() => parse(args));

function parse(args: readonly string[]): ProfileCommand | 'help' {
  const { values } = parseFlags({
    args: [...args],
    options: {
      model: { type: 'string' },
      backend: { type: 'string' },
      threads: { type: 'string' },
      frames: { type: 'string' },
      shape: { type: 'string' },
      runs: { type: 'string' },
      top: { type: 'string' },
      work: { type: 'string' },
      seconds: { type: 'string' },
      speed: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { model, shape, frames } = values;
  if (model === undefined && (shape ?? frames) !== undefined) throw new Error('--frames and --shape need a --model.');
  if (values.work === undefined) refuseIdle(values, ['seconds', 'speed'], 'without --work');
  else refuseIdle(values, ['model', 'frames', 'shape', 'runs', 'top'], 'with --work, which profiles nothing');
  return {
    models: model === undefined ? MODELS : [model],
    backend: oneOf('--backend', values.backend ?? 'wasm', ['wasm', 'webgpu']),
    threads: count('--threads', values.threads ?? '1'),
    openSize: frames === undefined ? null : count('--frames', frames),
    shape: shape === undefined ? null : shape.split(',').map((size) => count('--shape', size)),
    runs: count('--runs', values.runs ?? '5'),
    top: count('--top', values.top ?? '15'),
    work: values.work ?? null,
    seconds: number('--seconds', values.seconds) ?? null,
    speed: oneOf('--speed', values.speed ?? 'exact', ['exact', 'fast']),
    json: values.json,
  };
}
