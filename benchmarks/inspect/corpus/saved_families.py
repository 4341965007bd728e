"""Honest files, the second half: whole families of estimators, graphs, exports, packages and folders.

Asked by ``saved``; every framework is optional there, and here.
"""

from __future__ import annotations

import importlib
import io
import json
import pickle
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.inspect.corpus.cases import Case


def _m(name: str) -> Any:
    return importlib.import_module(name)


def _case(key: str, family: str, loader: str, file: str, data: bytes) -> Case:
    return Case(f"generated-{key}", "generated", family, loader, ((file, data),))


def _folder(key: str, family: str, loader: str, write: Callable[[Path], Any], first: str = "") -> Case:
    """All that *write* puts into a folder; the loader gets *first*."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root)
        files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    order = sorted(files, key=lambda file: (file != first, file))
    return Case(f"generated-{key}", "generated", family, loader, tuple((file, files[file]) for file in order))


def every_estimator() -> Iterator[Case]:
    """Each estimator of scikit-learn that can be fitted to plain numbers, with its defaults."""
    np, joblib = _m("numpy"), _m("joblib")
    rng = np.random.default_rng(11)
    x, y = np.abs(rng.normal(size=(40, 4))), np.arange(40) % 2
    for name, cls in _m("sklearn.utils").all_estimators():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = cls().fit(x, y)
                data = pickle.dumps(model)
                packed = io.BytesIO()
                joblib.dump(model, packed, compress=3)
        except Exception:  # noqa: BLE001  those that want other data or other estimators are left out
            continue
        yield _case(f"estimator-{name}", "scikit-learn, all", "pickle", "model.pkl", data)
        yield _case(f"estimator-joblib-{name}", "joblib, all", "joblib", "model.joblib", packed.getvalue())


def every_layer() -> Iterator[Case]:
    """Each layer of PyTorch that needs no arguments or small numbers: as a module, and its state."""
    torch = _m("torch")
    for name in sorted(dir(torch.nn)):
        cls = getattr(torch.nn, name)
        if not (isinstance(cls, type) and issubclass(cls, torch.nn.Module)):
            continue
        for sizes in ((), (4,), (4, 4), (4, 4, 2)):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    layer = cls(*sizes)
                    whole, state = io.BytesIO(), io.BytesIO()
                    torch.save(layer, whole)
                    torch.save(layer.state_dict(), state)
            except Exception:  # noqa: BLE001  the next sizes
                continue
            yield _case(f"layer-{name}", "torch, all layers", "torch", "model.pt", whole.getvalue())
            yield _case(f"layer-state-{name}", "torch, all layers", "torch", "model.pt", state.getvalue())
            break


def every_optimizer() -> Iterator[Case]:
    """Checkpoints with each optimiser and scheduler that takes plain parameters."""
    torch = _m("torch")
    for name in sorted(dir(torch.optim)):
        cls = getattr(torch.optim, name)
        if not isinstance(cls, type) or not issubclass(cls, torch.optim.Optimizer):
            continue
        try:
            weight = torch.nn.Parameter(torch.ones(4, 4))
            optimizer = cls([weight], lr=0.1)
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
            weight.sum().backward()
            optimizer.step()
            whole = io.BytesIO()
            held = {"optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "args": {"lr": 0.1}}
            torch.save(held, whole)
        except Exception:  # noqa: BLE001  those that want closures or sparse gradients are left out
            continue
        yield _case(f"optimizer-{name}", "torch, optimisers", "torch", "checkpoint.ckpt", whole.getvalue())


def torch_programs() -> Iterator[Case]:
    """TorchScript, torch.export and torch.package."""
    torch = _m("torch")
    nn = torch.nn
    nets = {
        "mlp": (nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), torch.zeros(1, 4)),
        "conv": (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten()), torch.zeros(1, 3, 8, 8)),
        "encoder": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.zeros(1, 3, 8)),
    }
    for key, (net, given) in nets.items():
        net.eval()
        for how, made in (
            ("traced", torch.jit.trace(net, given, check_trace=False)),
            ("scripted", torch.jit.script(net)),
        ):
            out = io.BytesIO()
            torch.jit.save(made, out)
            yield _case(f"torchscript-{how}-{key}", "torchscript", "torch-jit", "model.pt", out.getvalue())
        out = io.BytesIO()
        torch.export.save(torch.export.export(net, (given,)), out)
        yield _case(f"export-{key}", "torch.export", "none", "model.pt2", out.getvalue())
    out = io.BytesIO()
    package = _m("torch.package")
    with package.PackageExporter(out) as exporter:
        exporter.save_pickle("model", "model.pkl", {"w": torch.zeros(2, 2)})
    yield _case("package", "torch.package", "torch-package", "model.pt", out.getvalue())


def more_models() -> Iterator[Case]:
    """CatBoost, statsmodels, spaCy, Flax, notebooks."""
    np = _m("numpy")
    x, y = np.random.default_rng(1).normal(size=(60, 4)), np.arange(60) % 2
    catboost = _m("catboost").CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False).fit(x, y)
    yield _case("catboost-pickle", "catboost", "pickle", "model.pkl", pickle.dumps(catboost))
    for suffix, style in (("cbm", "cbm"), ("json", "json")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"model.{suffix}")
            catboost.save_model(str(path), format=style)
            yield _case(f"catboost-{suffix}", "catboost", "none", f"model.{suffix}", path.read_bytes())
    stats = _m("statsmodels.api")
    fitted = stats.OLS(y, stats.add_constant(x)).fit()
    yield _case("statsmodels", "statsmodels", "pickle", "model.pkl", pickle.dumps(fitted))
    blank = _m("spacy").blank("en")
    blank.add_pipe("sentencizer")
    yield _folder("spacy", "spacy", "none", lambda root: blank.to_disk(root / "model"))
    notebooks = _m("nbformat.v4")
    cells = [notebooks.new_markdown_cell("# Results"), notebooks.new_code_cell("import numpy as np\nnp.mean([1, 2])")]
    text = _m("nbformat").writes(notebooks.new_notebook(cells=cells))
    yield _case("notebook", "notebook", "json", "report.ipynb", text.encode())
    packed = _m("flax.serialization").msgpack_serialize({"params": {"w": np.zeros((2, 2), "f4")}})
    yield _case("flax", "flax", "none", "flax_model.msgpack", packed)


TEMPLATE = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}"


def folders() -> Iterator[Case]:
    """Folders and archives as people deliver them."""
    np = _m("numpy")
    weights = _m("safetensors.numpy").save({"w": np.zeros((4, 4), "f4")}, {"format": "pt"})

    def hub(root: Path) -> None:
        (root / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"]}))
        (root / "tokenizer_config.json").write_text(json.dumps({"chat_template": TEMPLATE, "bos_token": "<s>"}))
        (root / "generation_config.json").write_text(json.dumps({"temperature": 0.7}))
        (root / "model.safetensors").write_bytes(weights)
        (root / "README.md").write_text("---\nlicense: apache-2.0\nbase_model: bert-base\n---\n# A model\n")

    def adapter(root: Path) -> None:
        held = {"peft_type": "LORA", "base_model_name_or_path": "bert-base", "r": 8, "target_modules": ["query"]}
        (root / "adapter_config.json").write_text(json.dumps(held))
        (root / "adapter_model.safetensors").write_bytes(weights)

    yield _folder("hub", "folder", "none", hub)
    yield _folder("adapter", "folder", "none", adapter)
    members = {"model.pkl": pickle.dumps({"w": np.zeros(4)}), "config.json": b'{"a": 1}', "README.md": b"# A model\n"}
    for mode, suffix in (("w", "tar"), ("w:gz", "tar.gz"), ("w:bz2", "tar.bz2"), ("w:xz", "tar.xz")):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        yield _case(f"archive-{suffix}", "archive", "none", f"model.{suffix}", out.getvalue())
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        yield _case(f"archive-zip-{method}", "archive", "none", "model.zip", out.getvalue())


def tensorflows() -> Iterator[Case]:
    """SavedModels, frozen graphs, checkpoints and TensorFlow Lite; in an environment of TensorFlow's own."""
    tf = _m("tensorflow")

    class Module(tf.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.w = tf.Variable(tf.ones((4, 2)))

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return tf.nn.relu(tf.matmul(x, self.w))

    module = Module()
    yield _folder("savedmodel-module", "savedmodel", "none", lambda root: tf.saved_model.save(module, str(root)))
    layers = tf.keras.layers
    nets = {
        "dense": [layers.Input((4,)), layers.Dense(3, "relu"), layers.Dense(1)],
        "conv": [layers.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)],
        "lstm": [layers.Input((5, 3)), layers.LSTM(4), layers.Dense(1)],
        "text": [layers.Input((6,)), layers.Embedding(10, 4), layers.GlobalAveragePooling1D(), layers.Dense(2)],
    }
    for key, stack in nets.items():
        model = tf.keras.Sequential(stack)
        model.compile("adam", "mse")
        for suffix in ("keras", "h5"):
            with tempfile.TemporaryDirectory() as name:
                path = Path(name, f"model.{suffix}")
                model.save(path)
                yield _case(f"tf-keras-{key}-{suffix}", "keras, tensorflow", "none", path.name, path.read_bytes())
        yield _folder(f"savedmodel-{key}", "savedmodel", "none", lambda root, model=model: model.export(str(root)))  # type: ignore[misc]
        if key != "lstm":
            lite = tf.lite.TFLiteConverter.from_keras_model(model).convert()
            yield _case(f"tflite-{key}", "tflite", "none", "model.tflite", lite)
    checkpoint = tf.train.Checkpoint(module=module)
    yield _folder("tf-checkpoint", "tensorflow", "none", lambda root: checkpoint.write(str(root / "model.ckpt")))
    graph = module.__call__.get_concrete_function().graph.as_graph_def().SerializeToString()
    yield _case("graphdef", "tensorflow", "none", "frozen.pb", graph)


GROUPS = (every_estimator, every_layer, every_optimizer, torch_programs, more_models, folders)
