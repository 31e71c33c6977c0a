import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { compile, findCompiler, readRecord } from '../../scripts/minimp3';

it('the compiler writes the MP3 decoder of the repository', ({ skip }) => {
  const record = readRecord();
  const compiler = findCompiler();
  if (compiler?.version !== record.compiler) return skip(`needs ${record.compiler}, found ${compiler?.version ?? 'no clang'}`);
  expect(createHash('sha256').update(compile(compiler.program)).digest('hex')).toBe(record.module);
});
