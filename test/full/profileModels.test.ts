/** Operation counts of the bundled models, from the shapes computed by ONNX Runtime. */
import fs, { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { flopsOf, sumWork } from '../../src/onnx/work';
import { profileGraph } from '../../cli/page/profileGraph';
import { readTrace, type ProfiledNode } from '../../bench/profile/events';
import { groupBy } from '../../bench/profile/groups';
import { COUNTED_FRAMES, modelFlops } from '../../bench/profile/work';

const runtimeBase = pathToFileURL('node_modules/onnxruntime-web/dist/').href;

// In Node, the runtime writes directly to standard output. Redirect it to the console, as in browsers.
const { writeSync } = fs;
beforeAll(() => {
  vi.spyOn(fs, 'writeSync').mockImplementation((file: number, text: unknown) => {
    if (file !== 1) return writeSync(file, String(text));
    console.log(String(text).trimEnd());
    return String(text).length;
  });
});
afterAll(() => {
  vi.restoreAllMocks();
});

async function nodesOf(id: string, input: string, shape: readonly number[]): Promise<readonly ProfiledNode[]> {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const feed = { data: Float32Array.from({ length: size }, (_, i) => Math.sin(i * i + 1)), shape, dtype: 'float32' };
  const bytes = readFileSync(`models/${id}/model.onnx`);
  const options = { runtimeBase, threads: 1, device: null, numRuns: 1 };
  return readTrace((await profileGraph(bytes, new Map([[input, feed]]), options)).lines, 0).nodes;
}

/** Millions of multiply-adds by operator type, including fused operators. */
function millions(nodes: readonly ProfiledNode[]): Record<string, number> {
  const kindOf = (op: string) => op.replace('Fused', '');
  const groups = groupBy(nodes, ({ op }) => kindOf(op)).filter(({ multiplyAdds }) => multiplyAdds !== 0);
  return Object.fromEntries(groups.map(({ name, multiplyAdds }) => [name, multiplyAdds / 1e6]));
}

describe('segmentation-3.0', () => {
  it('needs 1318 million multiply-adds per window, mostly in its LSTM', async () => {
    const work = millions(await nodesOf('segmentation-3.0', 'waveform', [1, 1, 160_000]));
    // From PyTorch's layers: frames × directions × gates × hidden × (input + hidden), with 60 and three times 256 inputs;
    // 80 filters of 251, then 60 of 80 × 5 and of 60 × 5; 256 to 128, 128 to 128 and 128 to 7 values.
    expect(work.LSTM).toBeCloseTo((589 * 2 * 4 * 128 * (60 + 3 * 256 + 4 * 128)) / 1e6, 6);
    expect(work.Conv).toBeCloseTo((80 * 15_975 * 251 + 60 * 5321 * 400 + 60 * 1769 * 300) / 1e6, 6);
    expect(work.MatMul).toBeCloseTo((589 * 128 * (256 + 128 + 7)) / 1e6, 6);
    expect(Object.keys(work)).toHaveLength(3);
  });
});

describe('campplus-zh-en', () => {
  const at = async (frames: number) => ({ size: frames, nodes: await nodesOf('campplus-zh-en', 'features', [1, frames, 80]) });

  it('is interpolated from three frame counts and needs 5371 million multiply-adds for a whole window', async () => {
    const counted = [];
    for (const frames of COUNTED_FRAMES) counted.push(await at(frames));
    const work = millions(counted.find(({ size }) => size === 998)!.nodes);
    // Counted from the shapes computed by ONNX Runtime's native build.
    expect(work.Conv).toBeCloseTo(5354.114048, 6);
    expect(work.MatMul).toBeCloseTo(16.60672, 6);
    expect(work.Gemm).toBeCloseTo(0.196608, 6);

    // An odd number with half a segment: rounding of strides and segments is below half a percent.
    const other = await at(351);
    const flops = flopsOf(sumWork(other.nodes));
    expect(Math.abs(modelFlops(counted)(351) / flops - 1)).toBeLessThan(5e-3);
  }, 60_000);
});
