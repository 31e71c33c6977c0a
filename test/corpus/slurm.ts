/** A Slurm cluster of one node on this machine, in a temporary folder and on free ports. Needs root, and Debian's slurm-wlm and munge. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { freemem, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 30_000;
const STOP_MS = 15_000;
const POLL_MS = 200;
/** Programs of the packages, in directories that are not on every PATH. */
const PATH = `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin`;

export interface Slurm {
  /** For `sbatch` and other programs of Slurm. */
  readonly environment: NodeJS.ProcessEnv;
  /** Output of a program of Slurm. @throws Error if it fails */
  run(program: string, ...args: readonly string[]): string;
  /** Waits until no job is pending or running. @throws Error if that takes too long */
  finished(limitMs: number): Promise<void>;
  /** Cancels all jobs and ends all processes. */
  stop(): Promise<void>;
}

/** Why Slurm cannot run here; null if it can. */
export function whyNoSlurm(): string | null {
  if (process.platform !== 'linux') return 'Slurm needs Linux';
  if (process.getuid?.() !== 0) return 'slurmd needs root';
  const missing = ['munged', 'slurmctld', 'slurmd', 'sbatch'].filter((program) => spawnSync('which', [program], { env: { ...process.env, PATH } }).status !== 0);
  return missing.length === 0 ? null : `${missing.join(', ')} not found; install slurm-wlm and munge`;
}

/** @param cpus number of cores that Slurm assigns */
export async function startSlurm(cpus: number): Promise<Slurm> {
  const folder = mkdtempSync(join(tmpdir(), 'voxlane-slurm-'));
  const config = join(folder, 'slurm.conf');
  const environment = { ...process.env, PATH, SLURM_CONF: config };
  const children: ChildProcess[] = [];
  const start = (program: string, ...args: readonly string[]): void => {
    const log = openSync(join(folder, `${program}.out`), 'a');
    children.push(spawn(program, args, { env: environment, stdio: ['ignore', log, log] }));
    closeSync(log);
  };
  const killAll = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', killAll);

  const run = (program: string, ...args: readonly string[]): string => {
    const { status, stdout, stderr, error } = spawnSync(program, args, { env: environment, encoding: 'utf8', timeout: START_MS });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
    return stdout;
  };
  const waitFor = async (what: string, limitMs: number, isTrue: () => boolean): Promise<void> => {
    for (let waitedMs = 0; !isTrue(); waitedMs += POLL_MS) {
      if (waitedMs > limitMs) throw new Error(`${what} not after ${limitMs / 1000} s\n${logs(folder)}`);
      await sleep(POLL_MS);
    }
  };
  const finished = (limitMs: number): Promise<void> => waitFor('all jobs finished', limitMs, () => run('squeue', '--noheader') === '');
  const stop = async (): Promise<void> => {
    try {
      if (run('squeue', '--noheader') !== '') run('scancel', '--full', '--signal=KILL', '--user=root');
      await finished(STOP_MS);
    } catch {
      // The cluster did not start, or does not answer.
    }
    // In reverse order, because each program waits for those that it needs.
    for (const child of children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const end = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await Promise.race([end, sleep(STOP_MS, undefined, { ref: false })]);
    }
    killAll();
    process.off('exit', killAll);
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    for (const name of ['state', 'spool']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'munge.key'), randomBytes(1024), { mode: 0o400 });
    writeFileSync(config, configuration(folder, cpus, await freePorts(2)));
    const file = (name: string): string => join(folder, name);
    start(
      'munged', '--foreground', '--force', `--key-file=${file('munge.key')}`, `--socket=${file('munge.socket')}`,
      `--pid-file=${file('munged.pid')}`, `--log-file=${file('munged.log')}`, `--seed-file=${file('munged.seed')}`,
    );
    const munge = (): boolean => spawnSync('munge', ['-n', `--socket=${file('munge.socket')}`]).status === 0;
    await waitFor('munged answers', START_MS, munge);
    start('slurmctld', '-D', '-f', config);
    // A node that registers too early tries again only after half a minute.
    await waitFor('slurmctld answers', START_MS, () => spawnSync('scontrol', ['ping'], { env: environment }).status === 0);
    start('slurmd', '-D', '-f', config, '-N', NODE);
    const isIdle = (): boolean => spawnSync('sinfo', ['--noheader', '--format=%T'], { env: environment, encoding: 'utf8' }).stdout.trim() === 'idle';
    await waitFor('the node is idle', START_MS, isIdle);
  } catch (error) {
    await stop();
    throw error;
  }
  return { environment, run, finished, stop };
}

const NODE = 'node';

const configuration = (folder: string, cpus: number, [controllerPort, nodePort]: readonly number[]): string => `
ClusterName=voxlane
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
SlurmUser=root
# Slurm delays a requeued job until its credential has expired, by default for two minutes.
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
# Without cgroups.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
MpiDefault=none
ReturnToService=2
NodeName=${NODE} NodeHostname=${hostname()} NodeAddr=127.0.0.1 CPUs=${cpus} RealMemory=${Math.floor(freemem() / 2 ** 20)}
PartitionName=main Nodes=${NODE} Default=YES State=UP
`;

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function logs(folder: string): string {
  const last = (name: string): string => {
    try {
      return `${name}: ${readFileSync(join(folder, `${name}.out`), 'utf8').trim().split('\n').slice(-8).join('\n')}`;
    } catch {
      return `${name}: no log`;
    }
  };
  return ['munged', 'slurmctld', 'slurmd'].map(last).join('\n');
}
