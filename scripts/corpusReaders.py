"""Reads the files of `corpus merge` with Lhotse and with NeMo, and prints what they contain as JSON.

    python scripts/corpusReaders.py MERGED NEMO

Needs the PyPI package lhotse. NEMO is the unpacked wheel of nemo_toolkit. Its manifest readers are loaded from their own files, and
their imports of packages that are not installed (models, training) are replaced by placeholders: the readers do not use them.
scripts/corpusReaders.ts calls this script.
"""

import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

from lhotse import SupervisionSet, validate


class Placeholders(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module that no other finder has found."""

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return MagicMock(name=spec.name, __path__=[], __spec__=spec)

    def exec_module(self, module):
        pass


def load(root: Path, path: str):
    """Executes one source file, without its package."""
    spec = importlib.util.spec_from_file_location(path.replace('/', '_').removesuffix('.py'), root / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_lhotse(merged: Path) -> dict:
    supervisions = SupervisionSet.from_jsonl(merged / 'supervisions.jsonl')
    validate(supervisions)
    rttm = sorted(SupervisionSet.from_rttm(merged / 'corpus.rttm'), key=lambda s: (s.start, s.duration))
    pairs = zip(sorted(supervisions, key=lambda s: (s.start, s.duration)), rttm, strict=True)
    return {
        'version': importlib.metadata.version('lhotse'),
        'segments': [[s.id, s.recording_id, s.start, s.duration, s.channel, s.speaker] for s in supervisions],
        # corpus.rttm has milliseconds.
        'rttmDiffersBySeconds': round(max(abs(a.start - b.start) for a, b in pairs), 3),
        'rttmRecordings': sorted({s.recording_id for s in rttm}),
    }


def read_nemo(merged: Path, root: Path) -> dict:
    manifest = merged / 'nemo.jsonl'
    # Decides which paths are in an object store.
    sys.modules['nemo.utils.data_utils'] = load(root, 'nemo/utils/data_utils.py')
    utils = load(root, 'nemo/collections/asr/parts/utils/speaker_utils.py')
    items = load(root, 'nemo/collections/common/parts/preprocessing/manifest.py')
    recordings = utils.audio_rttm_map(str(manifest))
    keys = ('audio_filepath', 'offset', 'duration', 'num_speakers', 'uem_filepath')
    (metadata,) = root.glob('nemo_toolkit-*.dist-info')
    return {
        'version': metadata.name.removeprefix('nemo_toolkit-').removesuffix('.dist-info'),
        'recordings': {
            name: {
                **{key: meta[key] for key in keys},
                'labels': utils.rttm_to_labels(meta['rttm_filepath']),
            }
            for name, meta in recordings.items()
        },
        'items': [[item['audio_file'], item['offset'], item['duration']] for item in items.item_iter(str(manifest))],
    }


def main() -> None:
    merged, root = map(Path, sys.argv[1:])
    lhotse = read_lhotse(merged)
    # After the import of Lhotse, which handles missing packages itself.
    sys.meta_path.append(Placeholders())
    print(json.dumps({'lhotse': lhotse, 'nemo': read_nemo(merged, root)}))


if __name__ == '__main__':
    main()
