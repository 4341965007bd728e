"""The gate around Magika's model: bytes in, the name of a file type out. ``release``: the folder with the model."""

from collections.abc import Callable
from pathlib import Path


def load(release: Path) -> Callable[[list[bytes]], list[str]]:
    from magika import Magika

    gate = Magika(model_dir=release)
    return lambda batch: [str(gate.identify_bytes(one).output.label) for one in batch]
