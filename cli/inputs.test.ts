import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { itUnless } from '../test/skips';
import { fileProblem, requireFile } from './inputs';

const folder = mkdtempSync(join(tmpdir(), 'voxlane-'));
const at = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
afterAll(() => { rmSync(folder, { recursive: true }); });

describe('a model file', () => {
  it('is named in each error', () => {
    expect(() => { requireFile(join(folder, 'none')); }).toThrow(`${join(folder, 'none')}: the file does not exist`);
    expect(() => { requireFile(folder); }).toThrow(`${folder}: it is a folder, not a file`);
    const empty = at('empty', '');
    expect(() => { requireFile(empty); }).toThrow(`${empty}: the file is empty`);
    expect(fileProblem(at('weights.safetensors', 'weights'))).toBeNull();
  });

  itUnless(process.platform === 'win32' ? 'there are no named pipes' : null)('that is a named pipe is rejected and not waited for', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(fileProblem(pipe)).toBe('it is not a regular file; save the recording to a file first');
  });
});
