"""Argument shapes: what an allowed call may be given, and what arguments give an unknown one away.

A shape function answers with :class:`Wrong`, or None. Unknown contents (a value that was not kept) are wrong
wherever the shape depends on them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from watchword.inspect.pickles.denied import EXECUTING_WORDS, FILE_WORDS, MAGIC_WORDS
from watchword.inspect.pickles.standing import standing
from watchword.inspect.pickles.values import Blob, Container, Global, Made, Opaque, Value, arguments


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with the arguments, and whether they reach something denied."""

    what: str
    dangerous: bool = False


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*|_[A-Za-z0-9][A-Za-z0-9_]*")
_UFUNC_MODULES = re.compile(r"(?:numpy|scipy)(?:\.[A-Za-z_]\w*)*")

_CODE = re.compile(
    r"""(?x) \b(?:exec|eval|compile|execfile)\s*\( | (?:^|[;\n])\s*import\s+[a-z_]\w*\s*(?:;|$) |
    \bimport\s+(?:os|sys|subprocess|socket|builtins|importlib|ctypes|shutil)\b | \bfrom\s+\w[\w.]*\s+import\s+[\w*(] |
    \b(?:os|posix|nt|subprocess|socket|pty|shutil|ctypes|sys|importlib)\.[a-z]\w*\s*\( | \blambda\b[^:]{0,40}: |
    \bgetattr\s*\( | \bopen\s*\(\s*['"] | \bprint\s*\("""
)
_MAGIC = re.compile(r"\b__import__\b|__builtins__|__subclasses__|__globals__|\{\{.*\}\}|\{%.*%\}")
_COMMAND = re.compile(
    r"""(?x) (?:^|[;&|`(\s])(?:/(?:usr/)?s?bin/)?(?:ba|z|da|k)?sh\s+-[a-z]*[ci]\b | /dev/tcp/ | \$\(|`[^`]+` |
    \b(?:curl|wget|powershell|certutil|mkfifo|bitsadmin|nslookup|crontab|base64\s+-d)\b\s+\S | \brm\s+-[rf]+ |
    \bchmod\s+[+0-7] | \bn(?:c|cat)\s+(?:-\w|[\w.]+\s+\d) | >\s*[/\w.]+[/.]\w+ | \|\s*(?:ba)?sh\b |
    (?:^|\s)(?:python[23]?|perl|ruby|node|php|cmd(?:\.exe)?)\s+(?:-c|-e|-r|-m|/c)\b |
    ^\s*(?:touch|mkdir|rmdir|kill|pkill|ping|echo|cat|ls|cp|mv|dd|sudo|apt|pip3?|open|xdg-open|start|id\s*;|uname|printf|
    sleep|env|ssh|scp|git|tar)\s+(?:-\w|[~/.$"'>]|\S*[/>|;&$=]|[\w-]+\.\w+$|.*[>|;&]) |
    ^\s*(?:touch|mkdir|ping|sleep)\s+\S+\s*$ |
    ^\s*(?:whoami|hostname|ifconfig|ipconfig|calc(?:\.exe)?|notepad(?:\.exe)?|cmd\.exe|reboot|shutdown(?:\s.*)?)\s*$ |
    (?:^|\S\s*)(?:&&|\|\||;)\s*(?:touch|rm|cat|echo|curl|wget|sh|bash|python|id|whoami)\b"""
)
_URL = re.compile(r"(?i)\b(?:https?|ftps?|file|gopher|smb|ldaps?|wss?|tcp|ssh|dict|sftp)://|^\\\\[\w.]+\\")
_HOST = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?|(?:[a-z0-9-]+\.)+[a-z]{2,}:\d{2,5}|localhost:\d{2,5}", re.IGNORECASE
)
_FILE = re.compile(
    r"""(?x) ^(?:/(?:bin|boot|dev|etc|home|proc|root|run|sbin|sys|tmp|usr|var)/|~/|[A-Za-z]:[\\/]) |
    (?:^|[/\\])\.\.[/\\] | ^/(?:etc|tmp)$"""
)
_VERSION = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")


def telling(value: Value) -> str:
    """What among *value* looks like code, a command, a URL or a path of a machine: in words, or an empty text."""
    for text in texts(value):
        if _MAGIC.search(text) or (_CODE.search(text) and _parses(text)):
            return "code"
        for pattern, what in ((_COMMAND, "a command"), (_URL, "a URL"), (_FILE, "a path")):
            if pattern.search(text):
                return what
        if _HOST.fullmatch(text) and not _VERSION.fullmatch(text):  # four numbers alone may be a version
            return "a host and its port"
    return ""


