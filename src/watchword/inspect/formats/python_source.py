"""Python that a release ships: sources read by their syntax tree, compiled files, path files, shell scripts.

* A source is judged by what importing it would do and by what no honest source does (``python_acts``). One that does
  not parse (Python 2, a later grammar, a template) is read for the words of an attack, and a note says so.
* ``sitecustomize.py``, ``usercustomize.py`` and lines of a ``.pth`` file that begin with ``import`` run whenever
  Python starts.
* Compiled files (``.pyc``) run as they are, whatever the source beside them says: suspicious, with the names in them.
* A shell script runs when a person runs it: only commands that attacks are made of are findings.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from watchword.inspect.exhibit import MAGIC, TEXT, Exhibit, Format
from watchword.inspect.formats.plain import is_text
from watchword.inspect.formats.secrets import search
from watchword.inspect.source import Held, Source
from watchword.limits import PYTHON_BYTES_MAX

_WORDS = "txt md rst csv tsv yaml yml toml cfg ini jinja py jsonl vocab license"
_LOADED = re.compile(
    r"(?:modeling|configuration|tokenization|processing|image_processing|feature_extraction|video_processing|modular)_\w*\.py"
    r"|(?:handler|inference|model|pipeline|__init__|setup|conftest|sitecustomize|usercustomize|predict|service)\.py"
)
_MODEL_CODE = re.compile(
    r"(?:modeling|configuration|tokenization|processing|image_processing|feature_extraction)_\w*\.py"
)
_STARTUP = ("sitecustomize.py", "usercustomize.py")
_HIDDEN = re.compile(
    r"(?:exec|eval)\s*\(\s*(?:base64|zlib|marshal|bytes\.fromhex|codecs|__import__|urllib|requests)|/dev/tcp/|"
    r"\bbash -i\b"
)
_RUNS = re.compile(
    r"\bos\.(?:system|popen|exec\w+|spawn\w+)\s*\(|\bsubprocess\.\w+\s*\(|__import__\s*\(|\bpty\.spawn|"
    r"\b(?:exec|eval)\s*\(|\bsocket\.socket\s*\("
)
_LATER = re.compile(r"\s*(?:@|(?:async\s+)?def\s|class\s|if\s+__name__|#|[\"'])")


def read_python(exhibit: Exhibit, what: str) -> tuple[str, str]:
    """Judge a Python source."""
    if exhibit.source.size > PYTHON_BYTES_MAX:
        exhibit.odd("python-limit", PYTHON_BYTES_MAX, f"longer than the {PYTHON_BYTES_MAX:,} bytes that are parsed")
        exhibit.unread(PYTHON_BYTES_MAX, exhibit.source.size)
    data = exhibit.source.read_at(0, PYTHON_BYTES_MAX)
    judge_program(exhibit, data)
    search(exhibit)
    name = PurePosixPath(exhibit.name).name
    if name in _STARTUP:
        exhibit.odd("python-startup", 0, f"{name} runs whenever a Python that finds it starts")
    return what, "every statement read: what importing it would do"


def judge_program(exhibit: Exhibit, data: bytes, at: int = 0, name: str = "") -> None:
    """Judge *data*, a Python source that begins at byte *at* of the exhibit; *name* tells which loader imports it."""
    from watchword.inspect.formats.python_acts import Unparsed, acts_of, parsed, parsed_in_parts

    name = name or PurePosixPath(exhibit.name).name
    text = text_of(data)
    encoding = encoding_of(data)
    if _HIDING_CODECS.fullmatch(encoding):
        exhibit.odd(
            "python-conceals", at, f"names the encoding {encoding}, in which comments may be programs", encoding
        )
    starts = [0]
    for ended in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(ended))
    try:
        tree = parsed(text)
    except Unparsed as error:
        tree, rest = parsed_in_parts(text)
        _by_words(exhibit, str(error), rest, [at + start for start in starts])
        if error.deep:
            exhibit.odd("python-limit", at, f"is not parsed: {error}")
    acts = acts_of(tree, loaded=bool(_LOADED.fullmatch(name)))
    seen = set()
    for act in acts.found + (acts.runs if _MODEL_CODE.fullmatch(name) else []):
        offset = at + starts[min(act.line, len(starts)) - 1]
        what = act.what if act.rule != "python-model-runs" else f"the model's own code calls {act.what}"
        if (act.rule, offset, what) not in seen:
            seen.add((act.rule, offset, what))
            exhibit.odd(act.rule, offset, what, act.code)
    for note in acts.notes[:5]:
        exhibit.note(note)
    for line, pickled in acts.pickles[:20]:
        exhibit.inner(f"bytes@line-{line}", Held(pickled))
    exhibit.merge({"modules": sorted(acts.modules)[:200], "hosts": sorted(acts.hosts)[:50]})
    if acts.runs:
        exhibit.merge({"runs_when_called": sorted({act.what for act in acts.runs})[:50]})


def text_of(data: bytes) -> str:
    """The text of a source in the encoding that it names (PEP 263), UTF-8 by default; what is no text is replaced."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    encoding = encoding_of(data)
    try:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    except (LookupError, ValueError):  # no encoding of texts: Python refuses it too
        return data.decode("utf-8", "replace").removeprefix("\ufeff")


