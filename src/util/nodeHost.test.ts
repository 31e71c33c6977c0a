import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { openPath, pathOf, request } from './nodeHost';

it.each([
  ['talk.wav', resolve('talk.wav')],
  [pathToFileURL('/a b/talk.wav').href, '/a b/talk.wav'],
  [pathToFileURL('/a/ü.wav'), '/a/ü.wav'],
  // Not a path: the caller rejects these as sources.
  ['https://example.org/talk.wav', null],
  [new URL('https://example.org/talk.wav'), null],
  ['data:audio/wav;base64,AAAA', null],
  [new Blob([]), null],
  [null, null],
])('the path of %s is %s', (source, path) => {
  expect(pathOf(source)).toBe(path);
});

it('a missing file and a folder are typed errors that name the path', async () => {
  await expect(openPath(resolve('none.wav'))).rejects.toMatchObject({ code: 'audio-missing', problem: `The file ${resolve('none.wav')} does not exist` });
  await expect(openPath(resolve('caf\uFFFD.wav'))).rejects.toMatchObject({ problem: expect.stringContaining('its name is not UTF-8') as string });
  await expect(openPath(resolve('src'))).rejects.toMatchObject({ code: 'audio-unsupported' });
});

it.each(['file://server/share/talk.wav', 'file://%zz', new URL('file:///a%2Fb.wav')])('%s is not the address of a file', (address) => {
  expect(() => pathOf(address)).toThrow(expect.objectContaining({ code: 'options' }) as Error);
});

it('a file address is read from disk; a missing one is answered with 404', async () => {
  const address = pathToFileURL(resolve('package.json'));
  expect(await (await request(address)).json()).toMatchObject({ private: true });
  expect((await request(new URL('none.json', address))).status).toBe(404);
});
