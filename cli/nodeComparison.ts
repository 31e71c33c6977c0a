import { openAsBlob } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { PrecisionReport } from '../src/compare/precisionReport';
import type { CallOptions, Comparator, NamedBlob } from '../src/engine/comparator';
import { bundleFiles, zipOf } from './bundleFiles';
import type { Runs } from './compareReport';
import type { ComparisonEngine, RowKeeper, Subject } from './comparisonEngine';
import type { Answer } from './engine/answer';
import type { BisectAnswer, BisectRequest, CompareRequest, PrecisionRequest } from './engine/comparisons';
import type * as Commands from './engine/nodeCommands';
import type { StageAnswer, StageRequest } from './engine/stages';
import type { GraphList } from './listGraph';
import { loadNodeCommands } from './nodeEngine';
import { say } from './output';

/** The library in this process. Its workers are threads. */
export class NodeComparison implements ComparisonEngine {
  private opened: Promise<{ readonly commands: typeof Commands; comparator: Comparator }> | null = null;
  private readonly progress: CallOptions;

  /** @param sayStep called with the name of each step */
  constructor(sayStep: ((step: string) => void) | null) {
    this.progress = sayStep ? { onProgress: ({ step }) => { sayStep(step); } } : {};
  }

  async compareFiles(subject: Subject, request: CompareRequest): Promise<Answer<Runs>> {
    const { commands, comparator } = await this.open();
    return commands.compareFiles(comparator, await openedFiles(subject), request, this.progress);
  }

  async roundFiles(subject: Subject, request: PrecisionRequest, rows: RowKeeper): Promise<Answer<PrecisionReport>> {
    const { commands, comparator } = await this.open();
    const onRow: RowKeeper['keep'] = (row, head) => { rows.keep(row, head); };
    return commands.roundFiles(comparator, await openedFiles(subject), request, { ...this.progress, onRow });
  }

  async listFiles(subject: Subject): Promise<Answer<GraphList>> {
    const { commands, comparator } = await this.open();
    return commands.listFiles(comparator, await openedFiles(subject), this.progress);
  }

  async bisectFiles(subject: Subject, request: BisectRequest): Promise<Answer<BisectAnswer>> {
    const { commands, comparator } = await this.open();
    return commands.bisectFiles(comparator, await openedFiles(subject), request, this.progress);
  }

  async computeStage(path: string, request: StageRequest): Promise<Answer<StageAnswer>> {
    const { commands, comparator } = await this.open();
    return commands.computeStage(comparator, basename(path), { kind: 'path', path: resolve(path) }, request, this.progress);
  }

  async renew(): Promise<void> {
    const opened = await this.open();
    opened.comparator.dispose();
    opened.comparator = new opened.commands.Comparator();
  }

  async close(): Promise<void> {
    (await this.opened)?.comparator.dispose();
    this.opened = null;
  }

  private open() {
    return (this.opened ??= loadNodeCommands(say).then((commands) => ({ commands, comparator: new commands.Comparator() })));
  }
}

/** Files stay on disk until the comparator reads them. */
async function openedFiles({ shipped, paths }: Subject): Promise<readonly NamedBlob[] | string> {
  if (shipped !== null) return shipped;
  return Promise.all(
    bundleFiles(paths).map(async ({ path, isFolder }) =>
      isFolder ? { name: `${basename(path)}.zip`, blob: new Blob([zipOf(path)]) } : { name: basename(path), blob: await openAsBlob(path) },
    ),
  );
}