def encoding_of(data: bytes) -> str:
    """The encoding that a source names in its first two lines; ``utf-8`` where it names none."""
    named = re.search(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", b"\n".join(data[:400].splitlines()[:2]), re.M)
    return named[1].decode() if named is not None else "utf-8"


_HIDING_CODECS = re.compile(
    r"(?i)(?:raw[-_])?unicode[-_]escape|utf[-_]?7|u7|punycode|idna|utf[-_]?(?:16|32)\w*|cp037|cp500|undefined|hz\w*"
)
"""Encodings in which a text that looks like a comment may be a program."""


def _by_words(exhibit: Exhibit, why: str, rest: list[tuple[int, str]], starts: list[int]) -> None:
    """Look for the words of an attack in the parts that do not parse. Those of a function's body run later, if ever."""
    exhibit.note(f"not parsed as Python 3 ({why}): what does not parse was read for words only")
    for line, part in rest:
        match = _HIDDEN.search(part) or (None if _LATER.match(part) else _RUNS.search(part))
        if match is not None:
            told = part[match.start() : match.start() + 200].splitlines()[0]
            line += part.count("\n", 0, match.start())
            exhibit.odd("python-unparsed", starts[min(line, len(starts)) - 1], f"does not parse ({why})", told)


def _read_compiled(exhibit: Exhibit, what: str) -> tuple[str, str]:
    from watchword.inspect.formats.marshalled import names_in

    data = exhibit.source.read_at(0, PYTHON_BYTES_MAX)
    code = next((code for at in _HEADERS if (code := names_in(data[at:])) is not None), None)
    reaches = ", ".join(sorted(code.reaches)) if code is not None else ""
    words = "compiled Python: it runs whatever a source beside it says"
    exhibit.odd("python-compiled", 0, words, f"uses {reaches}" if reaches else "")
    return what, "names only; compiled code is not interpreted"


_HEADERS = (16, 12, 8)
"""Bytes before the code object: since 3.7, since 3.3, and before."""


_KNOWN_LINES = (
    b"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    b"enabled and __import__('_distutils_hack')",
    b"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
    b"enabled and __import__('_distutils_hack').add_shim();",
)
"""Lines that setuptools installs."""


def _read_paths(exhibit: Exhibit, what: str) -> tuple[str, str]:
    data = exhibit.source.read_at(0, 1 << 20)
    at = 0
    for line in data.splitlines(keepends=True):
        # site.py executes exactly these lines.
        if line.startswith((b"import ", b"import\t")) and line.strip() not in _KNOWN_LINES:
            exhibit.odd(
                "python-startup", at, "a line that runs whenever Python starts", line[:300].decode("utf-8", "replace")
            )
            judge_program(exhibit, line, at, "sitecustomize.py")
        at += len(line)
    return what, "every line read as Python's site module reads it"


def _read_script(exhibit: Exhibit, what: str) -> tuple[str, str]:
    search(exhibit)
    from watchword.inspect.formats.python_acts import command_of_attack

    data = exhibit.source.read_at(0, PYTHON_BYTES_MAX)
    at = 0
    for line in data.splitlines(keepends=True):
        text = line[:4096].decode("utf-8", "replace")
        if not text.lstrip().startswith("#") and command_of_attack(text):
            exhibit.odd("script-command", at, "a command of the kind that attacks are made of", text.strip())
        at += len(line)
    return what, "every line read for commands of attacks; a script runs when somebody runs it"


_PRINTED = bytes(set(range(256)) - set(range(9)) - {11, *range(14, 27), *range(28, 32), 127})
"""Bytes that stand in a text of some encoding."""


def _claims_python(source: Source, head: bytes, name: str) -> bool:
    named = name.endswith((".py", ".pyw", ".pyi"))
    if named and not is_text(head) and b"coding" in head[:400] and not head.translate(None, _PRINTED):
        return True
    return is_text(head) and (named or (head.startswith(b"#!") and b"python" in head[:80].split(b"\n")[0]))


def _claims_script(source: Source, head: bytes, name: str) -> bool:
    return (head.startswith(b"#!") or name.endswith((".sh", ".bash", ".bat", ".cmd", ".ps1"))) and is_text(head)


def _claims_paths(source: Source, head: bytes, name: str) -> bool:
    return name.endswith(".pth") and is_text(head) and bool(re.search(rb"^import[ \t]|^[\w./\\-]+$", head, re.M))


def _claims_compiled(source: Source, head: bytes, name: str) -> bool:
    # importlib's magic number: two bytes of version (3000 is Python 3.0, 62211 is 2.7), CR, LF.
    if head[2:4] != b"\r\n" or len(head) < 18:
        return False
    version = int.from_bytes(head[:2], "little")
    if not (3000 <= version < 4000 or 50_000 < version < 62_300):
        return False
    return name.endswith((".pyc", ".pyo")) or any(head[at] & 0x7F == ord("c") for at in _HEADERS)


FORMATS = (
    Format("python-compiled", MAGIC, _claims_compiled, _read_compiled, "pyc pyo"),
    Format("python", TEXT, _claims_python, read_python, _WORDS + " pyw pyi"),
    Format("script", TEXT, _claims_script, _read_script, _WORDS + " sh bash bat cmd ps1"),
    Format("python-paths", TEXT, _claims_paths, _read_paths, "pth"),
)
