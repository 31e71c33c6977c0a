import { parseArgs } from 'node:util';
import { number, oneOf } from '../../cli/arguments';
import type { Speed } from '../../src/index';

export const HELP = `Usage: npm run --silent bench:profile -- [options]

Time, multiply-adds and rate of every node of a model, by stage, by operator and by node.

  --model NAME|FILE.onnx  segmentation-3.0, campplus-zh-en (default: both, one after the other), or any graph
  --backend wasm|webgpu   where it runs (default wasm)
  --threads N             of WASM (default 1)
  --frames N              size of the input's open axes but the batch: samples of segmentation-3.0 (default 160000, a
                          window), mel frames of campplus-zh-en (default 998, all of a window); any other graph needs
                          this or --shape
  --shape A,B,…           of the graph's first input
  --runs N                that count, after one that warms up (default 5); times are the least of
                          them, because what else the machine does only adds
  --top N                 nodes in the last table (default 15)
  --work FILE             instead: FLOPs of each stage for a second of FILE, a recording, with what they ask of the GPU
                          on WebGPU; --seconds N takes its beginning only, --speed exact|fast (default exact) the speed
  --json                  the same as JSON
  --help                  this text

On WASM a node's time is its kernel's. On WebGPU it is the time on the GPU, where the adapter has timestamps; in JSON,
cpuMs is what recording the node's commands took, with compiling left out by the run that warms up.
A multiply-add is two FLOPs; other arithmetic counts one for each value that a node gives. With --work, CAM++'s are told
for each voice's frames from three counts: at most 3 % too few for voices of 20 frames, 0.5 % from 150 on.
`;

export type Backend = 'wasm' | 'webgpu';

export interface ProfileCommand {
  /** Names of shipped models, or one path. */
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

/** @throws Error with one line that says what is wrong with the command line */
export function parseCommand(args: readonly string[]): ProfileCommand | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      backend: { type: 'string', default: 'wasm' },
      threads: { type: 'string', default: '1' },
      frames: { type: 'string' },
      shape: { type: 'string' },
      runs: { type: 'string', default: '5' },
      top: { type: 'string', default: '15' },
      work: { type: 'string' },
      seconds: { type: 'string' },
      speed: { type: 'string', default: 'exact' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { model, shape, frames } = values;
  if (model === undefined && (shape ?? frames) !== undefined) throw new Error('--frames and --shape need a --model.');
  return {
    models: model === undefined ? MODELS : [model],
    backend: oneOf('--backend', values.backend, ['wasm', 'webgpu']),
    threads: count('--threads', values.threads),
    openSize: frames === undefined ? null : count('--frames', frames),
    shape: shape === undefined ? null : shape.split(',').map((size) => count('--shape', size)),
    runs: count('--runs', values.runs),
    top: count('--top', values.top),
    work: values.work ?? null,
    seconds: number('--seconds', values.seconds) ?? null,
    speed: oneOf('--speed', values.speed, ['exact', 'fast']),
    json: values.json,
  };
}

function count(name: string, text: string): number {
  const value = number(name, text)!;
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} is ${text}. Expected 1 or more.`);
  return value;
}
