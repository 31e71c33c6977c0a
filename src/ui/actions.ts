import { sentenceOf } from './failure';
import type { Scope } from '../util/scope';
import { rememberPreset, rememberSpeed } from './models/choice';
import type { ModelsSession } from './models/session';
import type { Session } from './session';
import { fileSource, sampleSource } from './sources';
import { jobOf, optionsProblem, type Action, type Outcome, type Source, type State } from './state';
import type { Store } from './store';
import { studioText } from './studio/text';
import type { Actions, View } from './view';
import { outcomeOfTurns, withSound } from './work/outcomes';
import { readTurnsFor } from './work/readTurns';
import { lengthOf } from './work/lengthOf';
import { companionKind, isTranscript, sortFiles } from './work/sortFiles';
import type { Desk } from './work/desk';

/** What the actions reach. */
export interface ActionTargets {
  readonly scope: Scope;
  readonly store: Store<State, Action>;
  readonly session: Session;
  readonly models: ModelsSession;
  readonly desk: Desk;
  /** The view on the page now. */
  readonly view: () => View | null;
}

/** Carries out what a person does. */
export function createActions({ scope, store, session, models, desk, view }: ActionTargets): Actions {
  const run = (source: Source): void => {
    const problem = optionsProblem(store.get().options);
    if (problem) {
      // To where the options are; the result on screen can be come back to.
      store.dispatch({ type: 'reset' });
      store.dispatch({ type: 'options-toggled', open: true });
      store.dispatch({ type: 'noticed', notice: problem });
      return;
    }
    session.start(source);
  };
  /** A recording that failed for its model is tried again with the file; otherwise the page goes to where it shows the model. */
  const takeModel = (file: File, isWithRecording: boolean): void => {
    const { phase } = store.get();
    void models.prepare({ name: file.name, blob: file, isTrusted: false });
    if (isWithRecording) return;
    const isWaiting = phase.kind === 'error' && (phase.failure.code?.startsWith('model-') ?? false);
    if (isWaiting) run(phase.source);
    else store.dispatch({ type: 'reset' });
  };
  const say = (said: string): void => {
    store.dispatch({ type: 'noticed', notice: { said } });
  };
  /** Turns that are there already are not computed again: the file is opened to be corrected. */
  const openTurns = async (file: File, recording: File | null, companions: readonly File[]): Promise<void> => {
    const notes: string[] = [];
    const imported = await readTurnsFor(scope, file, recording?.name ?? null, (note) => notes.push(note));
    if (!imported) return;
    const soundSeconds = recording && (await lengthOf(recording));
    store.dispatch({ type: 'opened', outcome: outcomeOfTurns(imported, file, { recording, soundSeconds, companions }) });
    if (notes.length > 0) say(notes.join(' '));
  };
  /** What belongs to a recording: for the result that is open, or, turns, to be opened. */
  const takeCompanions = async (files: readonly File[], recording: File | null): Promise<void> => {
    const shown = view();
    if (shown?.take && !recording) {
      shown.take(files);
      return;
    }
    const transcripts = new Set<File>();
    for (const file of files) if (await isTranscript(file)) transcripts.add(file);
    const turns = files.find((file) => companionKind(file) !== 'uem' && !transcripts.has(file));
    const [first] = files;
    if (turns) await openTurns(turns, recording, files.filter((file) => file !== turns));
    else if (recording) run(fileSource(recording, files));
    else if (first) say(studioText.importing.needsRecording(first.name));
  };
  const takeFiles = (companions: readonly File[], recording: File | null): void => {
    takeCompanions(companions, recording).catch((thrown: unknown) => {
      say(studioText.importing.unreadable(companions.map(({ name }) => name).join(', '), sentenceOf(thrown)));
    });
  };
  /** The sound of turns that were opened without it. */
  const attach = async (outcome: Outcome, recording: File, companions: readonly File[]): Promise<void> => {
    store.dispatch({ type: 'opened', outcome: withSound(outcome, recording, await lengthOf(recording), companions) });
    say(studioText.soundAttached);
  };

  return {
    open(files) {
      const { models: dropped, recordings, companions } = sortFiles(files);
      const [model] = dropped;
      const [recording] = recordings;
      const state = store.get();
      const isBusy = jobOf(state) !== null;
      if (model && isBusy) {
        store.dispatch({ type: 'noticed', notice: 'busy-model' });
        return;
      }
      if (companions.length > 0 && isBusy) {
        store.dispatch({ type: 'noticed', notice: 'busy' });
        return;
      }
      if (model) takeModel(model, recording !== undefined);
      if ((dropped.length > 1 || recordings.length > 1) && !isBusy) {
        store.dispatch({ type: 'noticed', notice: 'first-only' });
      }
      const { phase } = state;
      if (recording && phase.kind === 'done' && phase.outcome.blob === null) void attach(phase.outcome, recording, companions);
      else if (companions.length > 0) takeFiles(companions, recording ?? null);
      else if (recording) run(fileSource(recording));
    },
    trySample() {
      run(sampleSource());
    },
    cancel() {
      session.cancel();
    },
    retry(options) {
      const { phase } = store.get();
      if (phase.kind !== 'error') return;
      if (options) store.dispatch({ type: 'options-changed', options });
      run(phase.source);
    },
    setOptions(options) {
      if (options.preset) rememberPreset(options.preset);
      if (options.speed) rememberSpeed(options.speed);
      store.dispatch({ type: 'options-changed', options });
    },
    toggleOptions(open) {
      store.dispatch({ type: 'options-toggled', open });
    },
    readTrack(track) {
      const { phase } = store.get();
      if (phase.kind !== 'done' || !phase.outcome.blob) return;
      const { name, blob } = phase.outcome;
      run({ name, load: () => Promise.resolve(blob), track });
    },
    reset() {
      store.dispatch({ type: 'reset' });
    },
    back() {
      store.dispatch({ type: 'returned' });
    },
    downloadModel() {
      void models.prepare(null);
    },
    stopDownload() {
      models.stop();
    },
    answerQuestion(isTrusted) {
      if (isTrusted) void models.trust();
      else store.dispatch({ type: 'model-refused' });
      this.retry();
    },
    dismissModelFailure() {
      store.dispatch({ type: 'model-failure-dismissed' });
    },
    askDeletion(model) {
      store.dispatch({ type: 'deletion-asked', model });
    },
    deleteModel(model) {
      void models.delete(model);
    },
    checkGpuAgain() {
      void models.checkGpuAgain();
    },
    dismissNotice() {
      store.dispatch({ type: 'notice-dismissed' });
    },
    openKept(id) {
      if (jobOf(store.get())) store.dispatch({ type: 'noticed', notice: 'busy' });
      else void desk.open(id);
    },
    deleteKept(id) {
      void desk.delete(id);
    },
  };
}
