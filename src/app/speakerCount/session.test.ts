import { describe, expect, it } from 'vitest';
import type { Annotation } from '../../editing/annotation';
import type { ReclusterOptions, Reclustering } from '../../engine/reclusterer';
import { VoxlaneError } from '../../util/errors';
import type { EditorState } from '../editor/editor';
import { CountSession, type Clusterer, type CountState } from './session';
import { annotationWith } from '../../../test/app/annotation';

/** A re-clustering in which `speakers` speakers talk for ten seconds each. */
function foundWith(speakers: number): Reclustering {
  const turns = Array.from({ length: speakers }, (_, index) => ({
    speaker: `SPEAKER_0${index}`,
    startSeconds: index * 10,
    endSeconds: index * 10 + 10,
    confidence: 0.5,
  }));
  const labels = turns.map(({ speaker }) => ({ label: speaker, centroid: new Float32Array(0), embeddingModel: '', speechSeconds: 10 }));
  return { turns, exclusiveTurns: turns, speakers: labels, speakerCount: { value: speakers, alternatives: [], unmet: null }, confidenceKind: 'margin', seconds: 0.1 };
}

/** Resolves on request. */
class SlowClusterer implements Clusterer {
  readonly asked: ReclusterOptions[] = [];
  isDisposed = false;
  readonly #waiting: { readonly resolve: (found: Reclustering) => void; readonly reject: (thrown: unknown) => void }[] = [];

