/**
 * Command line: one stage of the pipeline, or one layer of a model, by itself.
 *
 *     npm run --silent stage -- STAGE FILE [--backend webgpu|wasm] [--out FILE.npy]
 */
import { parseArgs } from 'node:util';
import { STAGES } from '../src/engine/stages';
import { number, oneOf } from './arguments';
import { giveFiles, openComparePage } from './comparePage';
import { failureText } from './errorLine';
import { requirePath } from './inputs';
import { print, requireWritable, say, writeResult } from './output';
import { runCommand } from './script';

const HELP = `Usage: npm run --silent stage -- STAGE FILE [options]

Runs one stage alone, prints the shape and range of its tensor, and writes it as a .npy file.
FILE is a recording, or a .npy file with mono samples at 16 kHz.

STAGE is one of
  decode                        mono samples at 16 kHz
  fbank                         mel features of the segment (the embedding model's, mean subtracted)
  segmentation                  local speakers by window and frame
  embedding                     one vector by window and local speaker, NaN where there is too little speech
  counting, clustering, reconstruction
  sincnet, lstm, linear1, linear2, classifier              layers of segmentation-3.0
  head, tdnn, block1, block2, block3, pooling              layers of campplus-zh-en
  MODEL/LAYER                   where a layer's name is also a stage's: campplus-zh-en/embedding

  --backend webgpu|wasm   where it runs (default wasm)
  --start S               begin S seconds into the recording
  --duration S            stop after S seconds (layers: default 10)
  --out FILE.npy          write the tensor, float32
  --help                  this text

Exit status: 0 where the stage was computed, else 2.
`;

/** A layer sees the whole segment at once: the length of the segmentation model's window. */
const LAYER_SECONDS = 10;
/** Stages that take the whole recording: all of the pipeline's but the filterbank, whose model sees a segment. */
const isWhole = (stage: string): boolean => stage !== 'fbank' && STAGES.some((name) => name === stage);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    allowPositionals: true,
    options: {
      backend: { type: 'string', default: 'wasm' },
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
  if (stage === undefined || file === undefined || others.length > 0) throw new Error('expected a stage and a file. Try --help.');
  requirePath(file);
  const backend = oneOf('--backend', values.backend, ['webgpu', 'wasm']);
  const duration = number('--duration', values.duration) ?? (isWhole(stage) ? undefined : LAYER_SECONDS);
  if (values.out !== undefined) requireWritable(values.out);
  const engine = await openComparePage([backend]);
  const { page } = engine;
  try {
    await giveFiles(page, [file]);
    const request = { stage, backend, startSeconds: number('--start', values.start) ?? 0, durationSeconds: duration };
    const answer = await page.evaluate((asked) => voxlane.computeStage(asked), request);
    if (!answer.ok) {
      say(`stage: ${failureText(answer.error)}`);
      return 2;
    }
    const { axes, shape, npy, min, max, mean, nanCount, notes } = answer.result;
    for (const note of notes) say(`stage: ${file}: note: ${note}`);
    if (values.out !== undefined) writeResult(values.out, Buffer.from(npy, 'base64'));
    const range = `min ${min.toPrecision(6)}, max ${max.toPrecision(6)}, mean ${mean.toPrecision(6)}, ${nanCount} NaN`;
    await print(`${stage} (${axes.join(', ')}): (${shape.join(', ')}), ${range}\n`);
    return 0;
  } finally {
    await engine.close();
  }
}

await runCommand('stage', 2, main);
