/** Options that the preset of a command does not have. They are found before anything is loaded. */
import { checkRunOptions } from '../src/engine/options';
import { isWindowed } from '../src/engine/settings';
import { checkStreamDiarizer, checkStreamRun, checkWindowedRun } from '../src/engine/streamRules';
import { checkedAs } from './arguments';
import { OPTION_NAMES, parseCommand, type DiarizeCommand } from './diarizeOptions';
import { mostSpeakers } from './modelFolder';

const FLAGS = { ...OPTION_NAMES, speed: '--speed', clustering: '--clustering', trustGpu: '--trust-gpu', batchWindows: '--batch' };

/** @param batch windows per batch @throws Error with a one-line message for an option that the preset does not have */
export function checkPreset({ preset, options, ...diarizer }: Pick<DiarizeCommand, 'preset' | 'speed' | 'clustering' | 'trustGpu' | 'options'>, batch?: number): void {
  checkedAs(FLAGS, () => {
    const run = checkRunOptions(options);
    // `auto` never selects a streamed preset.
    if (preset === 'auto' || isWindowed(preset)) {
      checkWindowedRun(preset, run);
    } else {
      checkStreamDiarizer(preset, { ...diarizer, batchWindows: batch });
      checkStreamRun(preset, run, mostSpeakers());
    }
  });
}

/** Parses and checks the arguments of `diarize`. @throws Error with a one-line message for invalid arguments */
export function parseDiarize(args: readonly string[]): DiarizeCommand | 'help' {
  const command = parseCommand(args);
  if (command !== 'help') checkPreset(command);
  return command;
}

/** Names in a note. */
const MOST_NAMES = 3;

/** A note about numbers of speakers in a manifest that the preset does not use; null without any. @param names of the entries */
export function unusedSpeakersNote(names: readonly string[], preset: string): string | null {
  if (names.length === 0) return null;
  const shown = [...names.slice(0, MOST_NAMES), ...(names.length > MOST_NAMES ? [`${names.length - MOST_NAMES} more`] : [])].join(', ');
  return `note: the number of speakers in the manifest (num_speakers, or speakers in a table) is not used: the preset ${preset} finds it itself (${shown})`;
}
