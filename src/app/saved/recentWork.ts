import type { Peaks } from '../../audio/peaks';
import { History, type PlainHistory } from '../../editing/history';
import type { Transcript } from '../../transcript/transcript';
import { VoxlaneError } from '../../util/errors';
import type { KeptEntry, Outcome } from '../state';
import {
  type About,
  aboutFrom,
  bytesOf,
  damaged,
  droppable,
  type HeavyPart,
  idOfAbout,
  KEEP_LIMITS,
  type KeepLimits,
  type KeptOutcome,
  keyOf,
  newWorkId,
  outcomeFrom,
  type Part,
  PARTS,
  peaksFrom,
  revisionOf,
  sizeOf,
  surplus,
  transcriptFrom,
  withoutHeavyParts,
} from './records';
import { browserBackend, type KeepBackend, withBlobFallback } from './backend';
import { isVast, MAX_TURNS_AT_ONCE } from '../workspace/limits';

/**
 * Why something was not saved: the storage is `full`; the part is `too-large` for the limits; the work is `gone`,
 * because another tab deleted it; another tab has `changed` it; or storage is unavailable in this browser.
 */
export interface NotKept {
  readonly isKept: false;
  readonly reason: 'full' | 'too-large' | 'gone' | 'changed' | 'unavailable';
  readonly error: VoxlaneError;
}

/** Whether something was saved. */
type Kept = { readonly isKept: true } | NotKept;

/** Whether corrections were saved, and their revision. */
export type KeptCorrections = { readonly isKept: true; readonly revision: string } | NotKept;

/** The corrections of a result. */
export interface Corrections {
  readonly history: History;
  readonly transcript: Transcript | null;
}

/** Corrections as they are stored. */
export interface StoredCorrections extends Corrections {
  readonly revision: string;
}

/** Corrections to be stored. */
export interface CorrectionsToSave {
  readonly history: PlainHistory;
  /** Absent if unchanged. */
  readonly transcript?: Transcript | null;
}

type Parts = readonly (readonly [Part, unknown])[];
/** Returns the new index entry of the work from its present one, or a reason if nothing may be written. */
type Change = (about: About | null) => About | 'gone' | 'changed';

/** Saved work without its voice data. */
interface OpenedWork {
  readonly outcome: KeptOutcome;
  readonly corrections: StoredCorrections;
  /** Null if there never was one or there was no room for it. */
  readonly recording: Blob | null;
  readonly peaks: Peaks | null;
  /** Whether {@link RecentWork.voices} returns any. */
  readonly hasVoices: boolean;
}

/**
 * Results with their corrections, saved in this browser across visits.
 *
 * Each piece of work has its own keys, and its parts are written in one transaction with its index entry, so several
 * tabs do not conflict. Corrections have a revision. A save passes the revision that it is based on and writes nothing
 * if another one is stored, so no tab overwrites corrections that it has not read. A correction only writes the
 * history. Saving reports full or blocked storage in its result and never rejects.
 */
export class RecentWork {
  readonly #backend: KeepBackend;
  readonly #limits: KeepLimits;
  readonly #now: () => number;
  /** Called with the id of work that was removed to make room. */
  onDropped: ((id: string) => void) | null = null;

