"""What the configuration files of a release make their loaders do. Values in, findings and facts out.

* Code: ``auto_map`` and ``custom_pipelines`` name classes in files of the release (``release.py`` looks whether they
  are there; as Python files they are judged on their own), or in another repository, which nobody looked at.
* Callables: ``_target_`` and ``class_path`` (Hydra, Lightning), ``loader_module`` (MLflow), tags of YAML and keys of
  jsonpickle are judged by the tables for pickles (``pickles.standing``), since their loaders import and call alike.
* Templates are judged wherever they stand; commands and package sources by their words.
* The rest feeds the bill of materials: frameworks and versions, base models, licences, data sets, hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from watchword.inspect.exhibit import Exhibit
from watchword.inspect.formats.json_text import descend
from watchword.inspect.formats.templates import is_template, judge_template, leads_out
from watchword.limits import DOCUMENT_VALUES_MAX, TEMPLATES_MAX


class Pairs(list[tuple[str, Any]]):
    """A mapping as it is written: a key that stands twice keeps both values, since readers differ on which counts."""

    __slots__ = ()

    def of(self, key: str) -> Any:
        """The last value of *key*; None where there is none."""
        return next((value for name, value in reversed(self) if name == key), None)


_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")
_SHORTENED = re.compile(r"(?i)https?://(?:bit\.ly|tinyurl\.com|goo\.gl|is\.gd|cutt\.ly|t\.co|rb\.gy|shorturl\.at)/")
"""Addresses that hide where they lead."""

_COMMAND_KEY = re.compile(r"(?i)command|cmd|script|entry_?point|hook|exec|shell|init|setup|args?$")
_TEMPLATE_KEY = re.compile(r"(?i)template|prompt")
_DIFFUSERS = ("diffusers", "transformers", "onnx", "stable_diffusion", "optimum", "k_diffusion", "peft", "accelerate")
_VERSIONS = {
    "transformers_version": "transformers", "_diffusers_version": "diffusers", "keras_version": "keras",
    "mlflow_version": "mlflow", "bentoml_version": "bentoml", "spacy_version": "spacy",
    "sklearn_version": "scikit-learn",
    "pytorch_version": "torch", "lightning_version": "lightning", "peft_version": "peft", "torch_version": "torch",
    "tensorflow_version": "tensorflow", "xgboost_version": "xgboost", "lgb_version": "lightgbm",
    "cb_version": "catboost",
    "cloudpickle_version": "cloudpickle", "numpy_version": "numpy",
}  # fmt: skip
_BASES = ("_name_or_path", "base_model_name_or_path", "base_model", "base_model_name", "teacher_model")
_MILD = ("reads, writes or deletes files", "opens network connections")
_HONEST_TARGET = re.compile(
    r"(?:pandas\.(?:read_\w+|io\b.*)|datasets\.\w+|sklearn\.datasets\..*|logging\..*|numpy\.\w*load\w*|torchvision\..*|PIL\..*|imageio\..*|"
    r"fsspec\..*|huggingface_hub\..*|transformers\..*|pathlib\..*|torch\.multiprocessing\..*|wandb\..*|os\.path\.\w+|"
    r"os\.getcwd|os\.cpu_count|shutil\.which|tempfile\..*|hydra\.utils\.(?:get_class|get_method|get_object|to_absolute_path|get_original_cwd)|sys\.(?:stdout|stderr|maxsize)|"
    r"torch\.hub\..*|operator\..*|functools\..*|requests\.\w*Session|boto3\..*|torch\.load|inspect\.\w+|unittest\.mock\..*)"
)


def judge_configuration(exhibit: Exhibit, tree: Any) -> None:
    """Judge one document (a tree of :class:`Pairs`, lists and plain values)."""
    templates = _Templates()
    for owner, key, value in _values(exhibit, tree):
        if isinstance(value, str):
            templates.take(exhibit, key, value)
            _text(exhibit, key, value)
        if key in _BY_KEY:
            _BY_KEY[key](exhibit, owner, value)
        if key.startswith("py/"):
            _jsonpickle(exhibit, key, value)
    _shapes(exhibit, tree)


def _values(exhibit: Exhibit, tree: Any) -> Iterator[tuple[Pairs, str, Any]]:
    """Every value with its key and the mapping that it stands in; items of lists under the key of their list."""
    left = DOCUMENT_VALUES_MAX
    for owner, key, value in descend((Pairs(), "", tree), _inside):
        left -= 1
        if left < 0:
            exhibit.odd("document-limit", None, f"more than {DOCUMENT_VALUES_MAX:,} values: the rest was not looked at")
            return
        if key or not isinstance(value, Pairs | list):
            yield owner, key, value


def _inside(item: tuple[Pairs, str, Any]) -> Iterator[tuple[Pairs, str, Any]] | None:
    owner, key, value = item
    if isinstance(value, Pairs):
        return ((value, name, inner) for name, inner in value)
    if isinstance(value, list):
        return ((owner, key if isinstance(inner, str) else "", inner) for inner in value)
    return None


class _Templates:
    """Judges the templates of one document, each text once. Rows of data have prompts by the thousand."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.plain_left = TEMPLATES_MAX
        self.left = 20 * TEMPLATES_MAX

    def take(self, exhibit: Exhibit, key: str, value: str) -> None:
        if not is_template(value) or value in self.seen:
            return
        out = leads_out(value)
        if not out:
            self.plain_left -= 1
            if self.plain_left < 0 or not _TEMPLATE_KEY.search(key):
                return
        self.left -= 1
        if self.left == -1:
            exhibit.odd("document-limit", None, f"more than {20 * TEMPLATES_MAX:,} templates: the rest was not judged")
        if self.left >= 0:
            self.seen.add(value)
            judge_template(exhibit, value, key[:60])


