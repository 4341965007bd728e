"""What keeps the house in order: imports, lengths, swallowed errors, words, documented commands, what loads at start.

Each rule is a function from a source to the places that break it; beside each promise about the tree stands a test
that feeds the rule something that breaks it. A rule that only ever saw good sources would prove nothing.
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "watchword"
VERIFY = ROOT / "verify.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

# From the door down to the cellar. A room imports only what stands on a lower line.
HOUSE = (
    ("__main__",),
    ("cli",),
    ("web",),
    ("demo",),
    ("assure", "guard", "fleet"),
    ("account",),
    ("gate",),
    ("policy",),
    ("record",),
    ("inspect", "data", "evaluate"),
    ("node",),
    ("catalog",),
    ("ledger",),
    ("charter",),
    ("statements",),
    ("report", "sandbox", "processes", "chance", "observe"),
    ("errors", "limits"),
    ("__init__",),
)
LEVEL = {room: level for level, rooms in enumerate(HOUSE) for room in rooms}

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
VERIFY_LINES_MAX = 1_400
REASON = re.compile(r"# long: \S")

# Written so that this file does not match itself.
SPEAKS = re.compile(
    r"(?<![\w.])/(?:work|farm|root)/|/tmp/(?:brief|bash_job)|pypi[.]org|python[h]osted|registry[.]npmjs"
    r"|deb[.]debian[.]org|index[-]url|\b[C]laude|[C]hatGPT|[C]opilot|language model[ ]session|prompt[ ]engineer",
    re.IGNORECASE,
)
VAGUE = re.compile(r"(?:^|_)(?:utils?|helpers?|common|misc|managers?|factory|handlers?)(?:_|$)")

APART = (
    "watchword.web", "watchword.catalog", "watchword.data.screening", "watchword.evaluate.worker",
    "watchword.account.asking", "watchword.account.concentration", "watchword.account.exposure",
    "watchword.account.osv", "watchword.account.recalled", "watchword.observe.counts", "watchword.observe.spans",
)  # fmt: skip
CORE_HAS_NOT = {"torch", "onnxruntime", "z3-solver", "starlette", "mcp"}
START_LOADS_NOT = {"rich", "msgspec", "cryptography", "importlib.metadata"}


def sources(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def at(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{line}"


# -- imports point down ---------------------------------------------------------------------------


def module_of(path: Path, src: Path) -> tuple[str, ...]:
    """The dotted name of a source, as parts; a package's own file ends in ``__init__``."""
    return ("watchword", *path.relative_to(src).with_suffix("").parts)


def imported(tree: ast.AST, module: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every module of watchword that a source imports, wherever in it, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, tuple(alias.name.split("."))) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module[: -node.level] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            yield from ((node.lineno, (*base, alias.name)) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield node.lineno, tuple(argument.value.split("."))


def upward_imports(path: Path, src: Path) -> list[str]:
    module = module_of(path, src)
    room = module[1]
    if room not in LEVEL:
        return [f"{at(path, 1)}  {room} has no place in the house"]
    found = []
    for line, target in imported(parsed(path), module):
        if target[:1] != ("watchword",):
            continue
        # `from watchword import __version__` reads the package itself, not a room.
        other = target[1] if len(target) > 1 and target[1] in LEVEL else "__init__"
        if other != room and LEVEL[other] <= LEVEL[room]:
            found.append(f"{at(path, line)}  {room} imports {other}")
    return found


def test_imports_point_down_the_house() -> None:
    """A room imports only rooms below it: not above, not beside, not by a relative or late import either."""
    assert [row for path in sources(SRC) for row in upward_imports(path, SRC)] == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ledger/x.py", "import watchword.policy"),
        ("ledger/x.py", "from watchword import policy"),
        ("ledger/x.py", "from watchword.policy.admission import admit"),
        ("ledger/x.py", "from ..policy import admit"),
        ("ledger/__init__.py", "from .. import gate"),
        ("ledger/deep/x.py", "from ...node import Node"),
        ("ledger/x.py", "def f():\n    from watchword.cli import main"),
        ("ledger/x.py", "import importlib\nimportlib.import_module('watchword.gate')"),
        ("inspect/x.py", "from watchword.data import manifest_rows"),
        ("limits.py", "from .errors import WatchwordError"),
        ("__init__.py", "from watchword.errors import WatchwordError"),
        ("helpers.py", ""),
    ],
)
def test_an_import_that_points_up_or_sideways_is_seen(tmp_path: Path, file: str, text: str) -> None:
    """Every way to write such an import is found."""
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    assert len(upward_imports(path, tmp_path)) == 1


