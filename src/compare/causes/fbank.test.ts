import { describe, expect, it } from 'vitest';
import { maskedFeatures } from '../../embedding/mask';
import { Fbank, type FbankOptions } from '../../features/fbank';
import { transpose } from '../align';
import type { Tensor } from '../tensor';
import type { CauseContext } from './context';
import { FACTS, SAMPLE_RATE } from '../../../test/compare/fbankOptions';
import { contextOf, expectCauses, gathered, ROUNDING, stageNamed, waveformOf, withNoise } from '../../../test/compare/planted';

const SAMPLES = waveformOf('campplus-zh-en');
const STAGE = stageNamed('fbank');
const RECORDING: Pick<CauseContext, 'fbank'> = { fbank: { samples: SAMPLES, facts: FACTS, sampleRate: SAMPLE_RATE } };

/** Features of the golden recording with other filterbank settings. */
function featuresWith(settings: Partial<FbankOptions>): Tensor {
  const facts = { ...FACTS, ...settings };
  const features = new Fbank(facts, SAMPLE_RATE).compute(SAMPLES);
  const everyFrame = new Uint8Array(features.numFrames).fill(1);
  const data = maskedFeatures(features, everyFrame, facts.subtractMean);
  return { shape: STAGE.shape, data: withNoise(data, ROUNDING) };
}

const ours = (settings: Partial<FbankOptions>): CauseContext => contextOf(STAGE, featuresWith(settings), RECORDING);
const golden = (settings: Partial<FbankOptions>): CauseContext =>
  contextOf(STAGE, {}, { ...RECORDING, golden: featuresWith(settings) });

describe('fbank-window', () => {
  const windows = (inGolden: string, inOurs: string): RegExp =>
    new RegExp(`^the golden output matches a ${inGolden} window \\(max abs .*the computed output matches a ${inOurs} window \\(max abs`);

  it.each(['hamming', 'hann', 'rectangular'] as const)('finds a %s window on either side', async (windowType) => {
    const inOurs = await expectCauses(ours({ windowType }), 'fbank-window');
    expect(inOurs.evidence).toMatch(windows('povey', windowType));
    const inGolden = await expectCauses(golden({ windowType }), 'fbank-window');
    expect(inGolden.evidence).toMatch(windows(windowType, 'povey'));
    expect(inGolden.values).toMatchObject({ golden: `windowType ${windowType}`, ours: 'windowType povey' });
  });

  it('finds pre-emphasis left out, and the mean of each frame left in', async () => {
    const flat = await expectCauses(ours({ preemphasis: 0 }), 'fbank-window');
    expect(flat.evidence).toContain('the computed output matches pre-emphasis of 0 ');
    // Little of the mean remains after a window: the recording needs a mean to show it.
    const biased = SAMPLES.map((value) => value + 0.3);
    const compute = (removeDcOffset: boolean): Tensor => ({
      shape: STAGE.shape,
      data: new Fbank({ ...FACTS, removeDcOffset }, SAMPLE_RATE).compute(biased).data,
    });
    const fbank = { ...RECORDING.fbank!, samples: biased };
    const context = contextOf(STAGE, compute(false), { fbank, golden: compute(true) });
    const cause = await expectCauses(context, 'fbank-window');
    expect(cause.evidence).toContain('the computed output matches the mean of each frame left in');
  });

  it('finds two mistakes together, and one on each side', async () => {
    const both = await expectCauses(ours({ windowType: 'hamming', subtractMean: false }), 'fbank-window');
    expect(both.evidence).toContain('the computed output matches a hamming window and the mean over frames not subtracted');
    const double = await expectCauses(golden({ windowType: 'hann', preemphasis: 0 }), 'fbank-window');
    expect(double.values.golden).toBe('windowType hann, preemphasis 0');
    const context = { ...ours({ preemphasis: 0 }), golden: featuresWith({ windowType: 'hamming' }) };
    const each = await expectCauses(context, 'fbank-window');
    expect(each.values.golden).toBe('windowType hamming, preemphasis 0.97');
    expect(each.values.ours).toBe('windowType povey, preemphasis 0');
  });

  it('reads the features along their own axes', async () => {
    const axes = ['batch', 'mel', 'frame'];
    const context = ours({ windowType: 'hamming' });
    const turned = (tensor: Tensor): Tensor => transpose(tensor, [0, 2, 1]);
    await expectCauses({ ...context, axes, actual: turned(context.actual), golden: turned(context.golden) }, 'fbank-window');
  });

  it('reports nothing if the recording is a different one', async () => {
    const context = ours({ windowType: 'hamming' });
    await expectCauses({ ...context, fbank: { ...RECORDING.fbank!, samples: SAMPLES.toReversed() } });
    await expectCauses({ ...context, fbank: { ...RECORDING.fbank!, samples: SAMPLES.subarray(0, 399) } });
  });
});