  /** @param now milliseconds since 1970 */
  constructor(backend: KeepBackend = withBlobFallback(browserBackend()), limits: KeepLimits = KEEP_LIMITS, now: () => number = Date.now) {
    this.#backend = backend;
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * Lists the saved work, latest first. Damaged entries are left out. Empty if the browser has no storage or blocks it.
   *
   * A read can fail temporarily, for example after the browser closed the connection to the database. Each failure
   * except the last is followed by a pause and a retry.
   *
   * @param pausesMs milliseconds
   * @throws VoxlaneError `storage` if every attempt fails
   */
  async list(pausesMs: readonly number[] = [300, 1000]): Promise<KeptEntry[]> {
    const works = await this.#works(pausesMs);
    return works
      .sort((a, b) => b.savedAt - a.savedAt)
      .map((about) => {
        const { id, name, durationSeconds, numSpeakers, savedAt, sizes } = about;
        return { id, name, durationSeconds, numSpeakers, savedAt, bytes: bytesOf(about), hasSound: sizes.recording !== undefined };
      });
  }

  /**
   * @returns null if it is not saved
   * @throws VoxlaneError `format` if it is damaged, `storage` if the browser cannot read it
   */
  async open(id: string): Promise<OpenedWork | null> {
    const names = ['about', 'outcome', 'history', 'transcript', 'recording', 'peaks'] as const;
    const [stored, outcome, history, transcript, recording, peaks] = await this.#getAll(names, id);
    if (stored === undefined) return null;
    const about = aboutOf(stored);
    return {
      outcome: outcomeFrom(outcome),
      corrections: correctionsOf(about, history, transcript),
      recording: await readable(recording),
      peaks: peaksFrom(peaks),
      hasVoices: about.sizes.voices !== undefined,
    };
  }

  /**
   * Returns the stored corrections.
   *
   * @param known revision that the caller has
   * @returns null if the work is not saved, `same` if the stored revision is the known one
   * @throws VoxlaneError `format` if they are damaged, `storage` if the browser cannot read them
   */
  async corrections(id: string, known: string | null): Promise<StoredCorrections | 'same' | null> {
    const about = aboutFrom(await this.#get('about', id));
    if (about && revisionOf(about) === known) return 'same';
    const [stored, history, transcript] = await this.#getAll(['about', 'history', 'transcript'], id);
    return stored === undefined ? null : correctionsOf(aboutOf(stored), history, transcript);
  }

  /** Returns the saved voice data; null if there is none. The caller must validate it. */
  async voices(id: string): Promise<object | null> {
    const voices = await this.#get('voices', id);
    return typeof voices === 'object' ? voices : null;
  }

  /**
   * Saves a new result without its recording and voice data. Work beyond the limits is removed, oldest first. Writes
   * nothing if the result is already saved (`changed`).
   */
  async saveOutcome(outcome: Outcome, { history, transcript = null }: CorrectionsToSave): Promise<KeptCorrections> {
    if (isVast(history.annotation)) return tooManyTurns(history);
    const light = withoutHeavyParts(outcome);
    const [text, transcriptText] = [JSON.stringify(history), JSON.stringify(transcript)];
    const { annotation } = history;
    const revision = newWorkId();
    const parts: Parts = [['outcome', light], ['history', text], ['transcript', transcriptText]];
    const kept = await this.#write(outcome.id, parts, (about) =>
      about ? 'changed' : {
        version: 1,
        id: outcome.id,
        name: outcome.name,
        durationSeconds: annotation.durationSeconds,
        numSpeakers: annotation.speakers.length,
        savedAt: this.#now(),
        revision,
        sizes: { outcome: sizeOf(light), history: text.length, transcript: transcriptText.length },
      },
    );
    if (kept.isKept) await this.#trim(outcome.id);
    return kept.isKept ? { isKept: true, revision } : kept;
  }

  /**
   * Saves the corrections. Fast enough to call shortly after each correction.
   *
   * @param base the revision that these corrections are based on; nothing is written if another one is stored
   */
  async saveCorrections(id: string, base: string, { history, transcript }: CorrectionsToSave): Promise<KeptCorrections> {
    if (isVast(history.annotation)) return tooManyTurns(history);
    const text = JSON.stringify(history);
    const transcriptText = transcript === undefined ? null : JSON.stringify(transcript);
    const revision = newWorkId();
    const parts: Parts = [['history', text], ...(transcriptText === null ? [] : [['transcript', transcriptText] as const])];
    const { annotation } = history;
    const kept = await this.#write(id, parts, (about) => {
      if (!about) return 'gone';
      if (revisionOf(about) !== base) return 'changed';
      return {
        ...about,
        durationSeconds: annotation.durationSeconds,
        numSpeakers: annotation.speakers.length,
        savedAt: this.#now(),
        revision,
        sizes: { ...about.sizes, history: text.length, ...(transcriptText !== null && { transcript: transcriptText.length }) },
      };
    });
    return kept.isKept ? { isKept: true, revision } : kept;
  }

  /** Saves the recording. If there is no room, drops the oldest recordings of other work. */
  saveRecording(id: string, recording: Blob): Promise<Kept> {
    return this.#saveHeavy(id, 'recording', recording);
  }

  /** Saves the voice data for re-clustering: any data that `structuredClone` accepts. */
  saveVoices(id: string, voices: object): Promise<Kept> {
    return this.#saveHeavy(id, 'voices', voices);
  }

  savePeaks(id: string, peaks: Peaks): Promise<Kept> {
    return this.#saveHeavy(id, 'peaks', peaks);
  }

  /** @throws VoxlaneError `storage` if the browser refuses */
  async delete(id: string): Promise<void> {
    await this.#delete(PARTS.map((part) => keyOf(part, id)));
  }

  /** Deletes all work, including damaged entries. @throws VoxlaneError `storage` if the browser refuses */
  async deleteAll(): Promise<void> {
    await this.#delete(await this.#backend.keys().catch(refused));
  }

  async #saveHeavy(id: string, part: HeavyPart, value: object): Promise<Kept> {
    const bytes = sizeOf(value);
    if (bytes > this.#limits.bytes) return notKept('too-large', `${bytes} bytes are more than the ${this.#limits.bytes} that are kept in all`);
    const kept = await this.#write(id, [[part, value]], (about) => about ? { ...about, sizes: { ...about.sizes, [part]: bytes } } : 'gone', true);
    if (kept.isKept) await this.#trim(id);
    return kept;
  }

  /**
   * Writes parts, and makes room if necessary: drops heavy parts of other work first and then, unless the written part
   * is heavy itself, those of this work.
   */
  async #write(id: string, parts: Parts, change: Change, isHeavy = false): Promise<Kept> {
    let kept = await this.#tryToWrite(id, parts, change);
    if (kept.isKept || kept.reason !== 'full') return kept;
    const works = await this.#works().catch(() => []);
    const own = isHeavy ? [] : works.filter((work) => work.id === id);
    // One at a time: the available room can only be determined by trying.
    for (const other of [...droppable(works, id), ...droppable(own, '')]) {
      await this.#drop(other.id, other.part).catch(() => undefined);
      kept = await this.#tryToWrite(id, parts, change);
      if (kept.isKept || kept.reason !== 'full') break;
    }
    return kept;
  }

  async #tryToWrite(id: string, parts: Parts, change: Change): Promise<Kept> {
    try {
      const entries = parts.map(([part, value]) => [keyOf(part, id), value] as const);
      const refusals: ('gone' | 'changed')[] = [];
      const isWritten = await this.#backend.write(
        keyOf('about', id),
        (stored) => {
          const next = change(aboutFrom(stored));
          if (typeof next !== 'string') return next;
          refusals.push(next);
          return null;
        },
        entries,
      );
      if (isWritten) return { isKept: true };
      return refusals.includes('changed') ? notKept('changed', 'another tab has changed it') : notKept('gone', 'the work is no longer kept');
    } catch (error) {
      const isFull = error instanceof Error && error.name === 'QuotaExceededError';
      return isFull ? notKept('full', 'the storage of this browser is full', error) : notKept('unavailable', 'this browser does not let the page store anything', error);
    }
  }

  /** Enforces the limits. A failed deletion is repeated at the next save. */
  async #trim(newest: string): Promise<void> {
    try {
      const { works, parts } = surplus(await this.#works(), this.#limits, newest);
      for (const id of works) {
        await this.delete(id);
        this.onDropped?.(id);
      }
      for (const { id, part } of parts) await this.#drop(id, part);
    } catch {
      // The work itself is saved.
    }
  }

  /** The index entry first: a part that it does not list counts as deleted. */
  async #drop(id: string, part: HeavyPart): Promise<void> {
    await this.#tryToWrite(id, [], (about) => about ? { ...about, sizes: without(about.sizes, part) } : 'gone');
    await this.#delete([keyOf(part, id)]);
  }

  async #works(pausesMs: readonly number[] = []): Promise<About[]> {
    for (const pauseMs of pausesMs) {
      try {
        return await this.#readWorks();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
    return this.#readWorks().catch((error: unknown) => (isBlocked(error) ? [] : refused(error)));
  }

  async #readWorks(): Promise<About[]> {
    const ids = (await this.#backend.keys()).map(idOfAbout).filter((id) => id !== null);
    const stored = await Promise.all(ids.map((id) => this.#backend.get(keyOf('about', id))));
    return stored.map(aboutFrom).filter((about) => about !== null);
  }

  #get(part: Part, id: string): Promise<unknown> {
    return this.#backend.get(keyOf(part, id)).catch(refused);
  }

  #getAll(parts: readonly Part[], id: string): Promise<unknown[]> {
    return this.#backend.getAll(parts.map((part) => keyOf(part, id))).catch(refused);
  }

  #delete(keys: readonly string[]): Promise<void> {
    return this.#backend.delete(keys).catch(refused);
  }
}

