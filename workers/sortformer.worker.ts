import type { SpeakerStream } from '../src/sortformer/speakerStream';
import type { StreamMode } from '../src/store/streamModes';
import { VoxlaneError } from '../src/util/errors';
import type { SortformerWorkerApi } from './contracts';
import { moved, serve, timed } from './protocol';
import { checkSortformer, openSortformer } from './sortformerModel';

let openStream: ((mode: StreamMode) => SpeakerStream) | undefined;
let stream: SpeakerStream | undefined;

const opened = <Value>(value: Value | undefined): Value => {
  if (value !== undefined) return value;
  throw new VoxlaneError({ code: 'disposed', problem: 'No recording is open', expected: 'load() and begin() before other calls' });
};

serve<SortformerWorkerApi>({
  selfCheck: checkSortformer,
  async load(request, onDownload) {
    const model = await openSortformer(request, onDownload);
    openStream = model.openStream;
    return model.reply;
  },
  begin(mode) {
    stream = opened(openStream)(mode);
  },
  async push(samples) {
    const [decided, seconds] = await timed(() => opened(stream).push(samples));
    return moved({ ...decided, seconds }, decided.logits);
  },
  async finish() {
    const [decided, seconds] = await timed(() => opened(stream).finish());
    return moved({ ...decided, seconds }, decided.logits);
  },
});