def _parses(text: str) -> bool:
    """Whether a text that has the words of code is code, and not a sentence about it; a text that was cut may be."""
    if len(text) >= 1024:
        return True
    import ast

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an escape that Python will once refuse
        try:
            ast.parse(text.strip())
        except (SyntaxError, ValueError):
            return False
        except (RecursionError, MemoryError):  # nested deeper than any sentence
            return True
    return True


def texts(value: Value, count: int = 48) -> Iterator[str]:
    """The first strings in *value*, breadth first, bounded in number and length."""
    waiting = [value]
    while waiting and count > 0:
        value = waiting.pop(0)
        count -= 1
        if isinstance(value, str):
            yield value[:1024]
        elif isinstance(value, bytes):
            yield value[:1024].decode("latin-1")
        elif isinstance(value, Blob):
            yield value.head if isinstance(value.head, str) else value.head.decode("latin-1")
        elif isinstance(value, Container):
            waiting.extend(value.items[:16])
        elif isinstance(value, Made) and not isinstance(value.args, Opaque):
            waiting.append(value.args)


def target_of(value: Value) -> tuple[Value, str]:
    """What a call of *value* really calls, through partials and getters, and the trail in words.

    Gives the innermost callee: a :class:`Global` when it can be told, else what is known of it.
    """
    target, trail, _ = followed(value)
    return target, trail


def followed(value: Value) -> tuple[Value, str, tuple[Value, ...]]:
    """As :func:`target_of`, with the arguments that the partials on the way put first."""
    trail = ""
    first: tuple[Value, ...] = ()
    for _ in range(32):
        if not isinstance(value, Made) or not isinstance(value.callee, Global):
            return value, trail, first
        name = value.callee.name.rpartition(".")[2]
        given = arguments(value.args)
        state = arguments(value.state)
        if name == "partial" and state:
            # Its state replaces what it was made of.
            value, trail, first = state[0], trail + "partial of ", (*state[1:3], *first)[:64]
        elif name == "partial" and given:
            value, trail, first = given[0], trail + "partial of ", (*given[1:], *first)[:64]
        else:
            return value, trail, first
    return Opaque("chain"), trail, first


def class_of(value: Made) -> Global | None:
    """The class of which *value* is an object, as far as that is written down."""
    callee: Value = value.callee
    if isinstance(callee, Global) and callee.module in ("copyreg", "copy_reg"):
        callee = next(iter(arguments(value.args)), None)
    return callee if isinstance(callee, Global) else None


def _any(args: Value, kwargs: Value) -> Wrong | None:
    return None


def _values(args: Value, kwargs: Value) -> Wrong | None:
    """Values and classes, and no function that might be called."""
    waiting = [*arguments(args), *(kwargs.items if isinstance(kwargs, Container) else ())]
    for value in waiting:
        if isinstance(value, Container) and len(waiting) < 200:
            waiting.extend(value.items)
        elif isinstance(value, Made):
            inner, _ = target_of(value)
            if inner is not value or (isinstance(value.callee, Global) and value.callee.name in _GETTERS):
                return Wrong("is given a function that is only computed while loading")
        elif isinstance(value, Global) and standing(value).kind not in ("class", "allowed"):
            return Wrong(f"is given {value.path}, which is no value")
    return None


def _pairs(args: Value, kwargs: Value) -> Wrong | None:
    """Containers of containers: no text, which no pickler gives them."""
    if any(isinstance(value, str | bytes) for value in arguments(args)):
        return Wrong("is given a text where its items should be")
    return None


_GETTERS = frozenset({"getattr", "attrgetter", "itemgetter", "methodcaller"})


def _harmless(args: Value, kwargs: Value) -> Wrong | None:
    what = telling(args) or telling(kwargs)
    return Wrong(f"is given {what}") if what else _values(args, kwargs)


def _one_iterable(args: Value, kwargs: Value) -> Wrong | None:
    given = arguments(args)
    plain = len(given) == 1 and not isinstance(given[0], Global | Made)
    return None if plain else Wrong("iterates over what it calls")


def _one(args: Value, kwargs: Value) -> Wrong | None:
    return None if isinstance(args, Container) and args.count == 1 else Wrong("makes a new class")


def _latin1(args: Value, kwargs: Value) -> Wrong | None:
    given = arguments(args)
    plain = given and (isinstance(given[0], str) or (isinstance(given[0], Blob) and given[0].kind == "str"))
    known = len(given) == 2 and given[1] in ("latin1", "latin-1", "utf-8", "ascii")
    return None if plain and known else Wrong("uses another codec")


