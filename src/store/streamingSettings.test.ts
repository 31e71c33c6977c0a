import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import manifest from '../../models/nemotron-3-diarization/manifest.json';
import type { VoxlaneError } from '../util/errors';
import { modeSizes, parseStreamingSettings, scoreCounts, type StreamingSettings } from './streamingSettings';

/** Written by stream_goldens.py from the defaults of the reference. */
const GOLDEN = JSON.parse(readFileSync('src/sortformer/fixtures/stream.json', 'utf8')) as { settings: StreamingSettings };
const valid = GOLDEN.settings;

/** The message for settings with some fields changed. */
function rejection(changes: object): string {
  try {
    parseStreamingSettings({ ...valid, ...changes }, 'a/manifest.json');
  } catch (error) {
    expect(error).toMatchObject({ code: 'model-invalid' });
    return (error as VoxlaneError).problem;
  }
  return '';
}

describe('parseStreamingSettings', () => {
  it('reads the manifest of Nemotron 3 Diarization, whose values are the defaults of the reference', () => {
    expect(parseStreamingSettings(manifest.streaming, 'a/manifest.json')).toEqual(valid);
  });

  it('accepts the settings of the reference, and derives its counts', () => {
    const settings = parseStreamingSettings(valid, 'a/manifest.json');
    expect(settings).toEqual(valid);
    // budget 264 / 8 - 1 = 32
    expect(scoreCounts(settings)).toEqual({ minPositive: 16, strongBoosts: 24, weakBoosts: 48 });
    expect(modeSizes(settings, 'offline')).toEqual({ chunkFrames: 340, lookAheadFrames: 40, fifoFrames: 40, updatePeriodFrames: 300 });
    expect(modeSizes(settings, 'ultra_low_latency')).toEqual({ chunkFrames: 3, lookAheadFrames: 1, fifoFrames: 264, updatePeriodFrames: 222 });
  });

  it('rejects a manifest without the section', () => {
    const message = /The section streaming of the manifest a\/manifest\.json is not valid: the whole section: expected Object, found nothing/;
    expect(() => parseStreamingSettings(undefined, 'a/manifest.json')).toThrow(message);
  });

  it.each([
    ['a missing field', { offline: { ...valid.offline, fifoFrames: undefined } }, /offline\.fifoFrames/],
    ['a chunk without frames', { offline: { ...valid.offline, chunkFrames: 0 } }, /offline\.chunkFrames/],
    ['look-back', { lookBackFrames: 4 }, /lookBackFrames/],
    ['more look-ahead than chunk', { offline: { ...valid.offline, lookAheadFrames: 340 } }, /must be less than offline\.chunkFrames/],
    ['a cache without room for each speaker', { cache: { ...valid.cache, cacheFrames: 15 } }, /cacheFrames must be at least/],
    ['boosts of more frames than there are', { cache: { ...valid.cache, weakBoostRate: 9 } }, /must not cover more frames/],
    ['a threshold of 0 before a logarithm', { cache: { ...valid.cache, scoreThreshold: 0 } }, /cache\.scoreThreshold/],
    ['a threshold above 1', { segments: { ...valid.segments, threshold: 1.5 } }, /segments\.threshold/],
  ])('rejects %s', (_, changes, message) => {
    expect(rejection(changes)).toMatch(message);
  });
});
