/** Finds tests that could fail because something took long or took much memory. */

/** What measures time or memory. Text, because some of it runs in a page or in a worker whose script is a string. */
const MEASURES = [
  /\bperformance\s*\.\s*(now|mark|measure|memory|timeOrigin|getEntries\w*)\b/,
  /\bDate\s*\.\s*now\b/,
  /\bnew Date\(\)/,
  /\btimeStamp\b/,
  /\bprocess\s*\.\s*(hrtime|cpuUsage|memoryUsage|resourceUsage|uptime)\b/,
  /\b(usedJSHeapSize|getHeapUsage|getHeapStatistics|measureUserAgentSpecificMemory)\b/,
  /\b(PerformanceObserver|startTracing|Performance\.getMetrics|Profiler\.start)\b/,
  /\bconsole\s*\.\s*time/,
  // What the benchmarks call their figures, and results of a run their times.
  /\b(wallSeconds|leastRtf|rtf|peakMegabytes|longestTaskMs)\b/,
  /\btimings\s*\.\s*\w+/,
];

/** A line of a test that measures. */
export interface Clock {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export function findClocks(file: string, text: string): Clock[] {
  return text.split('\n').flatMap((line, index) =>
    MEASURES.some((pattern) => pattern.test(line)) ? [{ file, line: index + 1, text: line.trim() }] : [],
  );
}

/** Tests and what only they use. Those of the benchmarks are free: measuring is what they are about. */
export function isOfTests(path: string): boolean {
  if (path.startsWith('bench/')) return false;
  return /^(test|e2e)\//.test(path) || /\.(test|spec)\.tsx?$/.test(path);
}
