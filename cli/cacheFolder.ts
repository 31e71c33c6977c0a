import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the commands keep what they can compute again. */
export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'voxlane');
