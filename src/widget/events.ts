import type { DiarizationResult, Progress } from '../pipeline/types';
import type { VoxlaneError } from '../util/errors';

/** A speaker got another name. */
export interface SpeakerRename {
  /** Label of the speaker in the result, such as `SPEAKER_00`. */
  readonly speaker: string;
  /** Null: the name was taken away, and the speaker is called by number again. */
  readonly name: string | null;
}

/**
 * Events of `<voxlane-diarizer>`.
 *
 * As those of media elements they do not bubble: listen on the element. An `error` that rose to the window would be taken
 * for a failure of the page.
 */
export interface VoxlaneDiarizerEventMap extends Omit<HTMLElementEventMap, 'progress' | 'error'> {
  /** A stage of the run under way got on. */
  progress: CustomEvent<Progress>;
  /** A run has ended well. */
  result: CustomEvent<DiarizationResult>;
  /** A run has failed, or an attribute has a value that cannot be used. */
  error: CustomEvent<VoxlaneError>;
  /** A run was cancelled: by the person, by `cancel()`, by another source, or because the element was removed. */
  cancel: Event;
  /** A person has given a speaker another name. */
  rename: CustomEvent<SpeakerRename>;
}
