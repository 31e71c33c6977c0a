/** Numbers as text. One place, so that a time reads the same in lanes, table and readouts. */

/** `1:02:03`, `2:03`; with `decimals` also `2:03.45`. Hours only where there are some. */
export function clock(seconds: number, decimals = 0): string {
  const unit = 10 ** decimals;
  // Rounded once, as a whole, so that 59.99 does not become 0:60.
  const ticks = Math.round(Math.max(0, seconds) * unit);
  const whole = Math.floor(ticks / unit);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  const head = hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}` : String(minutes);
  const tail = decimals > 0 ? `.${String(ticks % unit).padStart(decimals, '0')}` : '';
  return `${head}:${rest}${tail}`;
}

/** A length of time in words short enough for a label: `8.4 s`, `3 min 20 s`, `1 h 5 min`. */
export function span(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) {
    const rest = whole % 60;
    return `${Math.floor(whole / 60)} min${rest ? ` ${rest} s` : ''}`;
  }
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

export function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-GB');
}

/** About two significant digits, never in exponent form. */
export function ratio(value: number): string {
  if (value >= 10) return count(value);
  if (value >= 1) return value.toFixed(1);
  if (value >= 0.1) return value.toFixed(2);
  return value >= 0.001 ? value.toFixed(3) : '< 0.001';
}

/** The name without its folder and extension. */
export function stem(fileName: string): string {
  const base = fileName.split(/[\\/]/).pop() ?? fileName;
  const dot = base.lastIndexOf('.');
  return dot > 0 ? base.slice(0, dot) : base;
}

/** RTTM separates its fields by white space, so a name with spaces would shift every field after it. */
export function rttmUri(fileName: string): string {
  return stem(fileName).trim().replace(/\s+/g, '_') || 'recording';
}
