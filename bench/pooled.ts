import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEnginePage } from '../cli/enginePage';
import type { PooledFigures } from '../src/enginePooled';
import { seededResnet34 } from '../testing/seededModel';

/** Measures both ways to ResNet34's embeddings on WASM, with the seeded weights. */
export async function measurePooled(say: (line: string) => void): Promise<PooledFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
  const engine = await openEnginePage('wasm', say);
  try {
    const path = join(folder, 'seeded.onnx');
    writeFileSync(path, seededResnet34('wespeaker'));
    await engine.page.setInputFiles('#file', path);
    return await engine.page.evaluate(() => voxlane.measurePooled(voxlane.chosenFile()));
  } finally {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export function printPooled(figures: PooledFigures): void {
  const { numWindows, numSpeakers, threads, pooledSeconds, perSpeakerSeconds, pooledRuns, perSpeakerRuns } = figures;
  console.log(`\nResNet34 on WASM, ${threads} threads: ${numWindows} windows of 10 s with ${numSpeakers} speakers each`);
  console.log(`  one run a window, masks pooled over it: ${pooledSeconds.toFixed(2)} s, ${pooledRuns} runs`);
  console.log(`  one run a speaker:                      ${perSpeakerSeconds.toFixed(2)} s, ${perSpeakerRuns} runs`);
  console.log(`  ratio:                                  ${(perSpeakerSeconds / pooledSeconds).toFixed(2)}`);
}
