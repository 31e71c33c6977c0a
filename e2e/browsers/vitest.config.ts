import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['e2e/browsers/*.test.ts'],
    globalSetup: 'e2e/browsers/buildApp.ts',
    // The models use all cores. Concurrent browsers would cause timeouts.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
