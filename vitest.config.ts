import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { coverage, coverageFolder } from './scripts/coverage/plugin.ts';
import { kernels } from './scripts/kernelsPlugin.ts';
import { resampler } from './scripts/resamplerPlugin.ts';

const FOLDERS = ['src', 'workers', 'cli', 'bench', 'scripts', 'test'];

/** What a test file changes for every other file of its thread: modules, globals, timers. */
const CHANGES_ITS_THREAD = /\bvi\.(mock|stubGlobal|spyOn|useFakeTimers)\(|\/memory'|\/dawn'/;

/** Unit tests, those that can share a thread with others apart from those that need one of their own. */
function unitTests(): { shared: string[]; alone: string[] } {
  const files = FOLDERS.flatMap((folder) => (readdirSync(folder, { recursive: true }) as string[]).map((name) => join(folder, name)));
  const tests = files.filter((file) => file.endsWith('.test.ts') && !file.startsWith(join('test', 'full')));
  const isAlone = (file: string): boolean => CHANGES_ITS_THREAD.test(readFileSync(file, 'utf8'));
  return { shared: tests.filter((file) => !isAlone(file)), alone: tests.filter(isAlone) };
}

const common = {
  setupFiles: coverageFolder ? ['scripts/coverage/vitestSetup.ts'] : [],
  testTimeout: 120_000,
};

function projects() {
  // Tests that take longer than `npm test` should are in `test/full`, for `npm run test:full`.
  if (process.env.VOXLANE_FULL) return [{ extends: true as const, test: { ...common, name: 'full', include: ['test/full/**/*.test.ts'] } }];
  const { shared, alone } = unitTests();
  return [
    // Most files take longer to load than to run: modules are loaded once per thread.
    { extends: true as const, test: { ...common, name: 'shared', include: shared, pool: 'threads' as const, isolate: false } },
    // Dawn also needs a process of its own, with its driver in the environment.
    { extends: true as const, test: { ...common, name: 'alone', include: alone, pool: 'forks' as const } },
  ];
}

export default defineConfig({
  plugins: [coverage(), kernels(), resampler()],
  // By default one core stays free, which on two cores leaves one worker.
  test: { projects: projects(), maxWorkers: Math.max(2, availableParallelism() - 1) },
});
