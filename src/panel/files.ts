import type { Tolerance } from '../compare/compare';
import { VoxlaneError } from '../util/errors';
import { BACKENDS, shownReports, type State } from './state';

/** Exceeds any golden bundle. Prevents reading a whole home folder dropped by mistake. */
const MAX_FILES = 2000;

/**
 * The files of a drop, including those in dropped folders. A file in a folder has its path in `webkitRelativePath`, as with
 * a folder button. Reads all it needs from `transfer` before it returns.
 *
 * @throws VoxlaneError `format` if the folders contain too many files or cannot be read
 */
export function filesOfDrop(transfer: Pick<DataTransfer, 'items' | 'files'>): () => Promise<readonly File[]> {
  const files = [...transfer.files];
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  // Without a folder, the plain list suffices.
  if (!entries.some((entry) => entry.isDirectory)) return () => Promise.resolve(files);
  return async () => {
    const found: File[] = [];
    for (const entry of entries) await collect(entry, found);
    return found;
  };
}

/** Leaves out files that file managers hide. */
export const visibleFiles = (files: Iterable<File>): readonly File[] =>
  [...files].filter(({ name }) => !name.startsWith('.'));

async function collect(entry: FileSystemEntry, found: File[]): Promise<void> {
  if (isFolder(entry)) {
    for (const child of await childrenOf(entry)) await collect(child, found);
    return;
  }
  if (!isFile(entry)) return;
  if (found.length >= MAX_FILES) throw tooManyFiles();
  const file = await new Promise<File>((resolve, reject) => {
    entry.file(resolve, () => {
      reject(unreadable(entry.fullPath));
    });
  });
  // The property is read-only and empty on such a file, but it can be shadowed by an own property.
  found.push(Object.defineProperty(file, 'webkitRelativePath', { value: entry.fullPath.replace(/^\//, '') }));
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  // A reader returns the entries in parts, followed by an empty part.
  for (;;) {
    const part = await new Promise<readonly FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, () => {
        reject(unreadable(folder.fullPath));
      });
    });
    if (part.length === 0) return children;
    children.push(...part);
    if (children.length > MAX_FILES) throw tooManyFiles();
  }
}

function tooManyFiles(): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `The folder contains more than ${MAX_FILES} files`,
    expected: 'the folder of one golden bundle: manifest.json, inputs, and stages',
    remedy: 'Drop only the folder of the bundle',
  });
}

function unreadable(path: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `${path} cannot be read`,
    expected: 'an existing, readable file or folder',
    remedy: 'Check its permissions or drop it again',
  });
}

/**
 * The report as JSON, to share. Verdicts in `reports` use the bundle's tolerances. Tolerances edited in the view are listed
 * separately, with the resulting verdicts. Non-finite numbers are strings, because JSON does not support them.
 *
 * @param at milliseconds since the epoch
 * @throws VoxlaneError `options` if nothing is open
 */
export function reportJson(state: State, environment: Readonly<Record<string, string>>, at: number): string {
  const { opened, reports, steps, between, tolerances, audit, bisect } = state;
  if (!opened) {
    throw new VoxlaneError({ code: 'options', problem: 'There is nothing to report', remedy: 'Open a model first' });
  }
  const { graph, goldens, model, isShipped, checkpoint } = opened;
  const judged = shownReports(state);
  const report = {
    format: 'voxlane-comparison',
    version: 1,
    created: new Date(at).toISOString(),
    model: { name: model, isShipped, checkpoint, ...graph, values: undefined, nodes: undefined, weights: undefined, numValues: graph.values.length },
    goldens: goldens && { file: goldens.file, source: goldens.source, notes: goldens.notes },
    environment,
    reports: BACKENDS.flatMap((backend) => reports[backend] ?? []),
    between,
    ...(Object.keys(steps).length > 0 && { steps: Object.values(steps) }),
    edited:
      tolerances.size === 0
        ? null
        : {
            tolerances: Object.fromEntries<Tolerance>(tolerances),
            verdicts: BACKENDS.flatMap((backend) => judged[backend] ?? []).map(({ backend, verdict, firstDivergence, stages }) => ({
              backend,
              verdict,
              firstDivergence,
              stages: Object.fromEntries(stages.map((stage) => [stage.name, stage.verdict])),
            })),
          },
    bisect,
    audit,
  };
  return `${JSON.stringify(report, writeNumber, 2)}\n`;
}

function writeNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** The display name of the opened files: a folder, or a file and the number of others. */
export function subjectOf([first, ...others]: readonly File[]): string {
  if (!first) return '';
  const [folder, ...below] = first.webkitRelativePath.split('/');
  if (folder && below.length > 0) return folder;
  return others.length > 0 ? `${first.name} +${others.length}` : first.name;
}