def test_an_import_that_points_down_is_left_alone(tmp_path: Path) -> None:
    """The rule does not forbid what the house allows: below, inside the room, the package, and others' packages."""
    path = tmp_path / "ledger.py"
    path.write_text(
        "import json\nfrom watchword import __version__, limits\nfrom watchword.errors import WatchwordError\n"
        "from watchword.ledger.tiles import Tile\nfrom .charter import Charter\n",
        "utf-8",
    )
    assert upward_imports(path, tmp_path) == []


# -- errors are not swallowed ---------------------------------------------------------------------


def is_broad(node: ast.expr | None) -> bool:
    if node is None:
        return True
    kinds = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(ast.unparse(kind).split(".")[-1] in ("Exception", "BaseException") for kind in kinds)


def raises(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Raise) for inner in ast.walk(node))


def suppresses(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "suppress"


def swallowed_errors(path: Path) -> list[str]:
    """Broad ``except`` clauses without a ``raise`` of their own, and ``suppress`` of everything."""
    found = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler) and is_broad(node.type) and not raises(node):
            found.append(f"{at(path, node.lineno)}  broad except")
        elif isinstance(node, ast.Call) and suppresses(node) and any(map(is_broad, node.args)):
            found.append(f"{at(path, node.lineno)}  broad suppress")
    return found


def test_no_error_is_swallowed_inside_the_house() -> None:
    """Only the doors catch everything, and say so; anywhere else it would turn trouble into an answer."""
    inside = [path for path in sources(SRC) if path.relative_to(SRC).parts[0] not in ("cli", "web")]
    assert inside
    assert [row for path in inside for row in swallowed_errors(path)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("try:\n    f()\nexcept:\n    pass", 1),
        ("try:\n    f()\nexcept Exception:\n    x = None", 1),
        ("try:\n    f()\nexcept (KeyError, BaseException) as e:\n    print(e)", 1),
        ("import contextlib\nwith contextlib.suppress(Exception):\n    f()", 1),
        ("try:\n    f()\nexcept Exception as e:\n    raise WatchwordError('no') from e", 0),
        ("try:\n    f()\nexcept KeyError:\n    x = None", 0),
    ],
)
def test_a_swallowed_error_is_seen(tmp_path: Path, text: str, found: int) -> None:
    """A broad clause counts unless it raises; a narrow one does not."""
    path = tmp_path / "x.py"
    path.write_text(text, "utf-8")
    assert len(swallowed_errors(path)) == found


# -- lengths and names ----------------------------------------------------------------------------


def too_long(path: Path, file_lines_max: int = FILE_LINES_MAX) -> list[str]:
    lines = path.read_text("utf-8").splitlines()
    found = []
    if len(lines) > file_lines_max and not any(REASON.search(line) for line in lines[:5]):
        found.append(f"{at(path, 1)}  {len(lines)} lines")
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            heading = lines[node.lineno - 1 : node.body[0].lineno]
            if length > FUNCTION_LINES_MAX and not any(REASON.search(line) for line in heading):
                found.append(f"{at(path, node.lineno)}  {node.name}: {length} lines")
    return found


def test_files_and_functions_keep_their_length() -> None:
    """No file past 600 lines, no function past 70, but with `# long: <reason>` beside it."""
    assert [row for path in sources(SRC, ROOT / "benchmarks") for row in too_long(path)] == []


@pytest.mark.parametrize(
    ("heading", "lines", "found"),
    [
        ("def f():", 70, 0),
        ("def f():", 71, 1),
        ("def f():  # long: one table, read as one", 71, 0),
        ("def f():  # long:", 71, 1),
    ],
)
def test_a_long_function_is_seen(tmp_path: Path, heading: str, lines: int, found: int) -> None:
    """The limit is exact, and a reason must say something."""
    path = tmp_path / "x.py"
    path.write_text("\n".join([heading, *["    pass"] * (lines - 1)]), "utf-8")
    assert len(too_long(path)) == found


def test_a_long_file_is_seen(tmp_path: Path) -> None:
    """One line past the limit is too long, unless the first lines say why."""
    path = tmp_path / "x.py"
    path.write_text("x = 1\n" * (FILE_LINES_MAX + 1), "utf-8")
    assert len(too_long(path)) == 1
    path.write_text("# long: one table\n" + "x = 1\n" * FILE_LINES_MAX, "utf-8")
    assert too_long(path) == []


