import { readFileSync } from 'node:fs';
import { Input, WEBM } from 'mediabunny';
import { expect, it } from 'vitest';
import { guardedSource } from './mediaInput';
import { openTrack } from './media';

/** The EBML header of a WebM file, and the start of its segment. */
const HEADER = new Uint8Array(readFileSync(new URL('../../e2e/fixtures/sample.webm', import.meta.url)).subarray(0, 48));

it('throws if mediabunny would read the last bytes of a damaged Matroska file in an endless loop', async () => {
  const damaged = new Blob([HEADER, new Uint8Array(100)]);
  await expect(openTrack(damaged)).rejects.toMatchObject({ code: 'audio-unsupported', problem: expect.stringMatching(/its structure is damaged around byte \d+$/) as string });
});

it('throws if mediabunny would return to one element in an endless loop', async () => {
  // The id of a cluster, and a size with an invalid first byte.
  const element = [0x1f, 0x43, 0xb6, 0x75, 0, 0, 0, 0];
  const damaged = new Blob([HEADER, Uint8Array.from(element), new Uint8Array(100)]);
  await expect(openTrack(damaged)).rejects.toMatchObject({ code: 'audio-unsupported', problem: expect.stringMatching(/its structure is damaged around byte 48$/) as string });
});

it('does not affect an undamaged file', async () => {
  const whole = new Blob([new Uint8Array(readFileSync(new URL('../../e2e/fixtures/sample.webm', import.meta.url)))]);
  const track = await new Input({ source: guardedSource(whole), formats: [WEBM] }).getPrimaryAudioTrack();
  expect(await track!.computeDuration()).toBeCloseTo(30, 0);
});
