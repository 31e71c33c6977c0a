import { Diarizer } from './Diarizer';

export default function Page() {
  return (
    <main>
      <h1>Who spoke when</h1>
      <Diarizer />
    </main>
  );
}