def test_a_module_is_named_for_what_is_in_it() -> None:
    """No utils, helpers, managers: a name that fits everything tells nothing."""
    assert [str(path.relative_to(SRC)) for path in sources(SRC) if VAGUE.search(path.stem)] == []


# -- words ----------------------------------------------------------------------------------------


def tracked() -> list[Path]:
    """The files of the tree: what git tracks, or every file outside hidden folders where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        names = [os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    return [p for p in sorted(ROOT.rglob("*")) if p.is_file() and not re.search(r"/\.|/__pycache__/", str(p))]


def loose_words(name: str, content: bytes) -> list[str]:
    if b"\0" in content:  # not text
        return []
    lines = content.decode("utf-8", "replace").splitlines()
    return [f"{name}:{number}  {line.strip()[:90]}" for number, line in enumerate(lines, 1) if SPEAKS.search(line)]


def test_the_tree_speaks_of_watchword_alone() -> None:
    """No path of somebody's machine, no registry host, no writing tool in any tracked text file."""
    assert [row for p in tracked() for row in loose_words(str(p.relative_to(ROOT)), p.read_bytes())] == []


@pytest.mark.parametrize("word", ["/wo" + "rk/main", "--index" + "-url", "py" + "pi.org", "Co" + "pilot"])
def test_a_loose_word_is_seen(word: str) -> None:
    """The rule sees what it is for, in the middle of a line."""
    assert loose_words("x", f"first\nsee {word} there".encode()) == [f"x:2  see {word} there"]


MARKER = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b|NotImplementedError")


def test_nothing_is_left_for_later() -> None:
    """No marker of unfinished work, and no function that only says it is not there, in what people run."""
    files = [*sources(SRC, ROOT / "benchmarks"), *filter(Path.exists, [VERIFY])]
    lines = [(path, n, line) for path in files for n, line in enumerate(path.read_text("utf-8").splitlines(), 1)]
    assert [f"{at(path, n)}  {line.strip()[:90]}" for path, n, line in lines if MARKER.search(line)] == []


# -- commands are documented ----------------------------------------------------------------------


def commands(parser: argparse.ArgumentParser, above: str = "watchword") -> Iterator[str]:
    """Every command of an argparse tree that takes no further command."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield above
    for group in groups:
        for name, child in group.choices.items():
            yield from commands(child, f"{above} {name}")


def undocumented(names: Iterator[str], text: str) -> list[str]:
    return [name for name in names if not re.search(rf"{re.escape(name)}(?![\w-])", text)]


def test_every_command_is_documented() -> None:
    """`watchword <command>` stands in README.md or in a page of docs/, for every command there is."""
    from watchword.cli import parser

    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    names = list(commands(parser()))
    assert len(names) > 1
    assert undocumented(iter(names), text) == []


def test_an_undocumented_command_is_seen() -> None:
    """A command whose name is only the beginning of another's does not count as documented."""
    parser = argparse.ArgumentParser("watchword")
    group = parser.add_subparsers()
    group.add_parser("admit")
    ledger = group.add_parser("ledger").add_subparsers()
    ledger.add_parser("append")
    ledger.add_parser("show")
    text = "run `watchword admit X`, then `watchword ledger append-all` and `watchword ledger show`."
    assert undocumented(commands(parser), text) == ["watchword ledger append"]


# -- what loads, and what is installed ------------------------------------------------------------


def python(code: str) -> subprocess.CompletedProcess[str]:
    # -I: no PYTHON… variable and no user site of the person who runs the tests.
    return subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False, timeout=120)


def test_the_version_line_loads_nothing_heavy() -> None:
    """`watchword --version` imports neither rich, msgspec, cryptography nor importlib.metadata, and tells the truth."""
    done = python(
        "import sys\n"
        "before = set(sys.modules)\n"
        "sys.argv = ['watchword', '--version']\n"
        "from watchword.cli import main\n"
        "try:\n    code = main()\nexcept SystemExit as stop:\n    code = stop.code\n"
        "print(code or 0, *sorted(set(sys.modules) - before))\n"
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == f"watchword {PROJECT['project']['version']}"
    code, *loaded = second.split()
    assert code == "0"
    assert START_LOADS_NOT.isdisjoint(loaded)
    theirs = set(importlib.metadata.packages_distributions()) - {"watchword"}
    assert theirs.isdisjoint(name.split(".")[0] for name in loaded)


def core_closure() -> set[str]:
    """The distributions that installing watchword without extras brings, as far as this machine's markers tell."""
    waiting = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    closure: set[str] = set()
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in sorted(requirement.extras | {""}):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            closure.add(name)
            for line in importlib.metadata.requires(name) or []:
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)
    return closure


