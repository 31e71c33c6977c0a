import { Comparison } from '../src/compare/comparison';
import { unreadable } from '../src/compare/files/unreadable';
import { VoxlaneError } from '../src/util/errors';
import type { CompareWorkerApi, OnProgress } from './contracts';
import { moved, serve } from './protocol';

let comparison: Comparison;
/** Set by `cancel`, reset by the next task. The page sends one task at a time. */
let isCancelled = false;

/** Reports a step, then lets a cancel message arrive: a worker that computes does not receive messages. */
const steps = (onProgress: OnProgress | null) => async (step: string, completed: number, total: number) => {
  onProgress?.({ step, completed, total });
  await new Promise((resolve) => setTimeout(resolve));
  if (isCancelled) throw new VoxlaneError({ code: 'cancelled', problem: 'The comparison was canceled' });
};

/** The steps of a new task. */
function begin(onProgress: OnProgress | null): ReturnType<typeof steps> {
  isCancelled = false;
  return steps(onProgress);
}

serve<CompareWorkerApi>({
  setUp(settings) {
    comparison = new Comparison(settings);
  },
  async open(files, form) {
    const onStep = begin(null);
    const read = files.map(async ({ name, blob }) => {
      const content = await blob.arrayBuffer().catch((cause: unknown) => {
        throw unreadable(name, cause);
      });
      return { name, bytes: new Uint8Array(content) };
    });
    return comparison.open(await Promise.all(read), onStep, form);
  },
  openShipped: (id) => comparison.openShipped(id, begin(null)),
  mapStage: (stage, value) => comparison.mapStage(stage, value, begin(null)),
  compare: (backend, choices, onProgress) => comparison.compare(backend, choices, begin(onProgress)),
  selectStep: (index) => comparison.selectStep(index, begin(null)),
  compareSteps: (backend, tolerance, onProgress) => comparison.compareSteps(backend, tolerance, begin(onProgress)),
  between: () => Promise.resolve(comparison.between()),
  picture(stage, pair, column) {
    const picture = comparison.picture(stage, pair, column);
    return Promise.resolve(moved(picture, picture.heat));
  },
  audit: (onProgress) => comparison.audit(begin(onProgress)),
  list: (onProgress) => comparison.list(begin(onProgress)),
  precision: (backend, choices, onRow, onProgress) =>
    comparison.precision(backend, choices, (row, head) => onRow?.(row, head), begin(onProgress)),
  bisect: (tolerance, onProgress) => comparison.bisect(tolerance, begin(onProgress)),
  bugReport: () => Promise.resolve(comparison.bugReport()),
  layerSampleRate: (choice) => comparison.layerSampleRate(choice),
  async layer(choice, samples, backend) {
    const tensor = await comparison.layer(choice, samples, backend);
    return moved(tensor, tensor.data);
  },
  environment: () => comparison.environment(),
  cancel() {
    isCancelled = true;
  },
});
