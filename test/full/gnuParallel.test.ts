/** The template for GNU parallel, run by GNU parallel. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { jobText, readRequest } from '../../cli/corpus/template';
import { fakeCluster } from '../corpus/fakeSchedulers';
import { itUnless } from '../skips';

const missing = spawnSync('parallel', ['--version']).status !== 0 && 'GNU parallel is not installed; install the package parallel';

itUnless(missing)('runs every shard, and repeats only failed ones', () => {
  const cluster = fakeCluster(`a 'b' "c" $d \`e\` \\f {} %A #g`);
  const root = dirname(cluster.folder);
  try {
    writeFileSync(join(cluster.folder, 'plan.json'), JSON.stringify({ numShards: 3 }));
    writeFileSync(join(cluster.folder, 'manifest.jsonl'), '');
    const voxlane = join(root, 'failing voxlane');
    writeFileSync(voxlane, `#!/bin/sh\ncase "$*" in *"--shard $FAILING/3") FAKE_STATUS=1; export FAKE_STATUS ;; esac\nexec "${cluster.voxlane}" "$@"\n`, { mode: 0o755 });
    const job = join(root, 'job.sh');
    writeFileSync(job, jobText(readRequest(['parallel', '--corpus', cluster.folder, '--', '--speed', 'fast'])!));
    const start = (failing: string): void => {
      const { status, stderr } = spawnSync('bash', [job], { env: { ...cluster.environment, VOXLANE: voxlane, FAILING: failing }, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
    };
    const shard = (index: number): string[] => ['corpus', 'run', cluster.folder, '--speed', 'fast', '--shard', `${index}/3`];
    const merge = ['status', 'merge'].map((name) => ['corpus', name, cluster.folder]);
    start('1');
    expect(cluster.calls().map(({ args }) => args)).toEqual([shard(0), shard(1), shard(2), ...merge]);
    start('none');
    expect(cluster.calls().slice(5).map(({ args }) => args)).toEqual([shard(1), ...merge]);
  } finally {
    rmSync(root, { recursive: true });
  }
}, 60_000);
