import type { Tolerance } from '../compare/compare';
import { VoxlaneError } from '../util/errors';
import { BACKENDS, shownReports, type State } from './state';

/** More than any golden bundle has; a home folder dropped by mistake is not read to its end. */
const MAX_FILES = 2000;

/**
 * The files of a drop, with those in dropped folders. A file of a folder has its path in `webkitRelativePath`, as
 * files of a folder button have. Takes what it needs before it returns.
 *
 * @throws VoxlaneError `format` where the folders hold too many files, or cannot be read
 */
export function filesOfDrop(transfer: Pick<DataTransfer, 'items' | 'files'>): () => Promise<readonly File[]> {
  const files = [...transfer.files];
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  // Without a folder the plain list is better: it needs no reading back.
  if (!entries.some((entry) => entry.isDirectory)) return () => Promise.resolve(files);
  return async () => {
    const found: File[] = [];
    for (const entry of entries) await collect(entry, found);
    return found;
  };
}

/** Leaves out what file managers hide beside the files that are meant. */
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
  // The property is read-only and empty on such a file; an own one in front of it is what the platform left room for.
  found.push(Object.defineProperty(file, 'webkitRelativePath', { value: entry.fullPath.replace(/^\//, '') }));
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<readonly FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  // A reader gives a part at a time, and an empty one at the end.
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
    problem: `The folder holds more than ${MAX_FILES} files`,
    expected: 'the folder of one golden bundle: manifest.json, inputs and stages',
    remedy: 'Drop that folder alone',
  });
}

function unreadable(path: string): VoxlaneError {
  return new VoxlaneError({
    code: 'format',
    problem: `${path} cannot be read`,
    expected: 'a file or folder that is still there and may be read',
    remedy: 'Check its permissions, or drop it again',
  });
}

/**
 * The report as JSON, to send to somebody. Verdicts in `reports` are by the bundle's tolerances; what was edited in
 * the view is apart, with the verdicts that it would give. Numbers that are not finite are texts: JSON has none.
 *
 * @param at milliseconds since the epoch
 * @throws VoxlaneError `options` where nothing is opened
 */
export function reportJson(state: State, environment: Readonly<Record<string, string>>, at: number): string {
  const { opened, reports, between, tolerances, audit, bisect } = state;
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
