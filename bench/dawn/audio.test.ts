import { expect, it } from 'vitest';
import { buildWav } from '../../test/audio/wav';
import { repeatedWav, wavData } from './audio';

const sample = async (): Promise<Uint8Array> =>
  new Uint8Array(await buildWav([[0.5, -0.5, 0.25]], { extraChunks: [{ name: 'LIST', bytes: 7 }] }).arrayBuffer());

it('finds the samples behind other chunks', async () => {
  expect([...new Int16Array(wavData(await sample()).slice().buffer)]).toEqual([16384, -16384, 8192]);
  expect(() => wavData(new Uint8Array(20))).toThrow('the sample has no chunk with samples. Expected a WAV file.');
});

it('repeats the samples to the exact length, with a matching header', async () => {
  const wav = new Uint8Array(await (await repeatedWav(await sample(), 5 / 16_000)).arrayBuffer());
  expect([...new Int16Array(wavData(wav).slice().buffer)]).toEqual([16384, -16384, 8192, 16384, -16384]);
  expect(new DataView(wav.buffer).getUint32(4, true)).toBe(wav.length - 8);
});