def _text(exhibit: Exhibit, key: str, value: str) -> None:
    if len(value) < 4096 and _COMMAND_KEY.search(key):
        from watchword.inspect.formats.python_acts import command_of_attack

        if command_of_attack(value):
            exhibit.odd("config-command", None, f"{key[:60]} holds a command that attacks are made of", value)
    if "://" in value[:10]:
        _address(exhibit, value)


def _address(exhibit: Exhibit, value: str) -> None:
    from watchword.inspect.formats.python_acts import telling_host

    found = re.match(r"[a-z0-9+]+://([\w.-]+)", value[:300], re.I)
    if found is not None:
        exhibit.merge({"hosts": [found[1].lower()]})
    if telling_host(value[:300]) or _SHORTENED.match(value):
        exhibit.odd("telling-address", None, "names an address of the kind that nobody answers for", value)


# -- code in files ----------------------------------------------------------------------------------------------------


def _auto_map(exhibit: Exhibit, owner: Pairs, value: Any) -> None:
    given = [value] if isinstance(value, str) else [inner for _, inner in value] if isinstance(value, Pairs) else value
    waiting = list(given) if isinstance(given, list) else []
    for _ in range(100):
        if not waiting:
            break
        named = waiting.pop()
        if isinstance(named, Pairs):
            waiting += [inner for key, inner in named if key in ("impl", "class")]
        elif isinstance(named, list):
            waiting += named[:10]
        elif isinstance(named, str):
            _code(exhibit, named)


def _code(exhibit: Exhibit, named: str, folder: str = "") -> None:
    """A class in a file: ``module.Class``, or ``owner/name--module.Class`` for one of another repository."""
    repository, dashes, rest = named.rpartition("--")
    if dashes:
        words = f"makes the loader fetch and run code of {repository[:80]}, which is not in the release"
        exhibit.odd("config-remote-code", None, words, named)
        return
    module = rest.rpartition(".")[0] or rest
    if _NAME.fullmatch(module):
        _judge_name(exhibit, rest, "names as its code", "config-target")
        exhibit.merge({"names_code": [folder + module.replace(".", "/") + ".py"]})
    else:
        exhibit.odd("config-remote-code", None, "names code by something else than a module of the release", named)


