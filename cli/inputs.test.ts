import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readModelFile } from './inputs';

const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
const at = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
afterAll(() => { rmSync(folder, { recursive: true }); });

describe('a model file', () => {
  it('has its name, and can be sent to a thread', async () => {
    const file = await readModelFile(at('weights.safetensors', 'weights'));
    expect(file.name).toBe('weights.safetensors');
    expect(await structuredClone(file).text()).toBe('weights');
  });

  it('is named in each error', async () => {
    await expect(readModelFile(join(folder, 'none'))).rejects.toThrow(`${join(folder, 'none')}: the file does not exist`);
    await expect(readModelFile(folder)).rejects.toThrow(`${folder}: it is a folder, not a file`);
    const empty = at('empty', '');
    await expect(readModelFile(empty)).rejects.toThrow(`${empty}: the file is empty`);
  });

  it('is rejected if it changes while it is read', async () => {
    const path = at('growing', 'weights');
    const reading = readModelFile(path);
    appendFileSync(path, ' and more');
    await expect(reading).rejects.toThrow(`${path}: the file cannot be read, or was changed in the meantime`);
  });
});
