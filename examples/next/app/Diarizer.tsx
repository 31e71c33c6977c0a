'use client';
import { useState } from 'react';
import { VoxlaneDiarizer, type DiarizationResult } from 'voxlane/react';

export function Diarizer() {
  const [result, setResult] = useState<DiarizationResult | null>(null);
  return (
    <>
      <VoxlaneDiarizer src="/sample.wav" onResult={({ detail }) => setResult(detail)} />
      <pre id="turns">
        {result?.turns
          .map(({ startSeconds, endSeconds, speaker }) => `${startSeconds.toFixed(2)} to ${endSeconds.toFixed(2)} s: ${speaker}`)
          .join('\n')}
      </pre>
    </>
  );
}
