import type { Annotation } from '../editing/annotation';
import { sentenceOf } from '../ui-kit/failure';
import { stem } from '../ui-kit/format';
import type { Scope } from '../ui-kit/scope';
import type { Store } from '../ui-kit/store';
import { text } from '../ui-kit/texts/text';
import { VoxlaneError } from '../util/errors';
import { fetchFile, isMissing } from '../util/fetch';
import { editorText } from './editor/text';
import { type DownloadedPreset, presetOfFile } from './models/choices';
import { type ModelsSession, rememberSpeed } from './models/session';
import { newWorkId } from './saved/records';
import type { Session } from './session';
import { type Action, jobOf, optionsProblem, type Outcome, type Source, type State } from './state';
import type { Actions, View } from './view';
import { companionKind, isTranscript, type ReadTurns, readTurnsFor, sortFiles } from './workspace/openFiles';
import type { Workspace } from './workspace/workspace';

/** @param companions files that were opened together with it */
function fileSource(file: File, companions: readonly File[] = []): Source {
  return { name: file.name, load: () => Promise.resolve(file), companions };
}

/** The sample recording of the app. Its `load` throws VoxlaneError `audio-missing` or `source-missing`. */
function sampleSource(): Source {
  const name = text.empty.sampleName;
  const missing = (why: string, cause?: unknown, status?: number): VoxlaneError =>
    new VoxlaneError(
      {
        code: isMissing(status) ? 'source-missing' : 'audio-missing',
        problem: `The sample recording could not be fetched: ${why}`,
        expected: `${name} next to this page`,
        remedy: 'Check the connection and try again, or choose your own recording',
      },
      { cause },
    );
  return {
    name,
    load: (signal) =>
      fetchFile(
        new URL(name, document.baseURI),
        async (response) => {
          // A server with a fallback page responds with 200 and HTML for a missing file.
          const blob = await response.blob();
          if (blob.type.startsWith('text/html')) throw missing('the server returned a web page instead');
          return blob;
        },
        missing,
        signal,
      ),
  };
}

/**
 * Duration of a recording in seconds according to the browser's player; null if it cannot play the file or the duration
 * is unknown.
 */
function lengthOf(recording: Blob): Promise<number | null> {
  const audio = new Audio();
  const url = URL.createObjectURL(recording);
  return new Promise<number | null>((resolve) => {
    audio.onloadedmetadata = () => {
      resolve(Number.isFinite(audio.duration) ? audio.duration : null);
    };
    audio.onerror = () => {
      resolve(null);
    };
    audio.preload = 'metadata';
    audio.src = url;
  }).finally(() => {
    audio.removeAttribute('src');
    URL.revokeObjectURL(url);
  });
}

/** What was opened together with a file of turns. */
interface ImportContext {
  readonly recording: File | null;
  /** Duration of the recording; null if unknown. */
  readonly soundSeconds: number | null;
  readonly companions: readonly File[];
}

/** Creates an editable result from the turns of a file, with the recording if there is one. */
function outcomeOfTurns(imported: ReadTurns, file: File, { recording, soundSeconds, companions }: ImportContext): Outcome {
  return {
    id: newWorkId(),
    name: recording?.name ?? (imported.name || stem(file.name)),
    blob: recording,
    result: null,
    annotation: withLength(imported.annotation, soundSeconds),
    companions,
    options: null,
    processingSeconds: null,
  };
}

/** The same result with its missing recording added. Corrections are keyed by id, so they are kept. */
function withSound(outcome: Outcome, recording: File, soundSeconds: number | null, companions: readonly File[]): Outcome {
  return { ...outcome, blob: recording, annotation: withLength(outcome.annotation, soundSeconds), companions };
}

/** A file of turns only has the end of the last turn. The recording may be longer. */
function withLength(annotation: Annotation, soundSeconds: number | null): Annotation {
  return soundSeconds !== null && soundSeconds > annotation.durationSeconds ? { ...annotation, durationSeconds: soundSeconds } : annotation;
}

/** What the actions operate on. */
interface ActionTargets {
  readonly scope: Scope;
  readonly store: Store<State, Action>;
  readonly session: Session;
  readonly models: ModelsSession;
  readonly workspace: Workspace;
  /** The current view. */
  readonly view: () => View | null;
}

/** Implements the user's actions. */
export function createActions({ scope, store, session, models, workspace, view }: ActionTargets): Actions {
  const run = (source: Source): void => {
    const problem = optionsProblem(store.get().options);
    if (problem) {
      // The options are in the empty view. The user can return to the current result from there.
      store.dispatch({ type: 'reset' });
      store.dispatch({ type: 'options-toggled', open: true });
      store.dispatch({ type: 'noticed', notice: problem });
      return;
    }
    session.start(source);
  };
  /** If a recording failed because of its model, runs it again with the file. Otherwise shows the view with the model box. */
  const takeModel = (preset: DownloadedPreset, file: File, isWithRecording: boolean): void => {
    const { phase } = store.get();
    void models.prepare(preset, { name: file.name, blob: file, isTrusted: false });
    if (isWithRecording) return;
    const isWaiting = phase.kind === 'error' && (phase.failure.code?.startsWith('model-') ?? false);
    if (isWaiting) run(phase.source);
    else store.dispatch({ type: 'reset' });
  };
  const say = (said: string): void => {
    store.dispatch({ type: 'noticed', notice: { said } });
  };
  /** Opens a file of turns for correction instead of running the recording. */
  const openTurns = async (file: File, recording: File | null, companions: readonly File[]): Promise<void> => {
    const notes: string[] = [];
    const imported = await readTurnsFor(scope, file, recording?.name ?? null, (note) => notes.push(note));
    if (!imported) return;
    const soundSeconds = recording && (await lengthOf(recording));
    store.dispatch({ type: 'opened', outcome: outcomeOfTurns(imported, file, { recording, soundSeconds, companions }) });
    if (notes.length > 0) say(notes.join(' '));
  };
  /** Passes companion files to the open result, or opens the turns among them. */
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
    else if (first) say(editorText.importing.needsRecording(first.name));
  };
  const takeFiles = (companions: readonly File[], recording: File | null): void => {
    takeCompanions(companions, recording).catch((thrown: unknown) => {
      say(editorText.importing.unreadable(companions.map(({ name }) => name).join(', '), sentenceOf(thrown)));
    });
  };
  /** Adds the recording to turns that were opened without it. */
  const attach = async (outcome: Outcome, recording: File, companions: readonly File[]): Promise<void> => {
    store.dispatch({ type: 'opened', outcome: withSound(outcome, recording, await lengthOf(recording), companions) });
    say(editorText.soundAttached);
  };

  return {
    open(files) {
      const { models: dropped, recordings, companions } = sortFiles(files);
      const [model] = dropped;
      const preset = model && presetOfFile(model.name);
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
      if (model && preset) takeModel(preset, model, recording !== undefined);
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
      if (options.speed) rememberSpeed(options.speed);
      store.dispatch({ type: 'options-changed', options });
      if (options.preset) void models.choose(options.preset);
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
    downloadModel(preset) {
      void models.prepare(preset, null);
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
    dropOriginal(model) {
      void models.dropOriginal(model);
    },
    checkGpuAgain() {
      void models.checkGpuAgain();
    },
    dismissNotice() {
      store.dispatch({ type: 'notice-dismissed' });
    },
    openKept(id) {
      if (jobOf(store.get())) store.dispatch({ type: 'noticed', notice: 'busy' });
      else void workspace.open(id);
    },
    deleteKept(id) {
      void workspace.delete(id);
    },
  };
}