def _trusts(exhibit: Exhibit, owner: Pairs, value: Any) -> None:
    if value is True or (isinstance(value, str) and value.lower() == "true"):
        exhibit.odd(
            "config-trusts-code",
            None,
            "asks the loader to trust the code of whatever it loads",
            "trust_remote_code: true",
        )


def _kernel(exhibit: Exhibit, owner: Pairs, value: Any) -> None:
    if isinstance(value, str) and "/" in value:
        words = "makes the loader fetch a compiled kernel, which is not in the release"
        exhibit.odd("config-remote-code", None, words, value)


# -- callables --------------------------------------------------------------------------------------------------------


def _target(exhibit: Exhibit, owner: Pairs, value: Any) -> None:
    if isinstance(value, str):
        _judge_name(exhibit, value.replace(":", "."), "makes its loader call", "config-target", value)


def _loader(exhibit: Exhibit, owner: Pairs, value: Any) -> None:
    if not isinstance(value, str):
        return
    reported = _judge_name(exhibit, value + "._load_pyfunc", "makes its loader import", "config-target", value)
    if not reported and not value.startswith("mlflow."):
        exhibit.merge({"names_code": [value.replace(".", "/") + ".py"]})


def _jsonpickle(exhibit: Exhibit, key: str, value: Any) -> None:
    if key == "py/repr":
        exhibit.odd("config-object", None, "py/repr: jsonpickle before 0.7 evaluates this text", str(value))
    elif key in ("py/object", "py/function", "py/type", "py/class") and isinstance(value, str):
        judge_object(exhibit, value, key, calls=key == "py/function")
    elif key == "py/reduce" and isinstance(value, list):
        exhibit.note("py/reduce: jsonpickle calls what stands in it")


def judge_object(exhibit: Exhibit, name: str, how: str, *, calls: bool, offset: int | None = None) -> None:
    """A name that a loader of objects (YAML tags, jsonpickle) imports; *calls* it, or makes an object of it."""
    from watchword.inspect.pickles.standing import standing
    from watchword.inspect.pickles.values import Global

    if _judge_name(exhibit, name, f"{how} makes its loader reach", "config-object", name, offset, honest=False):
        return
    module, _, last = name.rpartition(".")
    kind = standing(Global(module or "builtins", last)).kind
    if calls and kind == "function":
        words = f"{how} makes its loader call {name[:100]}, a function that no known framework needs"
        exhibit.odd("config-object-unknown", offset, words, name)


def _judge_name(
    exhibit: Exhibit,
    name: str,
    words: str,
    rule: str,
    evidence: str = "",
    offset: int | None = None,
    *,
    honest: bool = True,
) -> bool:
    """Report *name*, a dotted path, if reaching it executes; True when it was reported."""
    from watchword.inspect.pickles.standing import standing
    from watchword.inspect.pickles.values import Global

    name = name.strip()
    if not _NAME.fullmatch(name) or (honest and _HONEST_TARGET.fullmatch(name)):
        return False
    module, _, last = name.rpartition(".")
    how = standing(Global(module or "builtins", last))
    if how.kind not in ("denied", "walk", "executing"):
        return False
    if how.kind == "executing" and honest and last in ("run", "dump", "save", "load", "open", "spawn"):
        return False
    mild = honest and any(what in how.what for what in _MILD)
    exhibit.odd(
        "config-object-unknown" if mild else rule, offset, f"{words} {name[:100]}, which {how.what}", evidence or name
    )
    return True


# -- facts ------------------------------------------------------------------------------------------------------------


def _weights(exhibit: Exhibit, owner: Pairs, value: Any) -> None:
    if not isinstance(value, Pairs):
        return
    shards: dict[str, int] = {}
    for _, shard in value:
        if isinstance(shard, str) and (shard in shards or len(shards) < 10_000):
            shards[shard] = shards.get(shard, 0) + 1
    exhibit.merge({"shards": shards})


