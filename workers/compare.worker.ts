import { Comparison } from '../src/compare/comparison';
import { VoxlaneError } from '../src/util/errors';
import type { CompareWorkerApi, OnProgress } from './contracts';
import { serve } from './expose';
import { moved } from './moved';

let comparison: Comparison;
/** Raised by `cancel`, taken back by the next call that can be cancelled. */
let isCancelled = false;
/** The call before; the runtime runs one session at a time. */
let previous: Promise<unknown> = Promise.resolve();

/** Reports a step, and gives a message that cancels the time to arrive: a worker that computes hears nothing. */
const steps = (onProgress: OnProgress | null) => async (step: string, completed: number, total: number) => {
  onProgress?.({ step, completed, total });
  await new Promise((resolve) => setTimeout(resolve));
  if (isCancelled) throw new VoxlaneError({ code: 'cancelled', problem: 'The comparison was cancelled' });
};

function inTurn<Result>(work: () => Promise<Result> | Result): Promise<Result> {
  const turn = previous.then(() => {
    isCancelled = false;
    return work();
  });
  previous = turn.catch(() => undefined);
  return turn;
}

serve<CompareWorkerApi>({
  setUp(settings) {
    comparison = new Comparison(settings);
  },
  open: (files) =>
    inTurn(async () => {
      const read = files.map(async ({ name, blob }) => ({ name, bytes: new Uint8Array(await blob.arrayBuffer()) }));
      return comparison.open(await Promise.all(read));
    }),
  openShipped: (id) => inTurn(() => comparison.openShipped(id)),
  mapStage: (stage, value) => inTurn(() => comparison.mapStage(stage, value)),
  compare: (backend, thorough, onProgress) => inTurn(() => comparison.compare(backend, thorough, steps(onProgress))),
  between: () => Promise.resolve(comparison.between()),
  picture(stage, pair, column) {
    const picture = comparison.picture(stage, pair, column);
    return Promise.resolve(moved(picture, picture.heat));
  },
  audit: (onProgress) => inTurn(() => comparison.audit(steps(onProgress))),
  bisect: (tolerance, onProgress) => inTurn(() => comparison.bisect(tolerance, steps(onProgress))),
  bugReport: () => Promise.resolve(comparison.bugReport()),
  layer: (request, backend) =>
    inTurn(async () => {
      const tensor = await comparison.layer(request, backend);
      return moved(tensor, tensor.data);
    }),
  environment: () => comparison.environment(),
  cancel() {
    isCancelled = true;
  },
});
