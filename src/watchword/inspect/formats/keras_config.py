"""What a Keras configuration would make its loader do: import, call, read files, run code that it carries.

A configuration is JSON: ``model_config`` in HDF5, ``keras_metadata.pb`` beside a SavedModel, ``config.json`` in a
``.keras`` archive or a file of its own (``documents`` recognises those). Read as Keras 2 and 3 do, in every place where
they would deserialise (``keras.saving.deserialize_keras_object``): any object with ``class_name`` and ``config``.

* Code that is carried (``Lambda`` layers, ``__lambda__``) is never unmarshalled; its names are told (``marshalled``).
* A name is imported from the module that stands beside it. Names in the table of what must never be reached, and any
  function of the standard library, are dangerous; functions of Keras itself stand on a list of harmless families.
* A class of a module that is not known is how custom layers look: a note. A function of one, called by a layer, is not.
* Layers that read a file, a URL or another model named in the configuration are told with what they would read.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from watchword.inspect.exhibit import Exhibit, Malformed
from watchword.inspect.formats.json_text import descend, parse_json
from watchword.inspect.formats.locations import leads_out
from watchword.inspect.formats.marshalled import REACHING, names_in
from watchword.inspect.formats.metadata_text import commands_in
from watchword.inspect.source import Held
from watchword.limits import CONFIG_VALUES_MAX

_HOME = ("keras", "tensorflow", "tf_keras", "keras_hub", "keras_nlp", "keras_cv", "tensorflow_addons")
_HARMLESS_TEXT = """
    activations backend.activation constraints initializers losses metrics ops regularizers applications
    distillation layers optimizers random mixed_precision dtype_policies quantizers
"""
_HARMLESS = frozenset(_HARMLESS_TEXT.split())
"""Families of Keras whose functions compute and nothing else."""

_REACHING_TEXT = """
    get_file load_model load_weights load_img save_img load_data enable_unsafe_deserialization func_load func_dump
    get_custom_objects register_keras_serializable import_module deserialize_keras_object model_from_json plot_model
    model_to_dot image_dataset_from_directory text_dataset_from_directory audio_dataset_from_directory
    extract_archive rmtree listdir makedirs File eval exec py_function numpy_function load_library load_op_library
    read_file write_file save_model
