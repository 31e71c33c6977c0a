import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readMachine } from './machine';

const GIB = 2 ** 30;
const SYSTEM = { cores: 16, freeBytes: 64 * GIB };

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'voxlane-test-')); });
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

function files(texts: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

test('without control groups, the whole machine counts', () => {
  expect(readMachine(root, {}, SYSTEM)).toEqual({ cores: 16, availableBytes: 64 * GIB });
});

test('version 2: the smallest limit of the group and its parents counts, without the page cache', () => {
  files({
    'proc/self/cgroup': '0::/jobs/one\n',
    'sys/fs/cgroup/jobs/cpu.max': '250000 100000\n',
    'sys/fs/cgroup/jobs/memory.max': 'max\n',
    'sys/fs/cgroup/jobs/one/cpu.max': 'max 100000\n',
    'sys/fs/cgroup/jobs/one/memory.max': `${8 * GIB}\n`,
    'sys/fs/cgroup/jobs/one/memory.current': `${5 * GIB}\n`,
    'sys/fs/cgroup/jobs/one/memory.stat': `anon 1\ninactive_file ${3 * GIB}\n`,
  });
  expect(readMachine(root, {}, SYSTEM)).toEqual({ cores: 2, availableBytes: 6 * GIB });
});

test('version 2 in a container whose group has the path of the host', () => {
  files({ 'proc/self/cgroup': '0::/../../kubepods/pod1\n', 'sys/fs/cgroup/memory.max': `${2 * GIB}\n`, 'sys/fs/cgroup/cpu.max': '50000 100000' });
  expect(readMachine(root, {}, SYSTEM)).toEqual({ cores: 1, availableBytes: 2 * GIB });
});

test('version 1', () => {
  files({
    'proc/self/cgroup': '5:cpu,cpuacct:/job\n4:memory:/job\n1:name=systemd:/job\n',
    'sys/fs/cgroup/cpu/job/cpu.cfs_quota_us': '400000\n',
    'sys/fs/cgroup/cpu/job/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/memory/job/memory.limit_in_bytes': `${4 * GIB}\n`,
    'sys/fs/cgroup/memory/job/memory.usage_in_bytes': `${GIB}\n`,
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  });
  expect(readMachine(root, {}, SYSTEM)).toEqual({ cores: 4, availableBytes: 3 * GIB });
});

test('the limits of a Slurm task count also without control groups', () => {
  expect(readMachine(root, { SLURM_CPUS_PER_TASK: '2', SLURM_MEM_PER_CPU: '1024' }, SYSTEM)).toEqual({ cores: 2, availableBytes: 2 * GIB });
  expect(readMachine(root, { SLURM_CPUS_ON_NODE: '8', SLURM_MEM_PER_NODE: '0' }, SYSTEM)).toEqual({ cores: 8, availableBytes: 64 * GIB });
});
