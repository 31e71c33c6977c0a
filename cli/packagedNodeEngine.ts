/** Replaces `nodeEngine.ts` in the npm package. The package has the command in `dist/cli` and the library for Node in `dist/node`. */
import { fileURLToPath } from 'node:url';
import type * as Library from '../src/index';
import type * as Commands from './engine/nodeCommands';

const at = (path: string): string => new URL(`../node/${path}`, import.meta.url).href;

export const loadNodeEngine = async (): Promise<typeof Library> => (await import(at('index.js'))) as typeof Library;

/** Loads the work of the commands. */
export const loadNodeCommands = async (): Promise<typeof Commands> => (await import(at('commands.js'))) as typeof Commands;

export const nodeEngineFolder = (): Promise<string> => Promise.resolve(fileURLToPath(at('')));
