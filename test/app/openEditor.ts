import { annotationOf } from '../../src/editing/annotationOf';
import { History } from '../../src/editing/history';
import { createEditor, type Editor } from '../../src/app/editor/editor';
import type { Outcome } from '../../src/app/state';
import type { Player } from '../../src/ui-kit/player';
import { Scope } from '../../src/ui-kit/scope';
import { Tab, World } from './tabs';

const turn = (startSeconds: number, endSeconds: number, speaker: string) => ({ startSeconds, endSeconds, speaker });

/** Three turns of two speakers in ten seconds. */
export const THREE_TURNS = annotationOf(
  [turn(0, 2, 'SPEAKER_00'), turn(3, 5, 'SPEAKER_01'), turn(6, 9, 'SPEAKER_00')],
  [],
  [{ label: 'SPEAKER_00' }, { label: 'SPEAKER_01' }],
  10,
);

/** An editor of {@link THREE_TURNS} whose player is a stub. */
export interface OpenedEditor {
  readonly editor: Editor;
  /** Messages to the user, oldest first. */
  readonly said: string[];
  /** Calls of the player, such as `skip 5`, oldest first. */
  readonly played: string[];
  readonly tabs: { readonly own: Tab; readonly other: Tab };
  readonly world: World;
  readonly seek: (seconds: number) => void;
}

export function openEditor(): OpenedEditor {
  const said: string[] = [];
  const played: string[] = [];
  const world = new World();
  world.commit(new History(THREE_TURNS).toPlain(), 'null');
  const tabs = { own: new Tab(world, () => undefined), other: new Tab(world, () => undefined) };
  const note = (name: string) => (value?: unknown): void => { played.push(value === undefined ? name : `${name} ${JSON.stringify(value)}`); };
  const seek = (seconds: number): void => { player.position = seconds; };
  const player = { position: 0, playing: false, loop: note('loop'), toggle: note('toggle'), skip: note('skip'), shuttle: note('shuttle'), playSegment: note('play'), seek };
  const editor = createEditor(new Scope(), {
    outcome: { annotation: THREE_TURNS } as Outcome,
    corrections: tabs.own.work,
    theme: { toggle: () => undefined, onChange: () => undefined },
    player: player as unknown as Player,
    say: (message) => said.push(message),
  });
  return { editor, said, played, tabs, world, seek };
}
