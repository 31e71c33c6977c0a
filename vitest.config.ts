import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { coverage, coverageFolder } from './scripts/coverage/plugin.ts';
import { kernels } from './scripts/kernelsPlugin.ts';
import { wasm } from './scripts/wasmPlugin.ts';

const FOLDERS = ['src', 'workers', 'cli', 'bench', 'scripts', 'test'];

/** Matches test files that change modules, globals or timers for other files in the same thread. */
const CHANGES_ITS_THREAD = /\bvi\.(mock|stubGlobal|spyOn|useFakeTimers)\(|Mocks'|\/memory'|\/dawn'/;

/** Unit tests, split into those that can share a thread and those that need a separate process. */
function unitTests(): { shared: string[]; alone: string[] } {
  const files = FOLDERS.flatMap((folder) => (readdirSync(folder, { recursive: true }) as string[]).map((name) => join(folder, name)));
  const tests = files.filter((file) => file.endsWith('.test.ts') && !file.startsWith(join('test', 'full')));
  const isAlone = (file: string): boolean => CHANGES_ITS_THREAD.test(readFileSync(file, 'utf8'));
  return { shared: tests.filter((file) => !isAlone(file)), alone: tests.filter(isAlone) };
}

const common = {
  setupFiles: coverageFolder ? ['scripts/coverage/vitestSetup.ts'] : [],
  // Only ends tests that hang. A machine with other work needs many times the usual time.
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

function projects() {
  // Tests that take too long for `npm test` run with `npm run test:full`.
  const include = ['test/full/**/*.test.ts'];
  if (process.env.VOXLANE_FULL) return [{ extends: true as const, test: { ...common, name: 'full', include } }];
  const { shared, alone } = unitTests();
  return [
    // Load modules once per thread, because most files take longer to load than to run.
    { extends: true as const, test: { ...common, name: 'shared', include: shared, pool: 'threads' as const, isolate: false } },
    // Dawn also needs a separate process, with its driver in the environment.
    { extends: true as const, test: { ...common, name: 'alone', include: alone, pool: 'forks' as const } },
  ];
}

export default defineConfig({
  plugins: [coverage(), kernels(), wasm()],
  // By default, Vitest leaves one core free, which would leave only one worker on two cores.
  test: { projects: projects(), maxWorkers: Math.max(2, availableParallelism() - 1) },
});
