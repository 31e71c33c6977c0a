/** Options that the preset of a command does not have. They are found before anything is loaded. */
import { checkRunOptions } from '../src/engine/options';
import { isWindowed } from '../src/engine/settings';
import { checkStreamDiarizer, checkWindowedRun } from '../src/engine/streamRules';
import { checkedAs } from './arguments';
import { OPTION_NAMES, parseCommand, type DiarizeCommand } from './diarizeOptions';

const FLAGS = { ...OPTION_NAMES, speed: '--speed', clustering: '--clustering', batchWindows: '--batch' };

/** @param batch windows per batch @throws Error with a one-line message for an option that the preset does not have */
export function checkPreset({ preset, options, ...diarizer }: Pick<DiarizeCommand, 'preset' | 'speed' | 'clustering' | 'trustGpu' | 'options'>, batch?: number): void {
  checkedAs(FLAGS, () => {
    const run = checkRunOptions(options);
    // `auto` never selects a streamed preset.
    if (preset === 'auto' || isWindowed(preset)) {
      checkWindowedRun(preset, run);
    } else {
      checkStreamDiarizer(preset, { ...diarizer, batchWindows: batch });
    }
  });
}

/** Parses and checks the arguments of `diarize`. @throws Error with a one-line message for invalid arguments */
export function parseDiarize(args: readonly string[]): DiarizeCommand | 'help' {
  const command = parseCommand(args);
  if (command !== 'help') checkPreset(command);
  return command;
}
