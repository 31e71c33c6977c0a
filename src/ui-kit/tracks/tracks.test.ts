import { describe, expect, it } from 'vitest';
import type { DiarizationResult, Turn } from '../../engine/types';
import { atOnce } from '../../util/concurrency';
import { AXIS_HEIGHT, INSET, trackAt, trackMetrics, tracksTop, trackTopOf, secondsAt, spanOf, tracksOf, visibleTracks, xOf, type Geometry } from './geometry';
import { speechBefore, tickSteps } from './painter';
import { findTurn, firstEndingAfter, idOf, tracksOfAnnotation, tracksOfResult, tracksSoFar, turnAt } from './model';
import { paintOverlay } from './overlay';
import { overviewSteps } from './minimap';
import { patternOf, type Paints } from './palette';

const turn = (startSeconds: number, endSeconds: number, speaker = 'SPEAKER_00'): Turn => ({
  startSeconds,
  endSeconds,
  speaker,
});

describe('tracks', () => {
  const turns = [turn(1, 2), turn(3, 4), turn(4, 6)];

  it('finds turns by time', () => {
    expect([0, 1.5, 2, 3.5, 6].map((seconds) => firstEndingAfter(turns, seconds))).toEqual([0, 0, 1, 1, 3]);
    expect(turnAt(turns, 1.5)).toBe(turns[0]);
    expect(turnAt(turns, 2.5)).toBeNull();
    expect(turnAt(turns, 4)).toBe(turns[2]);
    expect(turnAt(turns, 2.95, 0.1)).toBe(turns[1]);
    expect(turnAt([], 1)).toBeNull();
  });

  it('keeps the order of speakers and computes their share of the speech', () => {
    const result = {
      turns: [turn(0, 1, 'SPEAKER_01'), turn(1, 4)],
      exclusiveTurns: [turn(1, 4)],
      speakers: ['SPEAKER_00', 'SPEAKER_01'].map((label) => ({ label })),
    } as unknown as DiarizationResult;
    expect(tracksOfResult(result, 'overlapping')).toMatchObject([
      { label: 'SPEAKER_00', name: 'Speaker 1', seconds: 3, share: 0.75 },
      { label: 'SPEAKER_01', name: 'Speaker 2', seconds: 1, share: 0.25 },
    ]);
    expect(tracksOfResult(result, 'exclusive')).toMatchObject([{ share: 1 }, { share: 0, turns: [] }]);
  });

  it('keeps provisional speakers in order of their first turn', () => {
    const soFar = [turn(0, 1, 'SPEAKER_01'), turn(1, 4), turn(5, 6, 'SPEAKER_01')];
    expect(tracksSoFar(soFar)).toMatchObject([
      { label: 'SPEAKER_01', name: 'Speaker 1', seconds: 2, turns: [soFar[0], soFar[2]] },
      { label: 'SPEAKER_00', name: 'Speaker 2', seconds: 3 },
    ]);
    expect(tracksSoFar([])).toEqual([]);
  });

  it('keeps the order, names and colors of an annotation', () => {
    const [first, second, third] = [turn(0, 1, 'SPEAKER_02'), turn(2, 5, 'SPEAKER_01'), turn(6, 7, 'SPEAKER_02')].map(
      (each, id) => ({ ...each, id, isCorrected: false }),
    );
    const annotation = {
      durationSeconds: 10,
      // Speaker 1 was merged into another: the others keep their numbers.
      speakers: [
        { id: 'SPEAKER_02', name: null, color: 4 },
        { id: 'SPEAKER_01', name: 'Ada', color: 1 },
        { id: 'added', name: null, color: 9 },
      ],
      turns: [first!, second!, third!],
      exclusiveHints: [],
      nextId: 3,
    };
    const made = tracksOfAnnotation(annotation);
    expect(made).toMatchObject([
      { label: 'SPEAKER_02', name: 'Speaker 3', color: 4, turns: [first, third], seconds: 2, share: 0.4 },
      { label: 'SPEAKER_01', name: 'Ada', color: 1, turns: [second], share: 0.6 },
      { label: 'added', name: 'Speaker 3', color: 9, turns: [], share: 0 },
    ]);
    expect(findTurn(made, 1)).toEqual({ turn: second, track: 1 });
    expect(findTurn(made, 9)).toBeNull();
    const exclusive = tracksOfAnnotation(annotation, [turn(2, 3, 'SPEAKER_01')]);
    expect(exclusive.map(({ turns: own }) => own.length)).toEqual([0, 1, 0]);
    expect(idOf(exclusive[1]!.turns[0]!)).toBeNull();
  });

  it('shows a part of many tracks, scrolled below the axis', () => {
    const { trackHeight, labelHeight } = trackMetrics(true);
    const geometry: Geometry = {
      ...trackMetrics(true),
      width: 300,
      height: AXIS_HEIGHT + 3 * trackHeight,
      axisHeight: AXIS_HEIGHT,
      waveHeight: 0,
      inset: INSET,
      startSeconds: 0,
      secondsPerPixel: 0.1,
      durationSeconds: 30,
      tracksScrolled: 100.5 * trackHeight,
      numTracks: 400,
    };
    expect(visibleTracks(geometry)).toEqual({ from: 100, to: 104 });
    expect(trackAt(geometry, AXIS_HEIGHT + trackHeight)).toBe(101);
    expect(trackAt(geometry, AXIS_HEIGHT - 1)).toBeNull();
    expect(trackTopOf(geometry, 101)).toBe(AXIS_HEIGHT + trackHeight / 2);
    const tracks = tracksOf(geometry);
    expect(tracks).toHaveLength(4);
    // The upper part of the first track is hidden by the axis.
    expect(tracks[0]).toEqual({ top: Math.max(AXIS_HEIGHT, AXIS_HEIGHT - trackHeight / 2 + labelHeight), bottom: AXIS_HEIGHT + trackHeight / 2 });
    expect(visibleTracks({ ...geometry, tracksScrolled: 397 * trackHeight })).toEqual({ from: 397, to: 400 });
  });

  it('the speech before a moment equals the sum over all turns', () => {
    const own = Array.from({ length: 50 }, (_, index) => turn(index * 2 + 1, index * 2 + 2.5));
    for (const seconds of [0, 1, 1.5, 2.5, 3, 40.2, 101, 200]) {
      const walked = own.reduce((sum, { startSeconds, endSeconds }) => sum + Math.max(0, Math.min(endSeconds, seconds) - startSeconds), 0);
      expect(speechBefore(own, seconds)).toBeCloseTo(walked, 9);
    }
  });

  it('adds up several tracks in each row of the overview', () => {
    const geometry = { ...trackMetrics(false), width: 100 + 2 * INSET, height: 48, axisHeight: 0, waveHeight: 0, inset: INSET, startSeconds: 0, secondsPerPixel: 1, durationSeconds: 100 };
    const tracks = Array.from({ length: 44 }, (_, index) => ({ label: `S${index}`, name: '', color: 0, turns: [turn(index, index + 1.5)], seconds: 1.5, share: 0 }));
    const { speech, numColumns } = atOnce(overviewSteps(tracks, geometry, 22));
    expect(speech.reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(44 * 1.5, 4);
    // The first row has the tracks 0 and 1.
    expect([...speech.subarray(INSET, INSET + 4)]).toEqual([1, 1.5, 0.5, 0]);
    expect([...speech.subarray(numColumns + INSET, numColumns + INSET + 4)]).toEqual([0, 0, 1, 1.5]);
  });

  it('maps time to pixels and back', () => {
    const geometry: Geometry = {
      ...trackMetrics(false),
      width: 500,
      height: 120,
      axisHeight: AXIS_HEIGHT,
      waveHeight: 0,
      inset: INSET,
      startSeconds: 20,
      secondsPerPixel: 0.1,
      durationSeconds: 100,
    };
    expect(xOf(geometry, 20)).toBe(INSET);
    expect(secondsAt(geometry, xOf(geometry, 33))).toBeCloseTo(33);
    expect(trackAt(geometry, AXIS_HEIGHT - 1)).toBeNull();
    expect(trackAt(geometry, AXIS_HEIGHT + 45)).toBe(1);
    const withWave = { ...geometry, waveHeight: 64 };
    expect([AXIS_HEIGHT + 45, AXIS_HEIGHT + 65].map((y) => trackAt(withWave, y))).toEqual([null, 0]);
    expect(spanOf(geometry, { startSeconds: 0, endSeconds: 21 })).toEqual({ left: -4, right: INSET + 10 });
  });

  it.each([
    [false, 64],
    [false, 0],
    [true, 64],
  ])('draws no lines over labels inside tracks, for touch: %s, waveform: %i px', (pressed, waveHeight) => {
    const metrics = trackMetrics(true, pressed);
    const height = AXIS_HEIGHT + waveHeight + 3 * metrics.trackHeight;
    const geometry: Geometry = { ...metrics, width: 300, height, axisHeight: AXIS_HEIGHT, waveHeight, inset: INSET, startSeconds: 0, secondsPerPixel: 0.1, durationSeconds: 30 };
    const tracks = tracksOf(geometry);
    for (const track of [0, 1, 2]) {
      const top = tracksTop(geometry) + track * metrics.trackHeight;
      const within = tracks.filter((track) => track.bottom > top && track.top < top + metrics.trackHeight);
      expect(within).toEqual([{ top: top + metrics.labelHeight, bottom: top + metrics.trackHeight }]);
      expect(metrics.labelHeight).toBeLessThanOrEqual(metrics.barTop);
    }
    expect(tracks).toHaveLength(waveHeight > 0 ? 4 : 3);
    expect(tracksOf({ ...geometry, ...trackMetrics(false) })).toEqual([{ top: AXIS_HEIGHT, bottom: height }]);
  });

  it('draws no playhead over a label', () => {
    const geometry: Geometry = { ...trackMetrics(true), width: 300, height: AXIS_HEIGHT + 56, axisHeight: AXIS_HEIGHT, waveHeight: 0, inset: INSET, startSeconds: 0, secondsPerPixel: 0.1, durationSeconds: 30 };
    const filled: [top: number, bottom: number][] = [];
    const pen = new Proxy({ measureText: () => ({ width: 30 }), fillRect: (_x: number, top: number, _width: number, height: number) => filled.push([top, top + height]) }, {
      get: (target, name) => (Reflect.get(target, name) as unknown) ?? (() => undefined),
    }) as unknown as CanvasRenderingContext2D;
    paintOverlay(pen, geometry, { tracks: [], position: 10, pointer: 100, loop: null, selected: null, drag: null }, {} as Paints);
    expect(filled.length).toBeGreaterThan(2);
    const label = [AXIS_HEIGHT, AXIS_HEIGHT + geometry.labelHeight] as const;
    expect(filled.filter(([top, bottom]) => bottom > label[0] && top < label[1])).toEqual([]);
  });

  it('uses round clock steps as wide as their labels', () => {
    for (const secondsPerPixel of [0.001, 0.01, 0.03, 0.3, 1, 9, 40]) {
      const { major, minor } = tickSteps(secondsPerPixel);
      expect(major / secondsPerPixel).toBeGreaterThanOrEqual(84);
      expect(major / minor).toBeCloseTo(Math.round(major / minor));
    }
    expect(tickSteps(9)).toEqual({ major: 900, minor: 300 });
  });

  it('distinguishes speakers beyond the colors by pattern', () => {
    expect([0, 7, 8, 16, 24].map(patternOf)).toEqual(['solid', 'solid', 'hatch', 'dots', 'solid']);
  });
});
