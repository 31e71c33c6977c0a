'use client';
import dynamic from 'next/dynamic';
import { useState } from 'react';
import type { DiarizationResult } from 'voxlane/react';

// Loaded in the browser only: the widget is of no use to the server.
const VoxlaneDiarizer = dynamic(() => import('voxlane/react').then((module) => module.VoxlaneDiarizer), { ssr: false });

export function Diarizer() {
  const [result, setResult] = useState<DiarizationResult | null>(null);
  return (
    <>
      <VoxlaneDiarizer onResult={({ detail }) => setResult(detail)} />
      <p>{result ? `${result.speakers.length} speakers` : 'No result yet'}</p>
    </>
  );
}
