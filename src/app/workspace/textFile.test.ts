import { expect, it } from 'vitest';
import { readTextFile } from './openFiles';

it('reports that an encoding is a guess', async () => {
  const said: string[] = [];
  const read = (bytes: readonly number[]) => readTextFile(new File([Uint8Array.from(bytes)], 'a.srt'), (sentence) => said.push(sentence));
  expect(await read([0x5a, 0x6f, 0xc3, 0xab])).toBe('Zoë');
  expect(said).toEqual([]);
  expect(await read([0x5a, 0x6f, 0xeb])).toBe('Zoë');
  expect(said).toEqual(['a.srt is not UTF-8. It was read as windows-1252: check the letters with accents.']);
});

it('reports the name of an unreadable file', async () => {
  const gone = { name: 'gone.rttm', arrayBuffer: () => Promise.reject(new Error('not found')) } as unknown as File;
  await expect(readTextFile(gone, () => undefined)).rejects.toMatchObject({ code: 'format', problem: 'gone.rttm cannot be read' });
});
