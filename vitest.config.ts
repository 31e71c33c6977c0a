import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{src,workers,cli,bench,scripts}/**/*.test.ts'],
    testTimeout: 30_000,
  },
});
