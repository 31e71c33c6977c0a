/** Comparison functions of the engine page for the commands `compare`, `bisect` and `stage`. Files are those selected in the page. */
import type { PrecisionHead, PrecisionReport, PrecisionRow } from '../../src/compare/precisionReport';
import { type CallOptions, Comparator, type ComparatorOptions } from '../../src/engine/comparator';
import type { Answer } from '../engine/answer';
import { type BisectAnswer, bisectFiles, type BisectRequest, compareFiles, type CompareRequest, listFiles, type PrecisionRequest, roundFiles } from '../engine/comparisons';
import { computeStage, type StageAnswer, type StageRequest } from '../engine/stages';
import type { Runs } from '../compareReport';
import type { GraphList } from '../listGraph';

/** ID of a bundled model to use instead of the selected files. */
interface Shipped {
  readonly shipped: string | null;
}

let comparator: Comparator | undefined;

/** The files selected in the page. */
function chosenFiles(): File[] {
  return [...(document.querySelector<HTMLInputElement>('#files')?.files ?? [])];
}

/** Calls `globalThis.sayStep` if it is defined. */
function progress(): CallOptions {
  const { sayStep } = globalThis as { sayStep?: (step: string) => void };
  return sayStep ? { onProgress: ({ step }) => { sayStep(step); } } : {};
}

function opened(): Comparator {
  if (!comparator) throw new Error('call openComparator() first');
  return comparator;
}

export const engineCompare = {
  Comparator,

  openComparator(options: ComparatorOptions = {}): void {
    comparator?.dispose();
    comparator = new Comparator(options);
  },

  /** Compares the files on each backend in turn. */
  compareFiles: ({ shipped, ...request }: CompareRequest & Shipped): Promise<Answer<Runs>> =>
    compareFiles(opened(), shipped ?? chosenFiles(), request, progress()),

  /** Rounds the weights of the graph. Calls `globalThis.keepRow` for each row if it is defined. */
  roundFiles({ shipped, ...request }: PrecisionRequest & Shipped): Promise<Answer<PrecisionReport>> {
    const { keepRow } = globalThis as { keepRow?: (row: PrecisionRow, head: PrecisionHead) => void };
    return roundFiles(opened(), shipped ?? chosenFiles(), request, { ...progress(), ...(keepRow && { onRow: keepRow }) });
  },

  /** Lists the values of the graph. */
  listFiles: (shipped: string | null): Promise<Answer<GraphList>> => listFiles(opened(), shipped ?? chosenFiles(), progress()),

  /** Bisects the graph, with the `.npy` files as inputs. The bug report is base64. */
  async bisectFiles({ shipped, ...request }: BisectRequest & Shipped): Promise<Answer<PlainBisectAnswer>> {
    const found = await bisectFiles(opened(), shipped ?? chosenFiles(), request, progress());
    if (!found.ok) return found;
    const { report, bugReport } = found.result;
    return { ok: true, result: { report, bugReport: bugReport && toBase64(bugReport) } };
  },

  /** Computes one stage of the selected file in isolation. The `.npy` file is base64. */
  async computeStage(request: StageRequest): Promise<Answer<PlainStageAnswer>> {
    const [blob] = chosenFiles();
    if (!blob) throw new Error('no file was selected');
    const found = await computeStage(opened(), blob.name, { kind: 'file', blob }, request, progress());
    return found.ok ? { ok: true, result: { ...found.result, npy: toBase64(found.result.npy) } } : found;
  },
};

type PlainBisectAnswer = Omit<BisectAnswer, 'bugReport'> & { readonly bugReport: string | null };
type PlainStageAnswer = Omit<StageAnswer, 'npy'> & { readonly npy: string };

/** Converts in pieces, because calls are limited to about 100,000 arguments. */
function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bytes.length; start += 32_768) {
    text += String.fromCharCode(...bytes.subarray(start, start + 32_768));
  }
  return btoa(text);
}
