import { openSherpa } from '../../bench/peers/sherpa';
import type { MeasuredSystem } from '../../bench/peers/system';
import type { Turn } from '../../src/index';
import { hashFile, type FeatureCache } from './featureCache';
import type { Peer } from './sources';

/** Version of the package and settings that `sherpaProcess.ts` uses. */
const KEY = ['sherpa-onnx 1.13.8', 'threshold 0.5'];

/** Turns of sherpa-onnx with the weights of the preset `campplus` and default settings. */
export class PeerSource implements Peer {
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
