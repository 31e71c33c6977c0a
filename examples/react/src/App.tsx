import { useState } from 'react';
import type { DiarizationResult } from 'voxlane/widget';
import 'voxlane/widget';

export function App() {
  const [result, setResult] = useState<DiarizationResult | null>(null);
  return (
    <>
      <voxlane-diarizer src="/sample.wav" onresult={({ detail }) => setResult(detail)} />
      <pre id="turns">
        {result?.turns
          .map(({ startSeconds, endSeconds, speaker }) => `${startSeconds.toFixed(2)} to ${endSeconds.toFixed(2)} s: ${speaker}`)
          .join('\n')}
      </pre>
    </>
  );
}
