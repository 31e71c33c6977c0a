import { BINS_PER_DECADE, type StagePicture } from '../../compare/picture';
import type { Scope } from '../../ui-kit/scope';
import { shortFigure } from '../figures';
import { text } from '../text';
import { boxOf, createPlot, labelBelow, labelLeft, type PaintSource, titleAxes } from './plot';

const HEIGHT = 208;

type Counts = StagePicture['histogram'];

interface HistogramPlot {
  readonly element: HTMLElement;
  /** `allowed`: bins that reach above it are marked; null if the pair is not judged. */
  readonly show: (histogram: Counts, allowed: number | null) => void;
}

/** The bins in words, by whole powers of ten. */
export function histogramWords({ counts, minExponent, maxExponent }: Counts): string {
  const decades = Array.from({ length: maxExponent - minExponent }, (_, decade) => {
    const bins = counts.subarray(decade * BINS_PER_DECADE, (decade + 1) * BINS_PER_DECADE);
    const sum = bins.reduce((total, bin) => total + bin, 0);
    const [from, to] = [minExponent + decade, minExponent + decade + 1];
    return sum === 0 ? '' : text.detail.histogramBin(sum, 10 ** from, 10 ** to);
  });
  return decades.filter(Boolean).join(', ');
}

export function createHistogram(scope: Scope, paints: PaintSource): HistogramPlot {
  let shown: { readonly histogram: Counts; readonly allowed: number | null } | null = null;
  const plot = createPlot(
    scope,
    paints,
    'histogram',
    () => HEIGHT,
    (pen, size, colors) => {
      if (!shown || shown.histogram.counts.length === 0) return;
      const { counts, minExponent, maxExponent } = shown.histogram;
      const exponent = shown.allowed === null || shown.allowed <= 0 ? Infinity : Math.log10(shown.allowed);
      const box = boxOf(size);
      const [width, height] = [box.right - box.left, box.bottom - box.top];
      const xOf = (at: number): number => box.left + ((at - minExponent) / (maxExponent - minExponent)) * width;
      // Logarithmic, because counts span orders of magnitude and single outliers must be visible.
      const greatest = Math.log10(1 + counts.reduce((most, bin) => Math.max(most, bin), 1));
      const yOf = (bin: number): number => box.bottom - (Math.log10(1 + bin) / greatest) * height;
      counts.forEach((bin, index) => {
        if (bin === 0) return;
        const from = minExponent + index / BINS_PER_DECADE;
        pen.fillStyle = from + 1 / BINS_PER_DECADE > exponent ? colors.accent : colors.muted;
        const [left, right] = [xOf(from), xOf(from + 1 / BINS_PER_DECADE)];
        pen.fillRect(left + 0.5, yOf(bin), Math.max(1, right - left - 1), box.bottom - yOf(bin));
      });
      pen.fillStyle = colors.rule;
      pen.fillRect(box.left, box.bottom, width, 1);
      const decades = Array.from({ length: maxExponent - minExponent + 1 }, (_, index) => minExponent + index);
      labelBelow(pen, box, size.width, decades.map((at) => [xOf(at), shortFigure(10 ** at)]), colors);
      const powers = Array.from({ length: Math.floor(greatest) + 1 }, (_, index) => 10 ** index);
      labelLeft(pen, box, powers.map((power) => [yOf(power), shortCount(power)]), colors);
      if (exponent > minExponent && exponent < maxExponent) {
        pen.fillStyle = colors.ink;
        pen.fillRect(Math.round(xOf(exponent)), box.top, 1, height);
        pen.textBaseline = 'top';
        const isLeft = xOf(exponent) > box.left + width / 2;
        pen.textAlign = isLeft ? 'right' : 'left';
        pen.fillText(text.detail.tolerance, xOf(exponent) + (isLeft ? -4 : 5), 0);
      }
      titleAxes(pen, box, size, text.detail.error, text.detail.values, colors);
    },
  );
  return {
    element: plot.element,
    show(histogram, allowed) {
      shown = { histogram, allowed };
      plot.describe(text.detail.histogramAlternative(histogramWords(histogram)));
      plot.repaint();
    },
  };
}

const shortCount = (value: number): string => (value < 1000 ? String(value) : value < 1e6 ? `${value / 1000}k` : `${value / 1e6}M`);
