"""Text that a release ships: cards, licences, lists of packages, pointers, tables; and what is left in it by mistake.

* A Git LFS pointer stands where a file should be: that file was not delivered, so nothing was looked at.
* Lists of packages (pip, conda) are read for sources that anybody may answer for: plain HTTP, bare addresses, trusted
  hosts without a certificate, code from a repository without HTTPS.
* The front matter of a card tells licence, base model and data sets; a licence file is told by its first words.
* Whatever is text is searched for secrets (``secrets``).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from watchword.inspect.exhibit import TEXT, Exhibit, Format
from watchword.inspect.formats.plain import is_text
from watchword.inspect.source import Source
from watchword.limits import DOCUMENT_BYTES_MAX

_WORDS = "txt md rst csv tsv yaml yml toml cfg ini jinja py jsonl vocab license"
_POINTER = b"version https://git-lfs.github.com/spec/"
_PACKAGES = re.compile(
    r"(?i)(?:requirements|constraints|packages)[\w.-]*\.(?:txt|in|pip)|pip\.(?:conf|ini)|pipfile|environment\.ya?ml"
)
_KNOWN_HOSTS = re.compile(
    r"(?i)https://(?:[\w-]+\.)*(?:pypi\.org|pytorch\.org|nvidia\.com|anaconda\.(?:org|com)|python\.org|github\.com|"
    r"github\.io|githubusercontent\.com|gitlab\.com|huggingface\.co|googleapis\.com|google\.com|intel\.com|amd\.com|aliyun\.com|"
    r"tsinghua\.edu\.cn|ustc\.edu\.cn|amazonaws\.com|azure\.com|microsoft\.com|pkg\.dev|dglai?\.ai|pyg\.org)(?=[:/]|$)"
)
_OPTION = re.compile(r"(?:^|\s)(?:-i|--(?:extra-)?index.url|-f|--find-links|index.url\s*=)[\s=]+(\S+)")
_LICENCES = (
    ("Apache-2.0", r"Apache License\s+Version 2\.0"),
    ("MIT", r"\bMIT License\b|Permission is hereby granted, free of charge, to any person obtaining a copy"),
    ("GPL-3.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("AGPL-3.0", r"GNU AFFERO GENERAL PUBLIC LICENSE"),
    ("LGPL-3.0", r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3"),
    ("BSD-3-Clause", r"Neither the name of .{1,200}nor the names of its\s+contributors"),
    ("MPL-2.0", r"Mozilla Public License,? [Vv]ersion 2\.0"),
    ("CC-BY-4.0", r"Creative Commons Attribution 4\.0"),
    ("CC-BY-NC-4.0", r"Creative Commons Attribution-NonCommercial 4\.0"),
    ("CC-BY-SA-4.0", r"Creative Commons Attribution-ShareAlike 4\.0"),
    ("Llama community licence", r"LLAMA \d[\w. ]* COMMUNITY LICENSE"),
    ("Gemma terms of use", r"Gemma Terms of Use"),
    ("OpenRAIL", r"\bOpen ?RAIL\b"),
)


def package_source(line: str) -> str:
    """In words, what is wrong with where *line* of a list of packages gets them from; an empty text when nothing is."""
    line = line[:2000].split(" #")[0]
    if re.search(r"--trusted-host[\s=]", line):
        return "takes packages from a host without checking who it is"
    for source in _OPTION.findall(line):
        if source.startswith(("http:", "ftp:")):
            return "takes packages over a connection that anybody on the way may change"
        if re.match(r"https://(?:[^/@]*@)?\d{1,3}(?:\.\d{1,3}){3}(?=[:/]|$)", source):
            return "takes packages from a bare address"
    if re.search(r"(?:git|hg|svn|bzr)\+(?:http|git)://|(?:^|\s|@\s*)(?:http|ftp)://\S+\.(?:whl|zip|tar\.gz|tgz)", line):
        return "takes code over a connection that anybody on the way may change"
    direct = re.search(r"(?:^|@\s*|\+)(https://\S+)", line)
    if direct is not None and not _KNOWN_HOSTS.match(direct[1]):
        return "takes code from an address of its own, past the package index"
    return ""


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    head = exhibit.source.read_at(0, 4096)
    if head.startswith(_POINTER) and exhibit.source.size < 1024:
        told = re.search(rb"size (\d+)", head)
        size = f"{int(told[1][:15]):,} bytes" if told is not None else "a file"
        exhibit.odd("lfs-pointer", 0, f"a pointer to {size} that were not delivered", head.decode("utf-8", "replace"))
        return "lfs-pointer", "the pointer; what it stands for is not here"
    name = PurePosixPath(exhibit.name).name
    if _PACKAGES.fullmatch(name):
        _packages(exhibit)
    if name.lower().endswith(".md") and head.startswith(b"---"):
        _front_matter(exhibit)
    if re.match(r"(?i)licen[cs]e|copying|notice", name):
        _licence(exhibit)
    from watchword.inspect.formats.secrets import search

    search(exhibit)
    return what, "text, which no loader runs; searched for secrets"


def _packages(exhibit: Exhibit) -> None:
    at = 0
    for line in exhibit.source.read_at(0, DOCUMENT_BYTES_MAX).splitlines(keepends=True):
        text = line.decode("utf-8", "replace").strip()
        what = "" if text.startswith("#") else package_source(text)
        if what:
            exhibit.odd("package-source", at, what, text)
        pinned = re.match(r"([A-Za-z0-9][\w.-]{0,60})==([\w.+!-]{1,40})", text)
        if pinned is not None:
            exhibit.merge({"requires": [f"{pinned[1]} {pinned[2]}"]})
        at += len(line)


def _front_matter(exhibit: Exhibit) -> None:
    from watchword.inspect.formats.documents import judge_yaml

    text = exhibit.source.read_at(0, DOCUMENT_BYTES_MAX).decode("utf-8", "replace")
    end = re.search(r"^(?:---|\.\.\.)\s*$", text[3:], re.M)
    if end is not None:
        judge_yaml(exhibit, text[: 3 + end.start()], quiet=True)


def _licence(exhibit: Exhibit) -> None:
    text = exhibit.source.read_at(0, 16_384).decode("utf-8", "replace")
    found = [name for name, words in _LICENCES if re.search(words, text, re.S)]
    if found:
        exhibit.merge({"licences": found[:1]})


def _claims(source: Source, head: bytes, name: str) -> bool:
    return is_text(head)


FORMATS = (Format("text", TEXT, _claims, _read, _WORDS + " json ipynb"),)
