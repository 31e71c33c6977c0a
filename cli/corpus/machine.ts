/** Cores and memory that this process may use: those of the machine, of its control groups, and of its Slurm task. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface Machine {
  /** Processor cores; at least 1. */
  readonly cores: number;
  /** Memory that is free for new processes. */
  readonly availableBytes: number;
}

/** Limits above this are "no limit": control groups of version 1 report a number near 2^63. */
const NO_LIMIT_BYTES = 2 ** 60;

/**
 * The smallest of all limits counts.
 *
 * @param root folder of the file system, for tests
 * @param system what the operating system reports
 */
export function readMachine(
  root = '/',
  environment: NodeJS.ProcessEnv = process.env,
  system = { cores: availableParallelism(), freeBytes: freemem() },
): Machine {
  const groups = readGroups(root);
  const cores = [system.cores, slurmCores(environment), ...groups.map(({ cores }) => cores)];
  const bytes = [system.freeBytes, slurmBytes(environment, Math.min(...numbers(cores))), ...groups.map(({ bytes }) => bytes)];
  return { cores: Math.max(1, Math.floor(Math.min(...numbers(cores)))), availableBytes: Math.max(0, Math.min(...numbers(bytes))) };
}

const numbers = (values: readonly (number | undefined)[]): number[] => values.filter((value) => value !== undefined);

/** Slurm limits jobs by control groups only if it is set up for it. */
function slurmCores({ SLURM_CPUS_PER_TASK, SLURM_CPUS_ON_NODE }: NodeJS.ProcessEnv): number | undefined {
  return positive(SLURM_CPUS_PER_TASK) ?? positive(SLURM_CPUS_ON_NODE);
}

/** Slurm's variables are in MiB. A value of 0 means the whole node. */
function slurmBytes({ SLURM_MEM_PER_NODE, SLURM_MEM_PER_CPU }: NodeJS.ProcessEnv, cores: number): number | undefined {
  const megabytes = positive(SLURM_MEM_PER_NODE) ?? (positive(SLURM_MEM_PER_CPU) ?? NaN) * cores;
  return Number.isNaN(megabytes) ? undefined : megabytes * 2 ** 20;
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text ?? NaN);
  return value > 0 ? value : undefined;
}

interface GroupLimit {
  readonly cores?: number;
  /** Limit minus the memory in use. */
  readonly bytes?: number;
}

/** The limits of the process's control groups and of all groups above them, of version 1 and version 2. */
function readGroups(root: string): GroupLimit[] {
  const lines = textOf(join(root, 'proc/self/cgroup'))?.trim().split('\n') ?? [];
  return lines.flatMap((line) => {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const mount = join(root, 'sys/fs/cgroup');
    if (controllers === '') return withParents(path).map((group) => readGroup2(join(mount, group)));
    return controllers.split(',').flatMap((name) => withParents(path).map((group) => readGroup1(join(mount, name, group), name)));
  });
}

/** In a container, the path can be that of the host, and only the root exists. */
function withParents(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...withParents(parent)];
}

function readGroup2(folder: string): GroupLimit {
  const [quota, period] = (textOf(join(folder, 'cpu.max')) ?? '').split(/\s+/).map(Number);
  const cores = quota! > 0 && period! > 0 ? quota! / period! : undefined;
  return { ...(cores && { cores }), ...freeBytes(folder, 'memory.max', 'memory.current', 'inactive_file') };
}

function readGroup1(folder: string, controller: string): GroupLimit {
  if (controller === 'memory') return freeBytes(folder, 'memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file');
  if (controller !== 'cpu') return {};
  const quota = Number(textOf(join(folder, 'cpu.cfs_quota_us')) ?? -1);
  const period = Number(textOf(join(folder, 'cpu.cfs_period_us')) ?? -1);
  return quota > 0 && period > 0 ? { cores: quota / period } : {};
}

/** The usage includes the page cache, which the kernel frees first. */
function freeBytes(folder: string, limitFile: string, usageFile: string, cacheField: string): GroupLimit {
  const limit = Number(textOf(join(folder, limitFile)) ?? NaN);
  if (!(limit > 0 && limit < NO_LIMIT_BYTES)) return {};
  const usage = Number(textOf(join(folder, usageFile)) ?? 0);
  const cache = new RegExp(`^${cacheField} (\\d+)$`, 'm').exec(textOf(join(folder, 'memory.stat')) ?? '');
  return { bytes: Math.max(0, limit - Math.max(0, usage - Number(cache?.[1] ?? 0))) };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Free memory of the GPU, from `nvidia-smi`; the smallest one if there are several. WebGPU itself does not report it.
 *
 * @returns null if the program is missing or fails
 */
export async function freeGpuBytes(): Promise<number | null> {
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', ['--query-gpu=memory.free', '--format=csv,noheader,nounits'], { timeout: 10_000 });
    const megabytes = stdout.trim().split('\n').map(Number).filter((value) => value > 0);
    return megabytes.length === 0 ? null : Math.min(...megabytes) * 2 ** 20;
  } catch {
    return null;
  }
}
