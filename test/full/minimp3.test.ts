import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { compile, findCompiler, readRecord } from '../../scripts/minimp3';
import { itUnless } from '../skips';

const record = readRecord();
const compiler = findCompiler();
const missing = compiler?.version !== record.compiler && `${record.compiler} is needed, found ${compiler?.version ?? 'no clang'}`;

itUnless(missing)('the compiler writes the MP3 decoder of the repository', () => {
  expect(createHash('sha256').update(compile(compiler!.program)).digest('hex')).toBe(record.module);
});
