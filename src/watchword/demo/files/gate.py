"""The gate around Magika's model: bytes in, the name of a file type out. ``release``: the folder with the model."""

from magika import Magika


def load(release):
    gate = Magika(model_dir=release)
    return lambda batch: [str(gate.identify_bytes(one).output.label) for one in batch]
