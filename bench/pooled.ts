import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openEnginePage } from '../cli/enginePage';
import type { PooledFigures } from '../cli/page/enginePooled';
import { seededResnet34 } from '../test/seededModel';

/** Selects a full-size ResNet34 with seeded weights in a file input of the page while `use` runs. */
export async function withSeededModel<Result>(page: Page, input: string, use: () => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  try {
    const path = join(folder, 'seeded.onnx');
    writeFileSync(path, seededResnet34('wespeaker'));
    await page.setInputFiles(input, path);
    return await use();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures both ways to compute ResNet34 embeddings on WASM, with seeded weights. */
export async function measurePooled(say: (line: string) => void): Promise<PooledFigures> {
  const engine = await openEnginePage('wasm', say);
  try {
    const measure = () => engine.page.evaluate(() => voxlane.measurePooled(voxlane.chosenFile()));
    return await withSeededModel(engine.page, '#file', measure);
  } finally {
    await engine.close();
  }
}

export function printPooled(figures: PooledFigures): void {
  const { numWindows, numSpeakers, threads, pooledSeconds, perSpeakerSeconds, pooledRuns, perSpeakerRuns } = figures;
  console.log(`\nResNet34 on WASM, ${threads} threads: ${numWindows} windows of 10 s with ${numSpeakers} speakers each`);
  console.log(`  one run per window, pooled with masks: ${pooledSeconds.toFixed(2)} s, ${pooledRuns} runs`);
  console.log(`  one run per speaker:                   ${perSpeakerSeconds.toFixed(2)} s, ${perSpeakerRuns} runs`);
  console.log(`  ratio:                                 ${(perSpeakerSeconds / pooledSeconds).toFixed(2)}`);
}
