import { describe, expect, it } from 'vitest';
import { noise } from '../../test/audio/collect';
import { readMp3Padding } from '../../src/audio/containers/mp3';
import { encodeVbrMp3, frameStarts } from './vbrMp3';

const SAMPLE_RATE = 16_000;

/** Ten seconds of silence and one of noise, which require different bitrates. */
function* pieces(): Generator<Float32Array> {
  for (let second = 0; second < 10; second++) yield new Float32Array(SAMPLE_RATE);
  yield noise(SAMPLE_RATE);
}

describe.each([16_000, 22_050, 44_100] as const)('a VBR MP3 at %i Hz', (outputSampleRate) => {
  it('reports the length and position of the audio', async () => {
    const file = await encodeVbrMp3(pieces(), { sampleRate: SAMPLE_RATE, outputSampleRate });
    const padding = await readMp3Padding(new Blob([file]));
    expect(padding).toMatchObject({ leading: 576 + 529, length: 11 * outputSampleRate });

    const starts = frameStarts(file);
    const sizes = starts.map((start, i) => (starts[i + 1] ?? file.length) - start);
    expect(Math.max(...sizes.slice(1))).toBeGreaterThan(2 * Math.min(...sizes.slice(1)));

    const tag = Buffer.from(file.subarray(file.indexOf('X'.charCodeAt(0)), sizes[0]));
    expect(tag.toString('latin1', 0, 4)).toBe('Xing');
    expect([tag.readUInt32BE(8), tag.readUInt32BE(12)]).toEqual([starts.length - 1, file.length]);
    // With a constant bitrate, nine tenths of the bytes would be at nine tenths of the time.
    const [middle, late] = [tag[16 + 50]!, tag[16 + 90]!];
    expect(middle / 256).toBeLessThan(0.45);
    expect(late / 256).toBeLessThan(0.85);
    expect(late).toBeGreaterThan(middle);
  });
});

describe('frameStarts', () => {
  it('rejects files that are not MP3', () => {
    expect(() => frameStarts(Uint8Array.from('not a recording', (letter) => letter.charCodeAt(0)))).toThrow('byte 0');
  });
});
