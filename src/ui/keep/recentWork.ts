import type { Peaks } from '../../audio/peaks';
import { History } from '../../editing/history';
import type { PlainHistory } from '../../editing/plainHistory';
import type { Transcript } from '../../transcript/transcript';
import { messageOf, VoxlaneError } from '../../util/errors';
import type { KeptEntry, Outcome } from '../state';
import { aboutFrom, bytesOf, idOfAbout, keyOf, PARTS, sizeOf, type About, type HeavyPart, type Part } from './about';
import type { KeepBackend } from './backend';
import { withBlobFallback } from './blobFallback';
import { browserBackend } from './browserBackend';
import { damaged, outcomeFrom, withoutHeavyParts, type KeptOutcome } from './outcome';
import { droppable, KEEP_LIMITS, surplus, type KeepLimits } from './room';
import { peaksFrom, transcriptFrom } from './side';

/**
 * Whether something was kept, and if not, why: the storage is `full`; the part is `too-large` for the limits; the work is
 * `gone`, as another tab deleted it; or this browser keeps nothing here.
 */
export type Kept =
  | { readonly isKept: true }
  | { readonly isKept: false; readonly reason: 'full' | 'too-large' | 'gone' | 'unavailable'; readonly error: VoxlaneError };

type Parts = readonly (readonly [Part, unknown])[];
/** What is to be said of the work, from what was; null where it must not be written. */
type Change = (about: About | null) => About | null;

/** A piece of work as it was kept, without its voices. */
export interface OpenedWork {
  readonly outcome: KeptOutcome;
  readonly history: History;
  readonly transcript: Transcript | null;
  /** Null where there never was one, or where there was no room for it. */
  readonly recording: Blob | null;
  readonly peaks: Peaks | null;
  /** Whether {@link RecentWork.voices} has any. */
  readonly hasVoices: boolean;
}

/**
 * Results with their corrections, kept in this browser from one visit to the next.
 *
 * Each piece of work has its own keys, and what it consists of is written in one step with what the list says of it:
 * several tabs do not disturb each other, and of two that correct the same result the last to save wins. A correction
 * writes the history only. Storage that is full or blocked makes no other thing fail: saving tells so and never rejects.
 */