def _attribute(args: Value, kwargs: Value) -> Wrong | None:
    """``getattr(object, name)``: a plain name, of an object that was made here or of a class."""
    given = arguments(args)
    if len(given) < 2 or not isinstance(given[1], str):
        return Wrong("the attribute's name is computed")
    name = given[1]
    if not _PLAIN.fullmatch(name) or name in MAGIC_WORDS:
        return Wrong(f"reads the attribute {name[:40]!r}", name in MAGIC_WORDS)
    if name in EXECUTING_WORDS or name in FILE_WORDS:
        return Wrong(f"takes the method {name}", True)
    if isinstance(given[0], Global):
        inside = standing(Global(given[0].module, f"{given[0].name}.{name}"))
        if inside.kind in ("denied", "walk", "executing"):
            return Wrong(f"reaches {given[0].path}.{name}, which {inside.what}", True)
        owner = standing(given[0])
        if owner.kind == "function" or given[0].dynamic:
            return Wrong(f"reads {name!r} of {given[0].path}")
    return None


def _plain_names(args: Value, kwargs: Value) -> Wrong | None:
    given = arguments(args)
    for name in given:
        if not isinstance(name, str) or not _PLAIN.fullmatch(name):
            return Wrong("a getter through dots, magic or computed names")
        if name in EXECUTING_WORDS or name in MAGIC_WORDS:
            return Wrong(f"a getter of {name}", True)
    return None if given else Wrong("a getter of nothing")


def _plain_name(args: Value, kwargs: Value) -> Wrong | None:
    given = arguments(args)
    return None if all(isinstance(name, str) and len(name) < 200 for name in given) else Wrong("a computed name")


def _typing_item(args: Value, kwargs: Value) -> Wrong | None:
    given = arguments(args)
    plain = given and isinstance(given[0], Global) and given[0].module in ("typing", "builtins", "collections.abc")
    return None if plain else Wrong("takes an item of something else than a type")


def _target(args: Value, kwargs: Value) -> Wrong | None:
    """A function and its arguments: no condition on a reference, the table's on anything denied."""
    given = arguments(args)
    if not given:
        return None
    if not isinstance(given[0], Global):
        inner, _ = target_of(given[0])
        return None if isinstance(inner, Global) else Wrong("its function is computed")
    inner = standing(given[0])
    if inner.kind in ("denied", "walk", "executing"):
        return Wrong(f"its function {given[0].path} {inner.what}", True)
    return None


def _rebuild_target(args: Value, kwargs: Value) -> Wrong | None:
    given = arguments(args)
    if given and isinstance(given[0], Global):
        inner = standing(given[0])
        if inner.kind == "class" or (inner.kind == "allowed" and inner.shape in ("any", "plain")):
            return None  # what it does with its arguments is judged as a call of its own
    return Wrong("calls a function that is not one of its own")


def _construct(args: Value, kwargs: Value) -> Wrong | None:
    given = arguments(args)
    if not given or not isinstance(given[0], Global):
        return Wrong("the class is computed")
    inner = standing(given[0])
    if inner.kind in ("denied", "walk", "executing"):
        return Wrong(f"{given[0].path} {inner.what}", True)
    return None


def _ufunc(args: Value, kwargs: Value) -> Wrong | None:
    given = arguments(args)
    if len(given) == 1 and isinstance(given[0], str) and _PLAIN.fullmatch(given[0]):
        return None
    if len(given) == 2 and all(isinstance(part, str) for part in given):
        module, name = given
        inner = standing(Global(module, name))
        if _UFUNC_MODULES.fullmatch(module) and _PLAIN.fullmatch(name) and inner.kind in ("function", "allowed"):
            return None
    return Wrong("imports something that is no ufunc of numpy or scipy", True)


SHAPES: dict[str, Callable[[Value, Value], Wrong | None]] = {
    "any": _any,
    "applied": _any,  # what it calls is judged as a call of its own
    "nested": _any,  # what is in the bytes is judged as a stream of its own
    "plain": _values,
    "harmless": _harmless,
    "pairs": _pairs,
    "one": _one,
    "one-iterable": _one_iterable,
    "latin1": _latin1,
    "attribute": _attribute,
    "plain-names": _plain_names,
    "plain-name": _plain_name,
    "typing-item": _typing_item,
    "target": _target,
    "rebuild": _rebuild_target,
    "construct": _construct,
    "array-class": _construct,
    "ufunc": _ufunc,
}
