import type { ErrorStretch } from '../../score/errors';
import type { FileRole } from './files';
import type { ScoreAction, ScoreState } from './model';

/** What a part of the panel can ask for. */
export interface ScoreActions {
  readonly open: (files: Iterable<File>, role?: FileRole) => void;
  readonly dispatch: (action: Exclude<ScoreAction, { type: 'scored' | 'went' }>) => void;
  readonly takeNames: () => void;
  readonly go: (error: ErrorStretch | null) => void;
  readonly step: (step: 1 | -1) => void;
}

/** A part of the panel. It is updated after every change. */
export interface ScoreSection {
  readonly element: HTMLElement;
  readonly update: (state: ScoreState) => void;
}