describe('missing-mean', () => {
  it('finds it by the recording, on either side', async () => {
    const inOurs = await expectCauses(ours({ subtractMean: false }), 'missing-mean');
    expect(inOurs.evidence).toContain('the computed output matches the mean over frames not subtracted');
    const inGolden = await expectCauses(golden({ subtractMean: false }), 'missing-mean');
    expect(inGolden.values).toMatchObject({ golden: 'subtractMean false', ours: 'subtractMean true' });
  });

  it('finds it without the recording, and in an item of a batch', async () => {
    const cause = await expectCauses({ ...ours({ subtractMean: false }), fbank: null }, 'missing-mean');
    expect(cause.evidence).toMatch(/^the computed output still has its mean over frames \(.* by mel bin\), the golden output does not, with/);
    expect(cause.values.missingIn).toBe('ours');
    const two = (tensor: Tensor): Tensor =>
      gathered(tensor, [2, 100, 80], ([batch, frame, mel]) => [0, batch! * 100 + frame!, mel!]);
    // Each item's own mean: the halves of the recording differ.
    const whole = two(featuresWith({ subtractMean: false }));
    const without = whole.data.slice();
    for (const item of [0, 1]) {
      for (let mel = 0; mel < 80; mel++) {
        let mean = 0;
        for (let frame = 0; frame < 100; frame++) mean += whole.data[(item * 100 + frame) * 80 + mel]! / 100;
        for (let frame = 0; frame < 100; frame++) without[(item * 100 + frame) * 80 + mel]! -= mean;
      }
    }
    const other = await expectCauses(contextOf(STAGE, whole, { golden: { ...whole, data: without } }), 'missing-mean');
    expect(other.values.missingIn).toBe('ours');
  });
});

describe('sample-scale', () => {
  const unsubtracted = { subtractMean: false };
  const plain = { fbank: { ...RECORDING.fbank!, facts: { ...FACTS, ...unsubtracted } } };

  it('finds 16-bit integers on either side by the recording', async () => {
    const large = featuresWith({ ...unsubtracted, sampleScale: 32768 });
    const small = featuresWith(unsubtracted);
    const inOurs = await expectCauses(contextOf(STAGE, large, { ...plain, golden: small }), 'sample-scale');
    expect(inOurs.evidence).toContain('the golden output matches samples times 1 (max abs');
    expect(inOurs.evidence).toContain('the computed output matches samples times 32768 (max abs');
    const inGolden = await expectCauses(contextOf(STAGE, small, { ...plain, golden: large }), 'sample-scale');
    expect(inGolden.values.golden).toBe('sampleScale 32768');
  });

  it('finds samples so small that the floor of the logarithm hides the offset', async () => {
    const cause = await expectCauses(ours({ sampleScale: 1 / 32768 }), 'sample-scale');
    expect(cause.evidence).toContain('the computed output matches samples times 0.000030517578125');
  });

  it('finds the offset without the recording', async () => {
    const small = featuresWith(unsubtracted);
    const large = { ...small, data: small.data.map((value) => value + 2 * Math.log(32768)) };
    const cause = await expectCauses(contextOf(STAGE, small, { golden: large }), 'sample-scale');
    expect(cause.evidence).toMatch(/^the golden output is the computed output \+ 20\.79[45], and 2·ln\(32768\) is 20\.794/);
    expect(cause.values.large).toBe('golden');
    await expectCauses(contextOf(STAGE, small, { golden: large, axes: ['batch', 'frame', 'channel'] }), 'offset');
  });
});

it('leaves errors that no filterbank setting explains to other detectors', async () => {
  const scaled = STAGE.data.map((value) => 1.05 * value);
  await expectCauses(contextOf(STAGE, { data: scaled }, RECORDING), 'scaled');
  const moved = STAGE.data.map((value) => value + 1);
  await expectCauses(contextOf(STAGE, { data: moved }, RECORDING), 'offset');
});
