/**
 * Command line: models in the cache folder.
 *
 *     npx voxlane models [--delete ID]
 */
import { readdirSync } from 'node:fs';
import type * as Library from '../src/index';
import { cacheFolder } from '../src/util/nodeCacheFolder';
import { loadNodeEngine } from './nodeEngine';
import { print, reasonOf, say } from './output';
import { commandOf } from './script';
import { nearestName, parsed, parseFlags, UsageError } from './usage';

export const HELP = `Usage: voxlane models [options]

Lists the models that the commands have stored in the cache folder: downloads, trusted files of --model, and what was converted from them.
The beginning of an interrupted download is listed too, with the bytes that are present and expected. The next command with its preset
continues there. Each line has the id of the model, the file, its size, the license, and the time of storage. A trusted file has no license in the list.

  --delete ID   delete all stored files of a model; can be repeated
  --json        print the list as JSON; an interrupted download has fewer receivedBytes than bytes, and its preset
  --help        print this text

VOXLANE_CACHE names another cache folder.
`;

/** The part of the library that the command uses. */
type ModelLibrary = Pick<typeof Library, 'storedModels' | 'presetInfo' | 'deleteStoredModel'>;

/** @param load imports the library's build for Node @returns the exit status @throws UsageError for an id without stored files; Error if the cache folder cannot be read */
export async function models(args: readonly string[], load: () => Promise<ModelLibrary> = () => loadNodeEngine(say)): Promise<number> {
  const { values } = parsed(() =>
    parseFlags({
      args: [...args],
      options: { delete: { type: 'string', multiple: true, default: [] }, json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    }));
  if (values.help) {
    await print(HELP);
    return 0;
  }
  requireReadable(cacheFolder());
  const { storedModels, presetInfo, deleteStoredModel } = await load();
  const list = async (): Promise<readonly Listed[]> => [...(await storedModels()).map((file) => ({ ...file, receivedBytes: file.bytes })), ...begunIn(await presetInfo())];
  const stored = await list();
  const ids = [...new Set(stored.map(({ id }) => id))];
  // Before anything is deleted.
  for (const id of values.delete) {
    if (!ids.includes(id)) throw new UsageError(`--delete is ${id}, which has no stored files. ${adviceFor(id, ids)}`);
  }
  for (const id of new Set(values.delete)) {
    await deleteStoredModel(id);
    const files = stored.filter((model) => model.id === id);
    say(`deleted ${id}: ${files.length} ${files.length === 1 ? 'file' : 'files'}, ${megabytes(files)}`);
  }
  const left = values.delete.length > 0 ? await list() : stored;
  await print(values.json ? `${JSON.stringify(left, null, 2)}\n` : listOf(left));
  return 0;
}

/** The library treats a cache folder that it cannot read as empty, because it works without one. @throws Error with a one-line message */
function requireReadable(folder: string): void {
  try {
    for (const { name } of readdirSync(folder, { withFileTypes: true })) if (name === 'models') readdirSync(`${folder}/models`, { recursive: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new Error(`the cache folder ${folder} cannot be read: ${reasonOf(cause)}. Set VOXLANE_CACHE to another folder`, { cause });
  }
}

/** The beginning of a download that was interrupted. */
interface Begun extends Pick<Library.StoredModelInfo, 'id' | 'bytes' | 'license'> {
  /** It has no file yet. */
  readonly file: null;
  readonly storedAt: null;
  readonly receivedBytes: number;
  /** A run with this preset continues the download. */
  readonly preset: Library.PresetId;
}

/** What the cache folder has. `bytes` is the size of the whole file. */
type Listed = Begun | (Library.StoredModelInfo & { readonly receivedBytes: number });

const begunIn = (presets: readonly Library.PresetInfo[]): Begun[] =>
  presets.flatMap(({ id, model, bytes, receivedBytes, license }) =>
    (receivedBytes > 0 ? [{ id: model, file: null, bytes, receivedBytes, license, storedAt: null, preset: id }] : []));

function adviceFor(id: string, ids: readonly string[]): string {
  if (ids.length === 0) return 'No models are stored';
  const near = nearestName(id, ids);
  return near === null ? `Expected ${ids.join(' or ')}` : `Did you mean ${near}?`;
}

/** One line per file, with aligned columns, the total, and what to do with interrupted downloads. */
function listOf(all: readonly Listed[]): string {
  if (all.length === 0) return 'no stored models\n';
  const rows = all.map((each) => {
    const file = each.file ?? `incomplete, of ${inMegabytes(each.bytes)}`;
    const time = each.storedAt === null ? '' : new Date(each.storedAt).toISOString().slice(0, 16);
    return [each.id, file, megabytes([each]), each.license ?? 'no license', time];
  });
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd());
  const advice = all.flatMap((each) =>
    ('preset' in each ? [`${each.id} is incomplete: diarize with --preset ${each.preset} continues the download, models --delete ${each.id} deletes it`] : []));
  return `${[...lines, `${megabytes(all)} in all`, ...advice].join('\n')}\n`;
}

/** Size of what is stored. */
const megabytes = (files: readonly { readonly receivedBytes: number }[]): string => inMegabytes(files.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0));

const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export const run = commandOf('models', 1, (args) => models(args));