  cluster(options: ReclusterOptions = {}): Promise<Reclustering> {
    this.asked.push(options);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  answer(): void {
    this.#waiting.shift()?.resolve(foundWith(this.asked.at(-1)?.speakers ?? 2));
  }

  fail(thrown: unknown): void {
    this.#waiting.shift()?.reject(thrown);
  }

  dispose(): void {
    this.isDisposed = true;
  }
}

function editorWith(annotation: Annotation) {
  const seen: { proposals: (Annotation | null)[]; annotation: Annotation } = { proposals: [], annotation };
  const state = (): EditorState => ({
    annotation: seen.annotation,
    proposal: seen.proposals.at(-1) ?? null,
    canUndo: false,
    canRedo: false,
    selected: null,
    mode: 'overlapping',
    loop: null,
    transcript: null,
    marks: [],
  });
  return {
    seen,
    get: state,
    propose: (proposal: Annotation | null) => {
      seen.proposals.push(proposal);
    },
    edit: (edit: { readonly type: string; readonly annotation?: Annotation }) => {
      if (edit.type !== 'replace' || !edit.annotation) return false;
      seen.annotation = edit.annotation;
      return true;
    },
  };
}

/** Lets all pending promises continue. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

function setUp(annotation = annotationWith([['A', 0, 10], ['B', 10, 20]])) {
  const clusterers: SlowClusterer[] = [];
  const editor = editorWith(annotation);
  const states: CountState[] = [];
  const session = new CountSession(
    editor,
    () => {
      clusterers.push(new SlowClusterer());
      return Promise.resolve(clusterers.at(-1)!);
    },
    (state) => states.push(state),
  );
  return { session, editor, clusterers, states };
}

const minDurations = { minDurationOn: 0.1, minDurationOff: 0.2 };
const exactly = (choice: number, isKeepingCorrections = false) => ({ choice, minDurations, isKeepingCorrections });

describe('requesting another number of speakers', () => {
  it('prepares once, clusters, and shows the result', async () => {
    const { session, editor, clusterers, states } = setUp();
    session.warm();
    session.choose(exactly(3));
    expect(session.state.work).toBe('preparing');
    await settled();
    expect(states.at(-1)!.work).toBe('clustering');
    clusterers[0]!.answer();
    await settled();
    expect(clusterers).toHaveLength(1);
    expect(session.state).toMatchObject({ work: 'none', failure: null });
    expect(editor.seen.proposals.at(-1)!.speakers.map(({ id }) => id)).toEqual(['A', 'B', 'SPEAKER_00']);
  });

  it('runs one request at a time, and only the last of those made in the meantime', async () => {
    const { session, editor, clusterers } = setUp();
    session.choose(exactly(1));
    await settled();
    for (const choice of [2, 3, 4, 5]) session.choose(exactly(choice));
    await settled();
    expect(clusterers[0]!.asked).toEqual([{ speakers: 1, ...minDurations }]);
    clusterers[0]!.answer();
    await settled();
    expect(editor.seen.proposals, 'an answer that nobody waits for is not shown').toEqual([]);
    expect(clusterers[0]!.asked).toEqual([{ speakers: 1, ...minDurations }, { speakers: 5, ...minDurations }]);
    clusterers[0]!.answer();
    await settled();
    expect(editor.seen.proposals.map((proposal) => proposal?.speakers.length)).toEqual([5]);
  });

  it('sets no number for automatic, and passes corrections if they are to be kept', async () => {
    const corrected = annotationWith([['A', 0, 10], ['B', 10, 20]]);
    const turns = corrected.turns.map((turn, index) => ({ ...turn, isCorrected: index === 0 }));
    const { session, clusterers } = setUp({ ...corrected, turns });
    session.choose({ choice: 'auto', minDurations, isKeepingCorrections: false });
    await settled();
    clusterers[0]!.answer();
    await settled();
    session.choose({ choice: 'auto', minDurations, isKeepingCorrections: true });
    await settled();
    expect(clusterers[0]!.asked).toEqual([minDurations, { ...minDurations, constraints: [{ speaker: 'A', segments: [{ startSeconds: 0, endSeconds: 10 }] }] }]);
  });

  it('accepts the shown proposal, and nothing while it is being computed', async () => {
    const { session, editor, clusterers } = setUp();
    session.choose(exactly(3));
    expect(session.accept()).toBe(false);
    await settled();
    clusterers[0]!.answer();
    await settled();
    session.choose(exactly(4));
    expect(session.accept(), 'an older answer').toBe(false);
    await settled();
    clusterers[0]!.answer();
    await settled();
    expect(session.accept()).toBe(true);
    expect(editor.seen.annotation.speakers).toHaveLength(4);
    expect(editor.seen.annotation.confidenceKind, 'what its confidences are').toBe('margin');
    expect(editor.seen.annotation.minDurations, 'where the sliders stand from now on').toEqual(minDurations);
    expect(editor.seen.proposals.at(-1)).toBeNull();
    expect(session.state.request).toBeNull();
  });

  it('does not show a proposal discarded during its computation', async () => {
    const { session, editor, clusterers } = setUp();
    session.choose(exactly(3));
    await settled();
    session.takeBack();
    clusterers[0]!.answer();
    await settled();
    expect(editor.seen.proposals).toEqual([]);
    expect(session.state).toMatchObject({ request: null, work: 'none', proposal: null });
  });

  it('shows a failure, keeps the worker after an unsatisfiable request, and replaces it after a crash', async () => {
    const { session, clusterers } = setUp();
    session.choose(exactly(1));
    await settled();
    clusterers[0]!.fail(new VoxlaneError({ code: 'options', problem: 'Fewer speakers than corrected ones' }));
    await settled();
    expect(session.state.failure).toMatchObject({ code: 'options' });
    session.choose(exactly(2));
    await settled();
    expect(clusterers).toHaveLength(1);
    clusterers[0]!.fail(new VoxlaneError({ code: 'worker-failed', problem: 'Died' }));
    await settled();
    expect(clusterers[0]!.isDisposed).toBe(true);
    session.choose(exactly(3));
    expect(session.state).toMatchObject({ failure: null, work: 'preparing' });
    await settled();
    expect(clusterers).toHaveLength(2);
  });

  it('terminates its worker, including one that is still starting', async () => {
    const { session, clusterers, editor } = setUp();
    session.choose(exactly(3));
    session.dispose();
    await settled();
    expect(clusterers[0]!.isDisposed).toBe(true);
    expect(clusterers[0]!.asked).toEqual([]);
    expect(editor.seen.proposals).toEqual([]);
  });
});
