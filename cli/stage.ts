/**
 * Command line: runs one stage of the pipeline, or one layer of a model, in isolation.
 *
 *     npx voxlane stage STAGE FILE [--backend webgpu|wasm] [--out FILE.npy]
 */
import { STAGES } from '../src/engine/stages';
import { number, oneOf } from './arguments';
import { ENGINE_HELP, ENGINES } from './engineNames';
import { failureText } from './errorLine';
import { requirePath } from './inputs';
import { openComparison } from './openComparison';
import { print, requireWritable, say, warn, writeResult } from './output';
import { commandOf, runScript } from './script';
import { parseFlags, UsageError } from './usage';

export const HELP = `Usage: voxlane stage STAGE FILE [options]

Runs one stage in isolation, prints the shape and range of its tensor, and optionally writes it as a .npy file.
FILE is a recording, or a .npy file with mono samples at 16 kHz.

STAGE is one of
  decode                        mono samples at 16 kHz
  fbank                         mel features of the segment (of the embedding model, mean subtracted)
  segmentation                  local speakers per window and frame
  embedding                     one vector per window and local speaker, NaN if there is too little speech
  counting, clustering, reconstruction
  sincnet, lstm, linear1, linear2, classifier              layers of segmentation-3.0
  head, tdnn, block1, block2, block3, pooling              layers of campplus-zh-en
  MODEL/LAYER                   layer whose name is also a stage: campplus-zh-en/embedding

  --backend webgpu|wasm   backend (default wasm)
  --engine node|browser   ${ENGINE_HELP}
  --start S               start S seconds into the recording
  --duration S            stop after S seconds (layers: default 10)
  --out FILE.npy          write the tensor as float32
  --help                  print this text

Exit status: 0 if the stage was computed, else 2.
`;

/** Layers process the whole segment at once, so the default is the window length of the segmentation model. */
const LAYER_SECONDS = 10;
/** Whether a stage processes the whole recording: all pipeline stages except the filterbank, which processes a segment. */
const isWhole = (stage: string): boolean => stage !== 'fbank' && STAGES.some((name) => name === stage);

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      backend: { type: 'string', default: 'wasm' },
      engine: { type: 'string' },
      start: { type: 'string' },
      duration: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    await print(HELP);
    return 0;
  }
  const [stage, file, ...others] = positionals;
  if (stage === undefined || file === undefined || others.length > 0) throw new UsageError('expected a stage and a file. Try --help.');
  requirePath(file);
  const backend = oneOf('--backend', values.backend, ['webgpu', 'wasm']);
  const duration = number('--duration', values.duration) ?? (isWhole(stage) ? undefined : LAYER_SECONDS);
  if (values.out !== undefined) requireWritable(values.out);
  const engine = await openComparison({ engine: values.engine === undefined ? undefined : oneOf('--engine', values.engine, ENGINES), backends: [backend], command: 'stage' });
  try {
    const request = { stage, backend, startSeconds: number('--start', values.start) ?? 0, durationSeconds: duration };
    const answer = await engine.computeStage(file, request);
    if (!answer.ok) {
      warn(`stage: ${failureText(answer.error)}`);
      return 2;
    }
    const { axes, shape, npy, min, max, mean, nanCount, notes } = answer.result;
    for (const note of notes) say(`stage: ${file}: note: ${note}`);
    if (values.out !== undefined) writeResult(values.out, npy);
    const range = `min ${min.toPrecision(6)}, max ${max.toPrecision(6)}, mean ${mean.toPrecision(6)}, ${nanCount} NaN`;
    await print(`${stage} (${axes.join(', ')}): (${shape.join(', ')}), ${range}\n`);
    return 0;
  } finally {
    await engine.close();
  }
}

export const run = commandOf('stage', 2, main);

await runScript(import.meta.url, run);
