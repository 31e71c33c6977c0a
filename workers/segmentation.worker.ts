import { checkSegmentation, checkSegmentationWindows } from '../src/compare/modelCheck';
import { withWindows } from '../src/compare/windowCheck';
import { Segmenter } from '../src/segmentation/segment';
import type { SegmentationWorkerApi } from './contracts';
import { moved, serve, timed } from './protocol';
import { openSegmentation, type SegmentationModel } from './model';

let model: SegmentationModel;
let segmenter: Segmenter;

serve<SegmentationWorkerApi>({
  async load(request) {
    model = await openSegmentation(request);
    segmenter = new Segmenter(model.graph, model.manifest);
    return model.reply;
  },
  selfCheck: (goldensBase) => checkSegmentation(model.graph, model, goldensBase, model.isInt16 ? withWindows : undefined),
  async selfCheckWindows(numWindows) {
    const reference = await model.openReference();
    try {
      return await checkSegmentationWindows(reference, model.graph, model.manifest, numWindows);
    } finally {
      await reference.release();
    }
  },
  async segment(windows) {
    const [activity, seconds] = await timed(() => segmenter.segment(windows));
    return moved({ activity, seconds }, activity);
  },
  async timeBatch(numWindows) {
    // The values do not affect the time. Zeros would count as GPU failure.
    const windows = Float32Array.from({ length: numWindows * model.manifest.windowSamples }, (_, i) => Math.sin(i) / 8);
    await segmenter.segment(windows);
    const [, seconds] = await timed(() => segmenter.segment(windows));
    return seconds;
  },
});
