import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { DiarizeOptions, ErrorCode, RecordingNoteCode, Turn } from '../../src/index';
import { diarizationErrorRate } from '../../src/score/der';
import { READ_CASES, REJECTED_CASES } from '../../test/audio/recordingCases';
import type { BrowserKind, Driver } from './driver';
import { webkit } from './drivers/webkit';
import { PAGES } from './pages';
import type { AppServer } from './servers';
import { waitFor } from './waiting';

const FIXTURES = ['flac', 'm4a', 'mp3', 'mp4', 'ogg', 'webm'] as const;
/**
 * The page decodes these in WebKit, because its WebCodecs would crash (`wouldCrash`). WebAssembly decodes the other codecs, and
 * WebCodecs of the other browsers must pass its probe.
 */
const ON_PAGE_IN_WEBKIT: ReadonlySet<string> = new Set(['flac', 'm4a', 'mp4']);
/** Both speakers in three windows: enough to verify the audio and its timing within a second. */
const SEGMENT: DiarizeOptions = { startSeconds: 7, durationSeconds: 12 };
/**
 * Lossy codecs change samples, which can move scores across their threshold and turn boundaries by a frame of 17 ms. If all
 * boundaries move by a frame, the DER is 2 %.
 */
const MAX_DER = 0.02;

/** The listed durations are rounded to 10 ms, and decoders can differ by half a frame of MP3 or AAC. */
const DURATION_SECONDS = 0.05;
/** WebKitGTK reads only the first edit of this file, two seconds. The note states that data can be missing. */
const SEVERAL_EDITS = 'm4a_edit_list_keeps_0-2s_and_6-8s.m4a';

/** A decoder that fails after the packets of its probe and about 6 s of the segment. */
const FAILING_DECODER = `
const RealDecoder = AudioDecoder;
let numPackets = 0;
globalThis.AudioDecoder = class extends RealDecoder {
  constructor(init) {
    super(init);
    this.fail = init.error;
  }
  decode(packet) {
    if (++numPackets <= 300) return super.decode(packet);
    this.close();
    this.fail(new DOMException('planted', 'EncodingError'));
  }
};`;

interface Outcome {
  readonly turns: Turn[];
  readonly speakers: number;
  readonly durationSeconds: number;
  readonly notes: RecordingNoteCode[];
  readonly failure: { readonly code: ErrorCode; readonly message: string } | null;
  /** Number of files that the page decoded, instead of the worker. */
  readonly numPageDecodes: number;
}

/** Tests that every audio fixture yields the result of the WAV file. */
export function formatTests(kind: BrowserKind, driver: () => Driver, server: () => AppServer): void {
  let reference: Outcome | undefined;

  const run = async (path: string, options: DiarizeOptions = SEGMENT): Promise<Outcome> => {
    await driver().chooseFiles('#file', resolve(path));
    return driver().evaluate(async (runOptions) => {
      const engine = globalThis as unknown as { formatDiarizer?: typeof voxlane.Diarizer.prototype };
      engine.formatDiarizer ??= await voxlane.Diarizer.create({ backend: 'wasm' });
      const prototype = OfflineAudioContext.prototype;
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the receiver of the patched method
      const { decodeAudioData } = prototype;
      let numPageDecodes = 0;
      prototype.decodeAudioData = function (...args) {
        numPageDecodes += 1;
        return decodeAudioData.apply(this, args);
      };
      try {
        const { turns, speakers, durationSeconds, notes } = await engine.formatDiarizer.diarize(voxlane.chosenFile(), runOptions);
        return { turns: [...turns], speakers: speakers.length, durationSeconds, notes: notes.map(({ code }) => code), failure: null, numPageDecodes };
      } catch (error) {
        if (!(error instanceof voxlane.VoxlaneError)) throw error;
        return { turns: [], speakers: 0, durationSeconds: 0, notes: [], failure: { code: error.code, message: error.message }, numPageDecodes };
      } finally {
        prototype.decodeAudioData = decodeAudioData;
      }
    }, options);
  };
  /** Computed lazily by the first test, so single tests can run alone. */
  const wav = async (): Promise<Outcome> => {
    if (!reference) {
      await driver().open(server().address + PAGES.engine);
      await waitFor(driver(), 'the library', 30, () => 'voxlane' in globalThis);
      reference = await run('public/sample.wav');
    }
    return reference;
  };

  it.each(FIXTURES)('%s yields the result of the WAV file', async (extension) => {
    const { turns, speakers } = await wav();
    expect(speakers).toBe(2);
    const found = await run(`e2e/fixtures/sample.${extension}`);
    const { der } = diarizationErrorRate(turns, found.turns);
    console.log(`${kind.name}, ${extension}: DER ${(100 * der).toFixed(2)} % against the WAV's result`);
    expect(found.failure).toBeNull();
    expect(found.speakers).toBe(2);
    expect(found.numPageDecodes).toBe(kind === webkit && ON_PAGE_IN_WEBKIT.has(extension) ? 1 : 0);
    expect(der).toBeLessThanOrEqual(MAX_DER);
  });

  const read = READ_CASES.map(([file, seconds]) => ({ file, seconds }));
  it.each(read)('$file opens and is read to its end', async ({ file, seconds }) => {
    await wav();
    const { failure, durationSeconds, notes } = await run(`e2e/fixtures/cases/${file}`, {});
    expect(failure).toBeNull();
    if (file === SEVERAL_EDITS && kind === webkit) expect(notes).toEqual(['browser-decoder']);
    else expect(Math.abs(durationSeconds - seconds)).toBeLessThanOrEqual(DURATION_SECONDS);
  });

  it.each(REJECTED_CASES)('%s opens, or is rejected because of its codec %s', async (file, codec) => {
    await wav();
    const { failure, turns } = await run(`e2e/fixtures/cases/${file}`, {});
    if (failure === null) {
      expect(turns.length).toBeGreaterThan(0);
    } else {
      expect(failure.code).toBe('audio-unsupported');
      expect(failure.message).toContain(codec);
    }
  });

  // The worker of WebKit uses no decoder of the browser.
  if (kind === webkit) return;

  it('if WebCodecs fails in the middle, the page decodes the rest, and the result has a note', async () => {
    const { turns } = await wav();
    server().inject('decode', FAILING_DECODER, 'next');
    await driver().evaluate(() => {
      const engine = globalThis as unknown as { formatDiarizer?: typeof voxlane.Diarizer.prototype };
      engine.formatDiarizer?.dispose();
      delete engine.formatDiarizer;
    });
    const found = await run('e2e/fixtures/sample.m4a');
    expect(found).toMatchObject({ failure: null, speakers: 2, numPageDecodes: 1, notes: ['browser-decoder'] });
    expect(diarizationErrorRate(turns, found.turns).der).toBeLessThanOrEqual(MAX_DER);
  });
}