def _shapes(exhibit: Exhibit, tree: Any) -> None:
    """What a document as a whole tells: the known files of model hubs."""
    if isinstance(tree, list) and not isinstance(tree, Pairs):
        for module in tree[:50]:  # modules.json of sentence-transformers
            if isinstance(module, Pairs) and isinstance(module.of("type"), str) and module.of("path") is not None:
                kind = module.of("type")
                if not kind.startswith("sentence_transformers."):
                    _code(exhibit, kind)
        return
    if not isinstance(tree, Pairs):
        return
    facts: dict[str, list[str]] = {}
    for key, value in tree:
        if key in _VERSIONS and isinstance(value, str) and re.fullmatch(r"[\w.+-]{1,40}", value):
            facts.setdefault("frameworks", []).append(f"{_VERSIONS[key]} {value}")
        elif key in _BASES:
            names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
            facts.setdefault("base_models", []).extend(
                name for name in names if isinstance(name, str) and _HUB_NAME.fullmatch(name)
            )
        elif key in ("license", "license_name"):
            facts.setdefault("licences", []).extend(_plain(value))
        elif key in ("datasets", "dataset", "train_datasets", "training_data"):
            facts.setdefault("datasets", []).extend(_plain(value))
        elif key in ("torch_dtype", "dtype"):
            facts.setdefault("dtypes", []).extend(_plain(value))
        elif key == "model-index":
            facts.setdefault("metrics", []).extend(_metrics(value))
        elif key == "architectures":
            facts.setdefault("architectures", []).extend(_plain(value))
    if tree.of("_diffusers_version") is not None:
        _pipeline(exhibit, tree)
    if any(facts.values()):
        exhibit.merge({key: values for key, values in facts.items() if values})


def _plain(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [text for text in values[:200] if isinstance(text, str) and 0 < len(text) <= 200 and text.isprintable()]


def _metrics(value: Any) -> list[str]:
    """What a model card claims to have been measured: type, value and data set, parted by tabs."""
    found = []
    for model in value[:10] if isinstance(value, list) else ():
        results = model.of("results") if isinstance(model, Pairs) else None
        for result in results[:100] if isinstance(results, list) else ():
            data = result.of("dataset") if isinstance(result, Pairs) else None
            where = _plain(data.of("name")) if isinstance(data, Pairs) else []
            metrics = result.of("metrics") if isinstance(result, Pairs) else None
            for metric in metrics[:100] if isinstance(metrics, list) else ():
                told = [*_plain(metric.of("type")), *_plain(metric.of("value"))] if isinstance(metric, Pairs) else []
                if len(told) == 2:
                    found.append("\t".join([*told, *(where or [""])]))
    return found


def _pipeline(exhibit: Exhibit, tree: Pairs) -> None:
    """``model_index.json``: each part of a pipeline is ``[library, class]``; a library may be a file of its folder."""
    for key, value in tree:
        if not isinstance(value, list) or len(value) != 2 or not all(isinstance(part, str) for part in value):
            continue
        library, name = value
        if library.partition(".")[0] not in _DIFFUSERS and _NAME.fullmatch(library):
            _code(exhibit, f"{library}.{name}", "" if key == "_class_name" else f"{key}/")


def _sources(exhibit: Exhibit, owner: Pairs, value: Any) -> None:
    from watchword.inspect.formats.texts import package_source

    for text in _plain(value):
        what = package_source(text if text.startswith("-") or "://" not in text else f"-i {text}")
        if what:
            exhibit.odd("package-source", None, what, text)


_BY_KEY = {
    "auto_map": _auto_map,
    "custom_pipelines": _auto_map,
    "trust_remote_code": _trusts,
    "attn_implementation": _kernel,
    "_attn_implementation": _kernel,
    "_target_": _target,
    "class_path": _target,
    "loader_module": _loader,
    "weight_map": _weights,
    "index_url": _sources,
    "extra_index_url": _sources,
    "trusted_host": _sources,
    "find_links": _sources,
    "pip_args": _sources,
    "pip": _sources,
}