def locked(name: str) -> dict[str, set[str]]:
    """A lock as {distribution: versions}; every one has at least one hash."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{name}.lock").read_text("utf-8"))
    pins: dict[str, set[str]] = {}
    for entry in entries:
        if not entry.startswith("#"):
            pin = re.match(r"([A-Za-z0-9._-]+)==(\S+)", entry)
            assert pin and "--hash=sha256:" in entry, entry[:80]
            pins.setdefault(canonicalize_name(pin[1]), set()).add(pin[2])
    return pins


def test_the_core_install_stays_light() -> None:
    """No torch, onnxruntime, z3, web or MCP without asking for an extra, by metadata and by lock."""
    assert CORE_HAS_NOT.isdisjoint(core_closure())
    assert CORE_HAS_NOT.isdisjoint(locked("core"))


def test_every_module_imports_with_the_core_install_alone() -> None:
    """What an extra brings is imported inside the function that needs it, so a room opens without it.

    The subprocess refuses to import any package outside the core install; fails if one stands at a module's top. Some
    are arithmetic, servers or queries through and through, and are themselves imported inside functions; the worker
    is a program of its own.
    """
    core = core_closure()
    theirs = importlib.metadata.packages_distributions()
    extra = {top for top, owners in theirs.items() if core.isdisjoint(map(canonicalize_name, owners))} - {"watchword"}
    modules = [".".join(module_of(path, SRC)).removesuffix(".__init__") for path in sources(SRC)]
    modules = [name for name in modules if not name.startswith(APART) and name != "watchword.__main__"]
    done = python(
        "import importlib, importlib.abc, sys\n"
        f"extra, modules = {sorted(extra)!r}, {modules!r}\n"
        "class Refuse(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in extra:\n"
        "            raise ImportError(f'{name} is not in the core install')\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "for module in modules:\n"
        "    importlib.import_module(module)\n"
        "print(len(modules))\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(len(modules))


def test_locks_agree_and_name_no_registry() -> None:
    """Hashes decide what is installed, not a host; and the demo runs with the versions that the tests ran with."""
    for name in ("core", "demo", "dev"):
        text = (ROOT / "requirements" / f"{name}.lock").read_text("utf-8")
        assert not re.search(r"https?:|index|find-links|\s@\s", text), f"{name}.lock names a place"
    core, demo, dev = locked("core"), locked("demo"), locked("dev")
    assert core.items() <= demo.items()
    assert demo.items() <= dev.items()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """A requirement added to pyproject.toml is in its lock: `make lock` was run."""
    core, groups = PROJECT["project"]["dependencies"], PROJECT["dependency-groups"]
    extras = PROJECT["project"]["optional-dependencies"]
    every_extra = [line for lines in extras.values() for line in lines]
    wanted = {
        "core": core,
        "demo": [*core, *extras["data"], *extras["demo"], *groups["build"]],
        "dev": [*core, *every_extra, *(line for line in groups["dev"] if isinstance(line, str))],
    }
    for lock, lines in wanted.items():
        pins = locked(lock)
        for requirement in map(Requirement, lines):
            versions = pins.get(canonicalize_name(requirement.name), set())
            fits = versions and all(map(requirement.specifier.contains, versions))
            assert fits, f"{requirement} is not in {lock}.lock"


# -- a test can fail ------------------------------------------------------------------------------

def called(node: ast.AST) -> set[str]:
    """The names, without what stands before their last dot, that are called or handed on anywhere in *node*."""
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return names | {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}


def judges(node: ast.AST) -> bool:
    """Whether it fails by itself: asserts, raises, or waits for an error."""
    judging = any(isinstance(inner, ast.Assert | ast.Raise) for inner in ast.walk(node))
    return judging or not called(node).isdisjoint({"raises", "warns", "fail"})


def judging_nothing(*folders: Path) -> list[str]:
    """Tests that neither judge nor call what does, among the functions beside them; and asserts that always hold."""
    found = []
    trees = {path: parsed(path) for path in sources(*folders)}
    functions = [
        (path, node)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    judging = {node.name for _, node in functions if not node.name.startswith("test_") and judges(node)}
    for path, node in functions:
        if node.name.startswith("test_") and not judges(node) and called(node).isdisjoint(judging):
            found.append(f"{at(path, node.lineno)}  {node.name} judges nothing")
    for path, tree in trees.items():
        for one in ast.walk(tree):
            if isinstance(one, ast.Assert) and always(one.test):
                found.append(f"{at(path, one.lineno)}  {ast.unparse(one.test)[:60]} always holds")
    return found


def always(test: ast.expr) -> bool:
    """True whatever the code does: a tuple, a text, a generator; at least nothing; a text that holds the empty one."""
    match test:
        case ast.Tuple() | ast.JoinedStr() | ast.Lambda() | ast.GeneratorExp():
            return True
        case ast.Constant(value):
            return bool(value)
        case ast.BoolOp(ast.Or(), values):
            return any(map(always, values))
        case ast.Compare(ast.Constant("" | b""), [ast.In()]):
            return True
        case ast.Compare(ast.Call(ast.Name("len")), [ast.GtE()], [ast.Constant(0)]):
            return True
    return False


def test_every_test_can_fail() -> None:
    """Each asserts, waits for an error, or calls a function of the tests that does."""
    assert judging_nothing(ROOT / "tests", ROOT / "benchmarks") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def test_x(): f()", 1),
        ("def test_x():\n    for one in f():\n        g(one)", 1),
        ("def g(): pass\ndef test_x(): g()", 1),
        ("def test_x():\n    assert (f() == 1, 'why')", 1),
        ("def test_x():\n    assert len(f()) >= 0", 1),
        ("def test_x():\n    assert '' in f()", 1),
        ("def test_x():\n    assert f() or True", 1),
        ("def g():\n    assert f()\ndef test_x(): g()", 0),
        ("def test_x():\n    with pytest.raises(ValueError):\n        f()", 0),
        ("def test_x():\n    assert f() == ''", 0),
    ],
)
def test_a_test_that_cannot_fail_is_seen(tmp_path: Path, text: str, found: int) -> None:
    """What only runs proves that nothing raises, and says so to nobody."""
    (tmp_path / "test_x.py").write_text(text, "utf-8")
    assert len(judging_nothing(tmp_path)) == found


# -- nothing is skipped in silence -----------------------------------------------------------------

SKIPS = """
import pytest

