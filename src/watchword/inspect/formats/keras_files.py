"""HDF5 as Keras, PyTables and others ship it: the walk of ``hdf5``, and what the attributes would make a loader do.

* ``model_config`` and ``training_config`` are judged as Keras would deserialise them.
* PyTables (and pandas through it) unpickles attributes when they are read: what is a pickle is judged as one.
"""

from __future__ import annotations

from watchword.inspect.exhibit import MAGIC, WEAK, Exhibit, Format
from watchword.inspect.formats.hdf5 import MARK, Hdf5Broken, Hdf5Facts, find_superblock, read_hdf5, summary
from watchword.inspect.formats.keras_config import judge_config, judge_text
from watchword.inspect.formats.locations import leads_out
from watchword.inspect.source import Held, Part, Source

_CONFIGS = ("model_config", "training_config", "layer_config")
_FILTERS_BUILT_IN = frozenset({1, 2, 3, 4, 5, 6, 32000})
"""Ids of filters that the library, or h5py, brings along; any other is a plug-in (the registry of the HDF Group)."""


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    try:
        facts = read_hdf5(exhibit.source)
    except Hdf5Broken as error:
        exhibit.keep(error.oddity)
        exhibit.unread(0, exhibit.source.size)
        _carve(exhibit)
        return what, "up to where it is malformed"
    exhibit.keep(*facts.oddities[:50])
    exhibit.check(facts)
    exhibit.merge(summary(facts))
    _outside(exhibit, facts)
    beside = sorted({name for _, _, name in facts.elsewhere if name and not leads_out(name)})
    if beside and (_is_keras(facts) or exhibit.name.endswith(".weights.h5")):
        exhibit.odd("hdf5-beside", facts.elsewhere[0][0], f"takes data from {', '.join(beside[:10])}"[:400], beside[0])
    elif beside:
        exhibit.note(f"takes data from files beside it: {', '.join(beside[:10])}"[:400])
    plugins = sorted(facts.filters - _FILTERS_BUILT_IN)
    if plugins:
        exhibit.note(f"needs filter plug-ins of HDF5: {', '.join(map(str, plugins))}")
    looked = "every group, attribute and data set header; data passed over"
    for attribute in facts.attributes:
        if attribute.name in _CONFIGS and attribute.value.lstrip()[:1] in (b"{", b"["):
            judge_text(exhibit, attribute.value, attribute.offset)
        elif attribute.name == "keras_version":
            exhibit.merge({"frameworks": [f"keras {attribute.value.decode('utf-8', 'replace')[:40]}"]})
        else:
            _pickled(exhibit, attribute.path, attribute.name, attribute.value)
    if facts.text("/", "model_config") is not None:
        return "keras h5", looked
    return what, looked


def _is_keras(facts: Hdf5Facts) -> bool:
    """True for a model or weights as Keras lays them out."""
    told = {attribute.name for attribute in facts.attributes}
    return bool(told & {"model_config", "keras_version", "layer_names", "weight_names"}) or "vars" in facts.names


def _pickled(exhibit: Exhibit, path: str, name: str, value: bytes) -> None:
    """Judge an attribute that is a pickle: PyTables would load it."""
    if len(value) < 4 or not value.endswith(b"."):
        return
    from watchword.inspect.pickles.judge import judge_pickle

    report = judge_pickle(Held(value))
    if report.proven and (value[:1] == b"\x80" or report.facts["imports"]):
        exhibit.inner(f"{path.rstrip('/')}@{name}", Held(value))


def _outside(exhibit: Exhibit, facts: Hdf5Facts) -> None:
    source = exhibit.source
    for start, end in facts.outside:
        head = source.read_at(start, 64)
        if start == 0 and head.startswith(b"MATLAB 7.3 MAT-file"):
            exhibit.note("a MATLAB file: its user block is what MATLAB writes")
            continue
        if end - start > 0 and source.read_at(start, min(end - start, 1 << 20)).strip(b"\0"):
            exhibit.odd("hdf5-outside", start, f"{end - start:,} bytes belong to no part of the file", head.hex(" "))
            exhibit.inner(f"bytes@{start:#x}", Part(source, start, end - start))


def _carve(exhibit: Exhibit) -> None:
    """In a damaged file: a configuration that stands there as text may be what a lenient reader finds."""
    import json

    data = exhibit.source.read_at(0, 1 << 22)
    at = data.find(b'{"class_name"')
    if at < 0:
        return
    try:
        value, _ = json.JSONDecoder().raw_decode(data[at:].decode("utf-8", "ignore"))
    except (ValueError, RecursionError):
        return
    judge_config(exhibit, value, at)


def _claims(source: Source, head: bytes, name: str) -> bool:
    return head.startswith(MARK)


def _hides(source: Source, head: bytes) -> bool:
    return source.size > 600 and not head.startswith(MARK) and find_superblock(source) > 0


_SUFFIXES = "h5 hdf5 keras"
FORMATS = (
    Format("hdf5", MAGIC, _claims, _read, _SUFFIXES, hides=_hides),
    Format("hdf5", WEAK, lambda source, head, name: _hides(source, head), _read, _SUFFIXES),
)
