/** The tracks on a separate page with generated turns and waveform, for tests that would otherwise decode hours of audio. */
import { PeakPyramid } from '../../src/audio/peaks';
import type { EditableTurn } from '../../src/editing/annotation';
import { Scope } from '../../src/ui-kit/scope';
import { createTracks, type Tracks, type TracksLook } from '../../src/ui-kit/tracks/tracks';
import { tracksOfAnnotation } from '../../src/ui-kit/tracks/model';
import { createTheme } from '../../src/ui-kit/pageFrame';

const SPEAKERS = 4;
const PEAKS_PER_SECOND = 62.5;

export interface MadeUpRecording {
  readonly durationSeconds: number;
  readonly numTurns: number;
}

export interface TracksPage {
  /** Shows new tracks on the page and removes previous ones. */
  mount(recording: MadeUpRecording, look?: TracksLook): void;
  /** The current tracks. */
  tracks: Tracks | null;
  /** Events since the tracks were mounted: the name of each listener and its arguments. */
  readonly heard: (readonly [string, ...unknown[]])[];
}

/** Turns at equal distances with varying lengths. About one in ten overlaps with the next one. */
function madeUpTurns({ durationSeconds, numTurns }: MadeUpRecording): EditableTurn[] {
  const pitch = durationSeconds / numTurns;
  return Array.from({ length: numTurns }, (_, id) => {
    const startSeconds = (id + 0.1 * (id % 3)) * pitch;
    const length = pitch * (id % 10 === 0 ? 1.3 : 0.3 + 0.1 * (id % 5));
    return {
      id,
      startSeconds,
      endSeconds: Math.min(durationSeconds, startSeconds + length),
      speaker: `SPEAKER_0${((id * 7) >> 1) % SPEAKERS}`,
      isCorrected: false,
    };
  });
}

/** Generates noise that swells within each turn, and silence between turns. */
function madeUpPeaks(durationSeconds: number, turns: readonly EditableTurn[]): PeakPyramid {
  const extremes = new Int16Array(2 * Math.ceil(durationSeconds * PEAKS_PER_SECOND));
  for (const { startSeconds, endSeconds } of turns) {
    const first = Math.ceil(startSeconds * PEAKS_PER_SECOND);
    const end = Math.floor(endSeconds * PEAKS_PER_SECOND);
    for (let peak = first; peak < end; peak += 1) {
      const swell = Math.sin((Math.PI * (peak - first)) / (end - first));
      const height = swell * (8000 + 4000 * Math.sin(peak * 12.9898));
      extremes[2 * peak] = -height;
      extremes[2 * peak + 1] = height;
    }
  }
  return PeakPyramid.from({ secondsPerPeak: 1 / PEAKS_PER_SECOND, extremes });
}

let scope: Scope | null = null;
const page: TracksPage = {
  tracks: null,
  heard: [],
  mount(recording, look) {
    scope?.dispose();
    scope = new Scope();
    page.heard.length = 0;
    const hear =
      (name: string) =>
      (...given: unknown[]): void => {
        page.heard.push([name, ...given]);
      };
    const { durationSeconds } = recording;
    const turns = madeUpTurns(recording);
    const tracks = createTracks(scope, {
      durationSeconds,
      theme: createTheme(scope),
      waveform: true,
      onSeek: hear('seek'),
      onTurn: hear('turn'),
      onZoomed: hear('zoomed'),
      onSelectTurn: hear('select'),
      onLoopTurn: hear('loop'),
      onMoveTurn: hear('move'),
      onAssignTurn: hear('assign'),
      onAddTurn: hear('add'),
    });
    document.getElementById('tracks')?.replaceChildren(tracks.element);
    const speakers = Array.from({ length: SPEAKERS }, (_, color) => ({ id: `SPEAKER_0${color}`, name: null, color }));
    tracks.setTracks(tracksOfAnnotation({ durationSeconds, speakers, turns, exclusiveHints: [], nextId: turns.length }), look);
    tracks.setPeaks(madeUpPeaks(durationSeconds, turns));
    page.tracks = tracks;
  },
};

globalThis.voxlaneTracks = page;

declare global {
  var voxlaneTracks: TracksPage;
}