"""
_REACHING = frozenset(_REACHING_TEXT.split())
"""Functions of Keras and TensorFlow, under any of their paths, that reach files, the network, code or the safe mode."""

_LOOKUPS = frozenset({"StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup", "WordPieceTokenizer"})
_DENIED_CLASSES = {"TFSMLayer": "filepath", "SavedModelLayer": "filepath", "KerasLayer": "handle", "JaxExporter": ""}
_FUNCTIONS = ("function", "builtin_function_or_method")


def judge_config(exhibit: Exhibit, value: object, offset: int | None = None) -> None:
    """Report what deserialising *value*, parsed JSON that stands at *offset*, would do."""
    customs: set[str] = set()
    classes: set[str] = set()
    for node, caller in _objects(exhibit, value):
        name = node["class_name"]
        classes.add(name[:100])
        if isinstance(node["config"], dict) and not _is_lambda(name, node):
            given = {key: text for key, text in node["config"].items() if isinstance(text, str) and len(text) > 5}
            exhibit.keep(*commands_in(given, offset))
        if name == "__lambda__" or _is_lambda(name, node):
            _lambda(exhibit, node, offset)
        elif name in _FUNCTIONS:
            _function(exhibit, node, caller, offset, customs)
        else:
            _class(exhibit, node, offset, customs)
            _reads(exhibit, name, node["config"], offset)
    if customs:
        listed = ", ".join(sorted(customs)[:10])
        exhibit.note(f"needs code that is not in the file: {listed}")
        exhibit.merge({"custom_objects": sorted(customs)[:200]})
    exhibit.merge({"layers": sorted(classes)[:200]})
    if isinstance(value, dict):
        versions = [text for key in ("keras_version",) if isinstance(text := value.get(key), str)]
        exhibit.merge({"frameworks": [f"keras {version[:40]}" for version in versions]} if versions else {})


def judge_text(exhibit: Exhibit, data: bytes, offset: int | None = None) -> bool:
    """Judge a configuration as JSON text; False, with a finding, when it is none."""
    try:
        value = parse_json(data.rstrip(b"\0"))
    except Malformed as error:
        rule = "unpack-limit" if error.limit else "keras-broken"
        exhibit.odd(rule, offset, f"a configuration that is {error}"[:200])
        return False
    judge_config(exhibit, value, offset)
    return True


def _objects(exhibit: Exhibit, value: object) -> Iterator[tuple[dict[str, Any], str]]:
    """Every object with a class name, wherever it stands, with the class of the nearest one around it."""
    budget = CONFIG_VALUES_MAX
    for node, caller in descend((value, ""), _inside):
        budget -= 1
        if budget < 0:
            exhibit.odd("unpack-limit", None, f"a configuration of more than {CONFIG_VALUES_MAX:,} values")
            return
        if isinstance(node, dict):
            name = node.get("class_name")
            if _names_function(node):
                yield {"config": node["function"], **node}, caller
            elif isinstance(name, str) and "config" in node:
                yield node, caller
            elif isinstance(node.get("spec_name"), str) and "module" in node:
                yield {"class_name": node["spec_name"], "config": {}, **node}, caller


def _inside(item: tuple[Any, str]) -> Iterator[tuple[Any, str]] | None:
    node, caller = item
    if isinstance(node, dict):
        if isinstance(node.get("class_name"), str) and "config" in node and not _names_function(node):
            # What stands in the configuration of a function or a class is what that one is given.
            caller = node["class_name"]
        node = node.values()
    elif not isinstance(node, list):
        return None
    return ((inner, caller) for inner in node if isinstance(inner, dict | list))


def _names_function(node: dict[str, Any]) -> bool:
    """True for a function that is told by its name beside ``config``, not in it."""
    return node.get("class_name") in _FUNCTIONS and isinstance(node.get("function"), str)


def _is_lambda(name: str, node: dict[str, Any]) -> bool:
    """True for the Lambda layer of Keras itself; old configurations name no module, or name it with the class."""
    before, _, last = name.rpartition(".")
    module = before or node.get("module")
    return last == "Lambda" and (not isinstance(module, str) or _top(module) in _HOME)


def _top(module: str) -> str:
    return module.partition(".")[0]


def _lambda(exhibit: Exhibit, node: dict[str, Any], offset: int | None) -> None:
    """A ``Lambda`` layer or a serialised lambda: code that is carried, or a function of some module."""
    config = node["config"]
    if node["class_name"] == "__lambda__":
        _code(exhibit, config.get("value", config) if isinstance(config, dict) else config, offset)
        return
    if not isinstance(config, dict):
        exhibit.odd("keras-lambda", offset, "a Lambda layer without a readable configuration")
        return
    told = False
    for part in ("function", "output_shape", "mask"):
        value = config.get(part)
        sort = config.get(f"{part}_type")
        if isinstance(value, dict) and "class_name" not in value and "code" in value:
            _code(exhibit, value, offset)
        elif isinstance(value, list) and value and isinstance(value[0], str) and part == "function":
            _code(exhibit, value[0], offset)
        elif sort in ("lambda", "raw") and isinstance(value, list | str):
            _code(exhibit, value[0] if isinstance(value, list) and value else value, offset)
        elif isinstance(value, str) and (sort == "function" or part == "function"):
            module = config.get("module" if part == "function" else f"{part}_module")
            _called(exhibit, module if isinstance(module, str) else "", value, offset)
        else:
            # An object with a class name is met on the way; anything else is data.
            told |= isinstance(value, dict) and "class_name" in value
            continue
        told = True
    if not told:
        exhibit.odd("keras-lambda", offset, "a Lambda layer whose function is not in the configuration")


def _code(exhibit: Exhibit, value: object, offset: int | None) -> None:
    """Marshalled bytecode, in base64 (or, in old files, as text of one byte a character)."""
    if isinstance(value, dict):
        value = value.get("code")
    if not isinstance(value, str):
        exhibit.odd("keras-lambda", offset, "carries Python code in a form that is not read")
        return
    try:
        raw = base64.b64decode(value, validate=False)
    except (binascii.Error, ValueError):
        raw = value.encode("latin-1", "replace")
    code = names_in(raw) or names_in(value.encode("latin-1", "replace"))
    if code is None:
        exhibit.odd("keras-lambda", offset, "carries Python code that cannot be followed", value[:200])
        return
    listed = " ".join(sorted(code.names))[:300]
    if code.reaches:
        words = f"carries Python code that reaches for {', '.join(sorted(code.reaches)[:6])}"
        exhibit.odd("keras-lambda-call", offset, words, f"names: {listed}" + code.told())
    else:
        exhibit.odd("keras-lambda", offset, "carries Python code in a Lambda layer", f"names: {listed}" + code.told())


def _source(exhibit: Exhibit, text: str, offset: int | None) -> None:
    """Code as text where a name should stand."""
    reached = sorted(set(re.findall(r"[A-Za-z_]\w*", text[:65_536])) & REACHING)
    rule = "keras-lambda-call" if reached else "keras-lambda"
    exhibit.odd(rule, offset, "carries Python code as text", text[:200])


def _function(exhibit: Exhibit, node: dict[str, Any], caller: str, offset: int | None, customs: set[str]) -> None:
    """A function by name: ``config`` is its name (Keras 3), ``module`` where it is imported from."""
    config, module = node["config"], node.get("module")
    name = config if isinstance(config, str) else config.get("name") if isinstance(config, dict) else None
    if not isinstance(name, str):
        return
    where = module if isinstance(module, str) else ""
    if _harm(where, name):
        _called(exhibit, where, name, offset)
    elif where == "builtins" or not where or _top(where) in _HOME:
        if _top(where) not in _HOME:
            customs.add(name[:200])
        elif not _computes(where, name):
            _called(exhibit, where, name, offset)
    elif caller in ("Lambda", ""):
        _called(exhibit, where, name, offset)
    else:
        customs.add(f"{where}.{name}"[:200])


def _called(exhibit: Exhibit, module: str, name: str, offset: int | None) -> None:
    """A function that loading, or the first use of the model, calls by its name."""
    if not name.isidentifier() and name:
        _source(exhibit, name, offset)
        return
    path = f"{module}.{name}" if module else name
    harm = _harm(module, name)
    if harm:
        exhibit.odd("keras-import", offset, f"makes the loader import and call {path[:200]}", harm)
    elif _top(module) not in _HOME or not _computes(module, name):
        exhibit.odd("keras-custom-function", offset, f"a layer calls {path[:200]}, which is not in the file")


def _class(exhibit: Exhibit, node: dict[str, Any], offset: int | None, customs: set[str]) -> None:
    name, module = node["class_name"], node.get("module")
    if isinstance(module, str) and _top(module) not in _HOME:
        registered = node.get("registered_name")
        harm = _harm(module, name)
        if harm:
            exhibit.odd("keras-import", offset, f"makes the loader import and build {module}.{name}"[:300], harm)
        elif module != "builtins" or registered:
            customs.add(f"{module}.{name}"[:200] if module != "builtins" else f"{registered}"[:200])
    elif isinstance(module, str) and (harm := _harm(module, name)):
        exhibit.odd("keras-import", offset, f"makes the loader build {module}.{name}"[:300], harm)
    elif not isinstance(module, str) and (">" in name or isinstance(node.get("registered_name"), str)):
        customs.add(f"{node.get('registered_name') or name}"[:200])


def _harm(module: str, name: str) -> str:
    """In words what reaching this name would do; empty for what is harmless or not known."""
    from watchword.inspect.pickles.standing import standing
    from watchword.inspect.pickles.values import Global

    if _top(module) in _HOME:
        last = name.rpartition(".")[2]
        return "reaches files, the network, code or the safe mode" if last in _REACHING else ""
    if not module:
        return ""
    found = standing(Global(module, name))
    if found.kind in ("denied", "walk", "executing"):
        return found.what
    if found.kind in ("function", "reference") and found.stdlib and module != "builtins":
        return "a function of the standard library, which no model needs"
    return ""


def _computes(module: str, name: str) -> bool:
    """True for a function of Keras that stands in a family which only computes."""
    parts = set(module.split("."))
    return bool(parts & _HARMLESS) or module in ("keras", "") or name in ("relu", "softmax", "linear")


def _reads(exhibit: Exhibit, name: str, config: object, offset: int | None) -> None:
    """What a layer would read from elsewhere when it is built."""
    if not isinstance(config, dict):
        return
    if name in _LOOKUPS:
        for key in ("vocabulary", "idf_weights"):
            value = config.get(key)
            # An honest file holds the words themselves or nothing; a text is a path that is opened when loading.
            if isinstance(value, str) and value:
                rule = "keras-file" if leads_out(value) else "keras-asset"
                exhibit.odd(rule, offset, f"{name} reads its vocabulary from {value[:200]!r}", value[:200])
    elif name in ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
        # Keras 2: a function of TensorFlow by its name, called when the layer is.
        function = config.get("function")
        if isinstance(function, str) and function.rpartition(".")[2] in _REACHING:
            exhibit.odd("keras-import", offset, f"a layer calls tensorflow.{function[:200]}", function[:200])
    elif name in _DENIED_CLASSES:
        value = config.get(_DENIED_CLASSES[name], "")
        exhibit.odd("keras-file", offset, f"{name} loads and runs another model: {value!r:.200}", f"{value!r:.200}")
    elif name == "TorchModuleWrapper":
        module = config.get("module")
        packed = module.get("value") if isinstance(module, dict) else module
        if isinstance(packed, str) and packed:
            try:
                raw = base64.b64decode(packed, validate=False)
            except (binascii.Error, ValueError):
                exhibit.odd("keras-broken", offset, "a TorchModuleWrapper whose module is not base64")
                return
            exhibit.inner("TorchModuleWrapper", Held(raw))
