import { describe, expect, it } from 'vitest';
import { filesOfDrop, visibleFiles } from './files';

type Transfer = Parameters<typeof filesOfDrop>[0];

const file = (name: string): File => new File([], name);

const fileEntry = (path: string, isReadable = true): FileSystemEntry =>
  ({
    isFile: true,
    isDirectory: false,
    fullPath: path,
    file(resolve: (file: File) => void, reject: () => void) {
      if (isReadable) resolve(file(path.split('/').at(-1)!));
      else reject();
    },
  }) as unknown as FileSystemEntry;

/** Returns its children a few at a time, as browsers do. */
const folderEntry = (path: string, children: readonly FileSystemEntry[]): FileSystemEntry =>
  ({
    isFile: false,
    isDirectory: true,
    fullPath: path,
    createReader() {
      let at = 0;
      return {
        readEntries(resolve: (part: readonly FileSystemEntry[]) => void) {
          resolve(children.slice(at, (at += 2)));
        },
      };
    },
  }) as unknown as FileSystemEntry;

const dropOf = (files: readonly File[], entries: readonly FileSystemEntry[]): Transfer =>
  ({ files, items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })) }) as unknown as Transfer;

const pathsOf = (files: readonly File[]): string[] => files.map(({ webkitRelativePath, name }) => webkitRelativePath || name);

describe('filesOfDrop', () => {
  it('returns files unchanged', async () => {
    const files = [file('model.onnx'), file('goldens.zip')];
    expect(await filesOfDrop(dropOf(files, [fileEntry('/model.onnx'), fileEntry('/goldens.zip')]))()).toEqual(files);
  });

  it('reads folders completely, with paths', async () => {
    const stages = ['a', 'b', 'c', 'd', 'e'].map((name) => fileEntry(`/bundle/stages/${name}.npy`));
    const bundle = folderEntry('/bundle', [fileEntry('/bundle/manifest.json'), folderEntry('/bundle/stages', stages)]);
    const found = await filesOfDrop(dropOf([], [bundle, fileEntry('/model.onnx')]))();
    expect(pathsOf(found)).toEqual([
      'bundle/manifest.json',
      ...['a', 'b', 'c', 'd', 'e'].map((name) => `bundle/stages/${name}.npy`),
      'model.onnx',
    ]);
  });

  it('rejects too many files', async () => {
    const many = folderEntry('/dropped', [folderEntry('/dropped/x', Array.from({ length: 2001 }, (_, index) => fileEntry(`/dropped/x/${index}`)))]);
    await expect(filesOfDrop(dropOf([], [many]))()).rejects.toMatchObject({ code: 'format', problem: expect.stringContaining('2000') as string });
  });

  it('reports the name of an unreadable file', async () => {
    const folder = folderEntry('/bundle', [fileEntry('/bundle/secret.npy', false)]);
    await expect(filesOfDrop(dropOf([], [folder]))()).rejects.toMatchObject({ code: 'format', problem: expect.stringContaining('/bundle/secret.npy') as string });
  });
});

it('leaves out files that file managers hide', () => {
  expect(visibleFiles(['.DS_Store', 'a.npy'].map(file)).map(({ name }) => name)).toEqual(['a.npy']);
});
