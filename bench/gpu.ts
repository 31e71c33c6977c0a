import { readFileSync } from 'node:fs';
import { openEnginePage } from '../cli/enginePage';
import { parseManifest } from '../src/store/manifest';
import { meterGpu, takeGpuCounts, type GpuCountsByStage } from '../test/browser/gpuMeter';

/** Windows of the filterbank comparison: one batch of a recording. */
const NUM_WINDOWS = 4;
/** The fastest round counts, because other load only adds time. */
const FBANK_ROUNDS = 5;
/** A software adapter needs a minute for these seconds. GPUs use the same part to keep the counts comparable. */
const CLIP_SECONDS = 11;

/** GPU times compared with the CPU, and the GPU work of each stage. */
export interface GpuFigures {
  readonly adapter: string;
  readonly fbank: { readonly gpuSeconds: number; readonly cpuSeconds: number; readonly audioSeconds: number };
  /** For {@link CLIP_SECONDS} of the recording. */
  readonly counts: GpuCountsByStage;
  readonly rtf: Readonly<Record<string, number>>;
}

/** Null if the browser has no adapter, not even a software adapter. */
export async function measureGpu(file: string, say: (line: string) => void): Promise<GpuFigures | null> {
  const engine = await openEnginePage('webgpu', say, { tools: ['cli', 'test'] });
  try {
    const { page } = engine;
    const { fbank: facts, sampleRate } = parseManifest(
      'embedding',
      JSON.parse(readFileSync(new URL('../models/campplus-zh-en/manifest.json', import.meta.url), 'utf8')),
      'campplus-zh-en',
    );
    await meterGpu(page);
    const failure = await page.evaluate(() => voxlane.open({ backend: 'webgpu', trustGpu: true }));
    if (failure !== null) throw new Error(failure);
    await page.setInputFiles('#file', file);
    const run = await page.evaluate((durationSeconds) => voxlane.measureFile({ durationSeconds }), CLIP_SECONDS);
    if (run.backend.name !== 'webgpu') return null;
    const { other: _, ...counts } = await takeGpuCounts(page);

    await page.goto(new URL('/test/kernels.html', page.url()).href);
    await page.waitForFunction(() => 'voxlaneKernels' in globalThis);
    const adapter = await page.evaluate(() => voxlaneKernels.open());
    const windowSamples = 10 * sampleRate;
    const fbank = await page.evaluate(
      async ([fbankSpec, rate, numWindows, numSamples, rounds]) => {
        const fbanks = await voxlaneKernels.openFbanks(fbankSpec, rate, numWindows, numSamples);
        let [gpuSeconds, cpuSeconds] = [Infinity, Infinity];
        for (let round = 0; round < rounds; round++) {
          const gpuStart = performance.now();
          await fbanks.runGpu();
          const cpuStart = performance.now();
          fbanks.runCpu();
          gpuSeconds = Math.min(gpuSeconds, (cpuStart - gpuStart) / 1000);
          cpuSeconds = Math.min(cpuSeconds, (performance.now() - cpuStart) / 1000);
        }
        fbanks.close();
        return { gpuSeconds, cpuSeconds };
      },
      [facts, sampleRate, NUM_WINDOWS, windowSamples, FBANK_ROUNDS] as const,
    );
    const seconds = Object.entries(run.timings);
    return {
      adapter,
      fbank: { ...fbank, audioSeconds: NUM_WINDOWS * 10 },
      counts,
      rtf: Object.fromEntries(seconds.map(([stage, value]) => [stage, value / run.durationSeconds])),
    };
  } finally {
    await engine.close();
  }
}

export function printGpu({ adapter, fbank, counts, rtf }: GpuFigures): void {
  const milliseconds = (seconds: number) => `${(1000 * seconds).toFixed(1)} ms`;
  console.log(`\nWebGPU on ${adapter}`);
  console.log(
    `  fbank of ${fbank.audioSeconds} s of windows: GPU ${milliseconds(fbank.gpuSeconds)}, CPU ${milliseconds(fbank.cpuSeconds)}, ` +
      `ratio ${(fbank.cpuSeconds / fbank.gpuSeconds).toFixed(2)}`,
  );
  console.log(`  the first ${CLIP_SECONDS} s of the recording:`);
  for (const [stage, { dispatches, submits, bytesUp, bytesBack }] of Object.entries(counts)) {
    console.log(
      `  ${stage.padEnd(16)} RTF ${(rtf[stage] ?? 0).toFixed(4)}, ${dispatches} dispatches, ${submits} submits, ` +
        `${bytesUp} bytes up, ${bytesBack} bytes back`,
    );
  }
}
