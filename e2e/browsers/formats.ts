import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { DiarizeOptions, Turn } from '../../src/index';
import { diarizationErrorRate } from '../../src/score/der';
import type { BrowserKind, Driver } from './driver';
import { PAGES } from './pages';
import { waitFor } from './waiting';

const FIXTURES = ['flac', 'm4a', 'mp3', 'mp4', 'ogg', 'webm'] as const;
/** Both speakers, and three windows: enough to see that the sound is right and in its place, in a second. */
const STRETCH: DiarizeOptions = { startSeconds: 7, durationSeconds: 12 };
/**
 * Lossy codecs change samples, and a score near its threshold then falls on the other side: some of the turns' ends move
 * by a frame of 17 ms. Ends that all move by a frame come to 2 %.
 */
const MAX_DER = 0.02;

interface Outcome {
  readonly turns: Turn[];
  readonly speakers: number;
}

/** Every audio fixture gives what the WAV gives. */
export function formatTests(kind: BrowserKind, driver: () => Driver, address: () => string): void {
  let reference: Outcome | undefined;

  const run = async (path: string): Promise<Outcome> => {
    await driver().chooseFiles('#file', resolve(path));
    return driver().evaluate(async (options) => {
      const engine = globalThis as unknown as { formatDiarizer?: typeof voxlane.Diarizer.prototype };
      engine.formatDiarizer ??= await voxlane.Diarizer.create({ backend: 'wasm' });
      const { turns, speakers } = await engine.formatDiarizer.diarize(voxlane.chosenFile(), options);
      return { turns: [...turns], speakers: speakers.length };
    }, STRETCH);
  };
  /** Opened by the first of the tests, so that one that is run alone has what it needs. */
  const wav = async (): Promise<Outcome> => {
    if (!reference) {
      await driver().open(address() + PAGES.engine);
      await waitFor(driver(), 'the library', 30, () => 'voxlane' in globalThis);
      reference = await run('public/sample.wav');
    }
    return reference;
  };

  it.each(FIXTURES)('%s gives what the WAV gives', async (extension) => {
    const { turns, speakers } = await wav();
    expect(speakers).toBe(2);
    const found = await run(`e2e/fixtures/sample.${extension}`);
    const { der } = diarizationErrorRate(turns, found.turns);
    console.log(`${kind.name}, ${extension}: DER ${(100 * der).toFixed(2)} % against the WAV's result`);
    expect(found.speakers).toBe(2);
    expect(der).toBeLessThanOrEqual(MAX_DER);
  });
}
