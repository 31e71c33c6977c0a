/** The files that say which recordings are in work. */
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { corpusFiles, leaseSchema, readRecord } from './layout';

/** A lease of another machine counts until it is this old, because its process cannot be checked. */
const LEASE_MS = 6 * 3600 * 1000;

/**
 * Whether the process of a lease still runs. A killed process leaves its leases behind.
 *
 * @param path of the lease
 * @param nowMs in milliseconds since 1970
 */
export async function isLeaseAlive(path: string, nowMs: number): Promise<boolean> {
  const lease = await readRecord(path, leaseSchema).catch(() => null);
  if (!lease) return false;
  if (lease.host !== hostname()) return nowMs - lease.startedMs < LEASE_MS;
  try {
    process.kill(lease.pid, 0);
    return true;
  } catch (error) {
    // The process of another user.
    return (error as { readonly code?: unknown }).code === 'EPERM';
  }
}

/** @throws Error with a one-line message if a run works on the corpus */
export async function requireIdle(folder: string, nowMs: number): Promise<void> {
  const { running } = corpusFiles(folder);
  for (const name of await readdir(running).catch(() => [])) {
    if (name.startsWith('.') || !(await isLeaseAlive(join(running, name), nowMs))) continue;
    throw new Error(`a run works on ${folder}. Wait for its end, or plan into another folder. If it was killed on another machine, delete ${running}`);
  }
}
