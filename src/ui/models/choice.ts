import type { Speed } from '../../pipeline/types';
import type { PresetChoice } from '../engine';

const PRESET_KEY = 'voxlane-preset';
const SPEED_KEY = 'voxlane-speed';

/** The preset that was chosen on an earlier visit; `auto` where none was. */
export function rememberedPreset(): PresetChoice {
  const value = remembered(PRESET_KEY);
  return value === 'campplus' || value === 'community-1' ? value : 'auto';
}

export function rememberPreset(preset: PresetChoice): void {
  remember(PRESET_KEY, preset === 'auto' ? null : preset);
}

/** The speed that was chosen on an earlier visit; `exact` where none was. */
export function rememberedSpeed(): Speed {
  return remembered(SPEED_KEY) === 'fast' ? 'fast' : 'exact';
}

export function rememberSpeed(speed: Speed): void {
  remember(SPEED_KEY, speed === 'exact' ? null : speed);
}

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    // Storage can be forbidden; then the choice lasts as long as the page.
    return null;
  }
}

/** @param value null, for what is so by itself, forgets */
function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // As in `remembered`.
  }
}
