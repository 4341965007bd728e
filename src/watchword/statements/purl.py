"""Package URLs: what they name, and the one spelling under which two of them name the same package.

Follows ECMA-427 (package-url), sections "purl components" and "how to parse". Pure.

* ``package`` is type, namespace and name in the spelling of their type, without version, qualifiers and subpath: two
  purls with equal packages differ in version at most.
* What is no purl has no package: an empty text, which matches nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_TYPE = re.compile(r"[a-z][a-z0-9.-]*", re.ASCII)
_FOLDED = frozenset(
    {"alpm", "apk", "bitbucket", "bitnami", "composer", "deb", "github", "gitlab", "golang", "hex", "npm", "oci"}
    | {"otp", "pub", "pypi", "rpm-namespace"}
)
"""Types whose names are told apart without regard to case (purl-spec, types). Of npm, old names in upper case are one
with the new."""


@dataclass(frozen=True)
class Purl:
    """A package URL, decoded: ``type`` such as ``pypi``; ``namespace`` and ``version`` may be empty."""

    type: str
    namespace: str
    name: str
    version: str

    @property
    def package(self) -> str:
        """The purl without its version."""
        path = [quote(part, safe=":") for part in (*self.namespace.split("/"), self.name) if part]
        return f"pkg:{self.type}/" + "/".join(path)


def parse_purl(text: str) -> Purl | None:
    """Read a package URL; None for what is none. Linear in its length."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() != "pkg":
        return None
    rest = rest.rpartition("#")[0] if "#" in rest else rest
    rest = rest.rpartition("?")[0] if "?" in rest else rest
    kind, slash, path = rest.strip("/").partition("/")
    kind = kind.lower()
    if not slash or _TYPE.fullmatch(kind) is None:
        return None
    last = path.rfind("/")
    at = path.rfind("@", last + 1)
    if at <= last + 1:
        at = -1  # The @ that begins a scope (@scope/name) is none before a version.
    version = unquote(path[at + 1 :]) if at > 0 else ""
    *namespace, name = [unquote(part) for part in (path[:at] if at > 0 else path).split("/") if part] or [""]
    if not name:
        return None
    if kind in _FOLDED:
        namespace, name = [part.lower() for part in namespace], name.lower()
    if kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name)
    return Purl(kind, "/".join(namespace), name, version)


def package_of(text: str) -> str:
    """The package that a purl names; empty for what is no purl."""
    found = parse_purl(text)
    return "" if found is None else found.package
