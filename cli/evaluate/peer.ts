import { openSherpa } from '../../bench/peers/sherpa';
import type { MeasuredSystem } from '../../bench/peers/system';
import type { Turn } from '../../src/index';
import { hashFile, type FeatureCache } from './featureCache';

/** Version of the package, and of the settings that `sherpaProcess.ts` opens it with. */
const KEY = ['sherpa-onnx 1.13.8', 'threshold 0.5'];

/** What sherpa-onnx finds with the weights of the preset `campplus` and its own default settings. */
export class PeerSource {
  private system: Promise<MeasuredSystem> | null = null;

  constructor(
    private readonly cache: FeatureCache,
    private readonly say: (line: string) => void,
  ) {}

  async of(audio: string): Promise<readonly Turn[]> {
    return this.cache.get([...KEY, await hashFile(audio)], async () => {
      this.say(`  sherpa-onnx: ${audio}`);
      this.system ??= openSherpa();
      return (await (await this.system).run(audio, null)).turns;
    });
  }

  async close(): Promise<void> {
    const system = await this.system?.catch(() => null);
    await system?.close();
  }
}