@pytest.mark.skip(reason="by mark")
def test_by_mark(): ...

def test_by_call():
    pytest.skip("by call")

@pytest.mark.xfail(run=False, reason="never run")
def test_never_run(): ...

@pytest.mark.xfail(reason="known")
def test_known():
    raise AssertionError

def test_that_runs(): ...
"""


@pytest.mark.parametrize(
    ("ci", "closing"),
    [("true", "1 failed, 1 passed, 1 xfailed, 3 errors"), ("", "1 passed, 3 skipped, 2 xfailed")],
)
def test_a_skip_fails_in_ci_and_only_there(tmp_path: Path, ci: str, closing: str) -> None:
    """Whichever way a test is skipped, CI counts it as failed; fails if the hooks of conftest.py are removed."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text("utf-8"), "utf-8")
    (tmp_path / "test_skips.py").write_text(SKIPS, "utf-8")
    (tmp_path / "test_absent.py").write_text("import pytest\n\npytest.importorskip('no_such_module')\n", "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "WATCHWORD_")) and k != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", "-c", os.devnull, "."],
        cwd=tmp_path,
        env={**environment, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1].startswith(closing), done.stdout
    assert (done.returncode != 0) == (ci == "true")


# -- the verifier stands alone --------------------------------------------------------------------


def test_the_verifier_needs_only_python() -> None:
    """verify.py imports the standard library alone and is short enough to be read before it is trusted."""
    names = {target[0] for _, target in imported(parsed(VERIFY), ("verify",))}
    assert names <= sys.stdlib_module_names
    assert too_long(VERIFY, VERIFY_LINES_MAX) == []


# -- one rule, one file, one test file, one page --------------------------------------------------


def rules_without(tests: Path, pages: Path) -> list[str]:
    """Rules of the inspector whose test file or page is missing or does not name them."""
    missing = []
    for path in sorted((SRC / "inspect" / "rules").glob("*.py")):
        name = path.stem.replace("_", "-")
        if path.stem in ("__init__", "rule"):
            continue
        for place in (tests / f"test_{path.stem}.py", pages / f"{name}.md"):
            if not place.is_file() or name not in place.read_text("utf-8"):
                missing.append(f"{name}: {place.name}")
    return missing


def test_each_rule_of_the_inspector_has_its_test_file_and_its_page(tmp_path: Path) -> None:
    """The fortieth rule is as easy to find as the first; empty folders would be told."""
    assert rules_without(ROOT / "tests" / "inspect" / "rules", ROOT / "docs" / "rules") == []
    assert len(rules_without(tmp_path, tmp_path)) > 200