export class RecentWork {
  readonly #backend: KeepBackend;
  readonly #limits: KeepLimits;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(backend: KeepBackend = withBlobFallback(browserBackend()), limits: KeepLimits = KEEP_LIMITS, now: () => number = Date.now) {
    this.#backend = backend;
    this.#limits = limits;
    this.#now = now;
  }

  /** What is kept, the latest saved first. Damaged entries are left out; none where this browser keeps nothing. */
  async list(): Promise<KeptEntry[]> {
    const works = await this.#works().catch(() => []);
    return works
      .sort((a, b) => b.savedAt - a.savedAt)
      .map((about) => {
        const { id, name, durationSeconds, numSpeakers, savedAt, sizes } = about;
        return { id, name, durationSeconds, numSpeakers, savedAt, bytes: bytesOf(about), hasSound: sizes.recording !== undefined };
      });
  }

  /**
   * @returns null where it is not kept
   * @throws VoxlaneError `format` where it is damaged, `storage` where the browser does not give it
   */
  async open(id: string): Promise<OpenedWork | null> {
    const stored = await this.#get('about', id);
    if (stored === undefined) return null;
    const about = aboutFrom(stored);
    if (!about) throw damaged('its entry has another form');
    const [outcome, history, transcript, recording, peaks] = await Promise.all(
      (['outcome', 'history', 'transcript', 'recording', 'peaks'] as const).map((part) => this.#get(part, id)),
    );
    return {
      outcome: outcomeFrom(outcome),
      history: History.fromPlain(parsed(history)),
      transcript: transcriptFrom(transcript),
      recording: await readable(recording),
      peaks: peaksFrom(peaks),
      hasVoices: about.sizes.voices !== undefined,
    };
  }

  /** The kept voices, as they were given; null where there are none. Their form is for the reader to check. */
  async voices(id: string): Promise<object | null> {
    const voices = await this.#get('voices', id);
    return typeof voices === 'object' ? voices : null;
  }

  /** Keeps a result, without its sound and voices. Work beyond the limits goes, the oldest first. */
  async saveOutcome(outcome: Outcome, history: PlainHistory): Promise<Kept> {
    const light = withoutHeavyParts(outcome);
    const text = JSON.stringify(history);
    const { annotation } = history;
    const kept = await this.#write(outcome.id, [['outcome', light], ['history', text]], (about) => ({
      version: 1,
      id: outcome.id,
      name: outcome.name,
      durationSeconds: annotation.durationSeconds,
      numSpeakers: annotation.speakers.length,
      savedAt: this.#now(),
      sizes: { ...about?.sizes, outcome: sizeOf(light), history: text.length },
    }));
    if (kept.isKept) await this.#trim(outcome.id);
    return kept;
  }

  /** Keeps the corrections: quick, to be called some moments after the last one. */
  async saveHistory(id: string, history: PlainHistory): Promise<Kept> {
    const text = JSON.stringify(history);
    return this.#write(id, [['history', text]], (about) =>
      about && {
        ...about,
        numSpeakers: history.annotation.speakers.length,
        savedAt: this.#now(),
        sizes: { ...about.sizes, history: text.length },
      },
    );
  }

  /** Keeps the transcript, or that there is none any more. */
  async saveTranscript(id: string, transcript: Transcript | null): Promise<Kept> {
    const text = JSON.stringify(transcript);
    return this.#write(id, [['transcript', text]], (about) => about && { ...about, sizes: { ...about.sizes, transcript: text.length } });
  }

  /** Keeps the sound. Where there is no room, the oldest recordings of other work go for it. */
  saveRecording(id: string, recording: Blob): Promise<Kept> {
    return this.#saveHeavy(id, 'recording', recording);
  }

  /** Keeps what another number of speakers is found by: any data that `structuredClone` takes. */
  saveVoices(id: string, voices: object): Promise<Kept> {
    return this.#saveHeavy(id, 'voices', voices);
  }

  savePeaks(id: string, peaks: Peaks): Promise<Kept> {
    return this.#saveHeavy(id, 'peaks', peaks);
  }

  /** @throws VoxlaneError `storage` where the browser refuses */
  async delete(id: string): Promise<void> {
    await this.#delete(PARTS.map((part) => keyOf(part, id)));
  }

  /** Deletes damaged entries too. @throws VoxlaneError `storage` where the browser refuses */
  async deleteAll(): Promise<void> {
    await this.#delete(await this.#backend.keys().catch(refused));
  }

  async #saveHeavy(id: string, part: HeavyPart, value: object): Promise<Kept> {
    const bytes = sizeOf(value);
    if (bytes > this.#limits.bytes) return notKept('too-large', `${bytes} bytes are more than the ${this.#limits.bytes} that are kept in all`);
    const kept = await this.#write(id, [[part, value]], (about) => about && { ...about, sizes: { ...about.sizes, [part]: bytes } }, true);
    if (kept.isKept) await this.#trim(id);
    return kept;
  }

  /**
   * Writes parts, and makes room for them where there is none: heavy parts of other work go first; then, where what is
   * written is not heavy itself, those of this one.
   */
  async #write(id: string, parts: Parts, change: Change, isHeavy = false): Promise<Kept> {
    let kept = await this.#tryToWrite(id, parts, change);
    if (kept.isKept || kept.reason !== 'full') return kept;
    const works = await this.#works().catch(() => []);
    const own = isHeavy ? [] : works.filter((work) => work.id === id);
    // One at a time: how much room the browser gives is known by trying only.
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
      const isWritten = await this.#backend.write(keyOf('about', id), (stored) => change(aboutFrom(stored)), entries);
      return isWritten ? { isKept: true } : notKept('gone', 'the work is no longer kept');
    } catch (error) {
      const isFull = error instanceof Error && error.name === 'QuotaExceededError';
      return isFull ? notKept('full', 'the storage of this browser is full') : notKept('unavailable', messageOf(error));
    }
  }

  /** Brings all back within the limits. What cannot be deleted now is tried again with the next save. */
  async #trim(newest: string): Promise<void> {
    try {
      const { works, parts } = surplus(await this.#works(), this.#limits, newest);
      for (const id of works) await this.delete(id);
      for (const { id, part } of parts) await this.#drop(id, part);
    } catch {
      // The work itself is kept.
    }
  }

  /** First from the list: a part that it does not name is as good as gone. */
  async #drop(id: string, part: HeavyPart): Promise<void> {
    await this.#tryToWrite(id, [], (about) => about && { ...about, sizes: without(about.sizes, part) });
    await this.#delete([keyOf(part, id)]);
  }

  async #works(): Promise<About[]> {
    const ids = (await this.#backend.keys()).map(idOfAbout).filter((id) => id !== null);
    const stored = await Promise.all(ids.map((id) => this.#backend.get(keyOf('about', id))));
    return stored.map(aboutFrom).filter((about) => about !== null);
  }

  #get(part: Part, id: string): Promise<unknown> {
    return this.#backend.get(keyOf(part, id)).catch(refused);
  }

  #delete(keys: readonly string[]): Promise<void> {
    return this.#backend.delete(keys).catch(refused);
  }
}

function without(sizes: About['sizes'], part: HeavyPart): About['sizes'] {
  return Object.fromEntries(Object.entries(sizes).filter(([key]) => key !== part)) as About['sizes'];
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    throw damaged('its corrections are no JSON');
  }
}

/** The browser may have lost the bytes of a Blob that its database still has: then the work is without sound. */
async function readable(stored: unknown): Promise<Blob | null> {
  if (!(stored instanceof Blob)) return null;
  try {
    await stored.slice(0, 1).arrayBuffer();
    return stored;
  } catch {
    return null;
  }
}

function notKept(reason: Exclude<Kept, { isKept: true }>['reason'], why: string): Kept {
  return { isKept: false, reason, error: storageError(`It could not be kept in this browser: ${why}`) };
}

function refused(error: unknown): never {
  throw storageError(`This browser refuses what it stores: ${messageOf(error)}`);
}

function storageError(problem: string): VoxlaneError {
  return new VoxlaneError({ code: 'storage', problem, remedy: 'Export the result to have it in a file' });
}
