/**
 * Command line: models in the cache folder.
 *
 *     npx voxlane models [--delete ID]
 */
import type * as Library from '../src/index';
import { loadNodeEngine } from './nodeEngine';
import { print, say } from './output';
import { commandOf } from './script';
import { nearestName, parsed, parseFlags, UsageError } from './usage';

export const HELP = `Usage: voxlane models [options]

Lists the models that the commands have stored in the cache folder: downloads, trusted files of --model, and what was converted from them.
The beginning of an interrupted download is listed too, but not in JSON: the next download continues there.
Each line has the id of the model, the file, its size, the license, and the time of storage. A trusted file has no license in the list.

  --delete ID   delete all stored files of a model; can be repeated
  --json        print the list as JSON
  --help        print this text

VOXLANE_CACHE names another cache folder.
`;

/** The part of the library that the command uses. */
type ModelLibrary = Pick<typeof Library, 'storedModels' | 'presetInfo' | 'deleteStoredModel'>;

/** @param load imports the library's build for Node @returns the exit status @throws UsageError for an id without stored files */
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
  const { storedModels, presetInfo, deleteStoredModel } = await load();
  const list = async (): Promise<Listed> => ({ stored: await storedModels(), begun: begunIn(await presetInfo()) });
  const before = await list();
  const stored = [...before.stored, ...before.begun];
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
  const left = values.delete.length > 0 ? await list() : before;
  await print(values.json ? `${JSON.stringify(left.stored, null, 2)}\n` : listOf(left));
  return 0;
}

/** What the cache folder has. */
interface Listed {
  readonly stored: readonly Library.StoredModelInfo[];
  /** Downloads that were interrupted. */
  readonly begun: readonly Begun[];
}

type Begun = Omit<Library.StoredModelInfo, 'storedAt'>;

const begunIn = (presets: readonly Library.PresetInfo[]): Begun[] =>
  presets.flatMap(({ model, bytes, receivedBytes, license }) =>
    (receivedBytes > 0 ? [{ id: model, file: `incomplete, of ${megabytes([{ bytes }])}`, bytes: receivedBytes, license }] : []));

function adviceFor(id: string, ids: readonly string[]): string {
  if (ids.length === 0) return 'No models are stored';
  const near = nearestName(id, ids);
  return near === null ? `Expected ${ids.join(' or ')}` : `Did you mean ${near}?`;
}

/** One line per file, with aligned columns, and the total. */
function listOf({ stored, begun }: Listed): string {
  const all = [...stored, ...begun];
  if (all.length === 0) return 'no stored models\n';
  const timeOf = (file: Begun | Library.StoredModelInfo): string => ('storedAt' in file ? new Date(file.storedAt).toISOString().slice(0, 16) : '');
  const rows = all.map((each) => [each.id, each.file, megabytes([each]), each.license ?? 'no license', timeOf(each)]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd());
  return `${[...lines, `${megabytes(all)} in all`].join('\n')}\n`;
}

const megabytes = (files: readonly { readonly bytes: number }[]): string => `${(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1)} MB`;

export const run = commandOf('models', 1, (args) => models(args));