function aboutOf(stored: unknown): About {
  const about = aboutFrom(stored);
  if (!about) throw damaged('its entry has an unexpected structure');
  return about;
}

function correctionsOf(about: About, history: unknown, transcript: unknown): StoredCorrections {
  return { history: History.fromPlain(parsed(history)), transcript: transcriptFrom(transcript), revision: revisionOf(about) };
}

function without(sizes: About['sizes'], part: HeavyPart): About['sizes'] {
  return Object.fromEntries(Object.entries(sizes).filter(([key]) => key !== part)) as About['sizes'];
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    throw damaged('its corrections are not valid JSON');
  }
}

/** The browser may have lost the bytes of a Blob that is still in its database. The work then has no recording. */
async function readable(stored: unknown): Promise<Blob | null> {
  if (!(stored instanceof Blob)) return null;
  try {
    await stored.slice(0, 1).arrayBuffer();
    return stored;
  } catch {
    return null;
  }
}

function notKept(reason: NotKept['reason'], why: string, cause?: unknown): NotKept {
  return { isKept: false, reason, error: storageError(`It could not be saved in this browser: ${why}`, cause) };
}

/** Saving this many turns would block the page after every correction. */
function tooManyTurns({ annotation }: PlainHistory): NotKept {
  return notKept('too-large', `it has ${annotation.turns.length} turns, of at most ${MAX_TURNS_AT_ONCE} that are kept`);
}

/** Whether there is no storage or the browser's settings block it: a retry would fail too. */
const isBlocked = (error: unknown): boolean =>
  error instanceof ReferenceError || (error instanceof DOMException && error.name === 'SecurityError');

function refused(error: unknown): never {
  throw storageError('This browser cannot read the saved data', error);
}

function storageError(problem: string, cause?: unknown): VoxlaneError {
  return new VoxlaneError({ code: 'storage', problem, remedy: 'Export the result to a file' }, { cause });
}
