/**
 * Measures the engine: real-time factor of each stage and peak memory of the browser.
 *
 *   npm run bench -- [FILE…] [--backend auto|webgpu|wasm] [--preset P] [--speed exact|fast] [--runs N] [--seeded]
 *     [--no-gpu] [--no-pooled] [--no-nemotron] [--json]
 *   npm run bench -- --only-nemotron [--json]
 *   npm run bench -- --check [NAME…]
 *   npm run bench -- --list
 *
 * The real-time factor is seconds of work per second of audio. Stages overlap, so `wall` is not their sum. The first run is
 * warm-up; the figures are medians of the other runs. The benchmark also measures the GPU, or the software adapter if there
 * is none: filterbank time compared with the CPU, and dispatches and bytes of each stage (`--no-gpu` skips this). It also
 * compares ResNet34 embeddings with one network run per window and with one per speaker (`--no-pooled` skips this), and counts
 * dispatches, bytes and FLOPs of Nemotron 3 Diarization on WebGPU, with the time of an hour, measured on a GPU or estimated
 * (`--no-nemotron` skips this, and `--only-nemotron` skips all else).
 * `--seeded` uses a ResNet34 with seeded weights for the preset community-1. Only its times are meaningful.
 *
 * `--check` measures all figures with a limit, or the named ones, and prints one line per figure. Exit status: 0 on success,
 * 1 if a figure exceeds its limit, 2 if a figure could not be measured. `--list` prints names, limits and reasons.
 */
import { basename } from 'node:path';
import type { Page } from 'playwright-core';
import { openEnginePage } from '../cli/enginePage';
import { count, oneOf } from '../cli/arguments';
import { parsed, parseFlags } from '../cli/usage';
import { DIARIZER_OPTIONS } from '../src/engine/optionSchema';
import { STAGES } from '../src/engine/stages';
import { say } from '../cli/output';
import { runCommand } from '../cli/script';
import { check, listText } from './check/figure';
import { GROUPS } from './check/groups';
import { machine, median } from './figures';
import { measureGpu, printGpu } from './gpu';
import { MemoryMeter } from './memory';
import { measureNemotronGpu, nemotronGpuText } from './nemotron/gpuFigures';
import { measurePooled, printPooled, withSeededModel } from './pooled';

const SAMPLE = 'public/sample.wav';

interface RunFigures {
  readonly wallSeconds: number;
  readonly durationSeconds: number;
  readonly timings: Readonly<Record<string, number>>;
  readonly backend: { readonly name: string; readonly adapter: string | null; readonly threads: number };
}

interface FileFigures {
  readonly file: string;
  readonly durationSeconds: number;
  readonly backend: RunFigures['backend'];
  /** Median over the runs, for each stage and the whole pipeline. */
  readonly rtf: Readonly<Record<string, number>>;
  /** Whole pipeline in the fastest run, because other load on the machine only adds time. */
  readonly minRtf: number;
  readonly peakMegabytes: number;
}

/** @throws UsageError */
const command = () => parsed(() => {
  const { values, positionals } = parseFlags({
    allowPositionals: true,
    options: {
      backend: { type: 'string', default: 'auto' },
      preset: { type: 'string', default: 'auto' },
      speed: { type: 'string', default: 'exact' },
      seeded: { type: 'boolean', default: false },
      runs: { type: 'string', default: '3' },
      gpu: { type: 'boolean', default: true },
      pooled: { type: 'boolean', default: true },
      nemotron: { type: 'boolean', default: true },
      'only-nemotron': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  return {
    ...values,
    files: positionals,
    backend: oneOf('--backend', values.backend, DIARIZER_OPTIONS.backend.values),
    preset: oneOf('--preset', values.preset, DIARIZER_OPTIONS.preset.values),
    speed: oneOf('--speed', values.speed, DIARIZER_OPTIONS.speed.values),
    runs: count('--runs', values.runs),
  };
});

async function main(): Promise<number> {
  const { files, backend, preset, speed, runs, ...values } = command();
  if (values.list) {
    console.log(listText(GROUPS));
    return 0;
  }
  if (values.check) {
    say(machine());
    return check(GROUPS, files, { print: console.log, say });
  }
  if (values['only-nemotron']) {
    const nemotron = await measureNemotronGpu(say);
    console.log(values.json ? JSON.stringify({ machine: machine(), nemotron }, null, 2) : nemotronGpuText(nemotron));
    return 0;
  }
  const engine = await openEnginePage(backend, say);
  const memory = new MemoryMeter();
  try {
    const options = { backend, preset, speed, trustUnknownModel: values.seeded };
    const measureAll = async (): Promise<FileFigures[]> => {
      const failure = await engine.page.evaluate((choice) => voxlane.open(choice), options);
      if (failure !== null) throw new Error(failure);
      const figures: FileFigures[] = [];
      for (const file of files.length > 0 ? files : [SAMPLE]) {
        figures.push(await measure(engine.page, file, runs, memory));
      }
      return figures;
    };
    const figures = values.seeded ? await withSeededModel(engine.page, '#files', measureAll) : await measureAll();
    memory.stop();
    await engine.close();
    if (!values.json) print(figures);
    const pooled = values.pooled ? await measurePooled(say) : null;
    if (!values.json && pooled) printPooled(pooled);
    const [file = SAMPLE] = files;
    const gpu = values.gpu ? await measureGpu(file, say) : null;
    if (!values.json && gpu) printGpu(gpu);
    const nemotron = values.nemotron ? await measureNemotronGpu(say) : null;
    if (values.json) console.log(JSON.stringify({ machine: machine(), files: figures, pooled, gpu, nemotron }, null, 2));
    else if (nemotron) console.log(nemotronGpuText(nemotron));
    return 0;
  } finally {
    memory.stop();
    await engine.close();
  }
}

async function measure(page: Page, file: string, runs: number, memory: MemoryMeter): Promise<FileFigures> {
  await page.setInputFiles('#file', file);
  const measured: RunFigures[] = [];
  for (let run = 0; run <= runs; run++) {
    const figures = await page.evaluate(() => voxlane.measureFile());
    if (run > 0) measured.push(figures);
  }
  const [{ durationSeconds, backend }] = measured as [RunFigures];
  const rtf = (secondsOf: (run: RunFigures) => number) => median(measured.map(secondsOf)) / durationSeconds;
  return {
    file: basename(file),
    durationSeconds,
    backend,
    rtf: {
      ...Object.fromEntries(STAGES.map((stage) => [stage, rtf((run) => run.timings[stage] ?? 0)])),
      wall: rtf((run) => run.wallSeconds),
    },
    minRtf: Math.min(...measured.map(({ wallSeconds }) => wallSeconds)) / durationSeconds,
    peakMegabytes: Math.round(memory.peakBytes / 1e6),
  };
}

function print(figures: readonly FileFigures[]): void {
  console.log(machine());
  for (const { file, durationSeconds, backend, rtf, peakMegabytes } of figures) {
    const place = backend.name === 'webgpu' ? `WebGPU, ${backend.adapter ?? ''}` : `WASM, ${backend.threads} threads`;
    console.log(`\n${file}: ${durationSeconds.toFixed(1)} s of audio on ${place}`);
    for (const [stage, value] of Object.entries(rtf)) console.log(`  ${stage.padEnd(16)} RTF ${value.toFixed(4)}`);
    console.log(`  peak memory of the browser so far: ${peakMegabytes} MB`);
  }
}

await runCommand('bench', 2, main);
