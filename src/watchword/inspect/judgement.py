"""What has been found in one delivered file, everything inside it included, and what looking may still cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from watchword.inspect.exhibit import Exhibit
from watchword.inspect.facts import Finding, Oddity
from watchword.inspect.rules import BY_ID, check_all
from watchword.inspect.source import Budget
from watchword.limits import ARCHIVE_MEMBERS_MAX, FINDINGS_PER_RULE_MAX, NESTING_MAX, NOTES_MAX

if TYPE_CHECKING:
    from watchword.inspect.plugins import Plugins
    from watchword.inspect.rules.rule import Rule


class Judgement:
    """Collects findings, facts and what was looked at for one delivered file."""

    def __init__(self, judge: Callable[[Exhibit], tuple[str, str]], plugins: Plugins | None = None) -> None:
        """*judge* is what judges an exhibit inside another; *plugins* are asked too."""
        self.judge = judge
        self.plugins = plugins
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.unread: list[tuple[int, int]] = []
        self.facts: dict[str, Any] = {}
        self.budget = Budget()
        self.members_left = ARCHIVE_MEMBERS_MAX
        self.count: dict[str, int] = {}
        self.not_listed = 0

    def keep(self, path: str, oddities: Iterable[Oddity]) -> None:
        """Turn *oddities* into findings at *path*; a bounded number of each rule is kept."""
        for oddity in oddities:
            rule = self.rule(oddity.rule)
            self.count[rule.id] = self.count.get(rule.id, 0) + 1
            # Room for each rule: what matters may come after a flood of something else.
            if self.count[rule.id] <= FINDINGS_PER_RULE_MAX:
                self.findings.append(rule.finding(path, oddity))
            else:
                self.not_listed += 1

    def rule(self, rule_id: str) -> Rule:
        """The rule of this id, a plugin's too."""
        if self.plugins is not None and rule_id in self.plugins.rules:
            return self.plugins.rules[rule_id]
        return BY_ID[rule_id]

    def check(self, exhibit: Exhibit, facts: object) -> None:
        """Put *facts* of *exhibit* to every rule that reads facts of their type."""
        self.keep(exhibit.path, check_all(facts))
        if self.plugins is not None:
            self.plugins.check(exhibit, facts)

    def note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < NOTES_MAX:
            self.notes.append(text)

    def merge(self, facts: dict[str, Any]) -> None:
        """Add *facts* to those of the file: lists are united, numbers added up, the first text stays."""
        for key, value in facts.items():
            old = self.facts.get(key)
            if isinstance(value, list):
                self.facts[key] = sorted(set(old or []) | set(value))[:200]
            elif isinstance(value, dict):
                self.facts[key] = {**value, **(old or {})}
            elif isinstance(value, int) and isinstance(old, int) and key != "protocol":
                self.facts[key] = old + value
            elif old is None:
                self.facts[key] = value

    def goes_deeper(self, path: str, depth: int) -> bool:
        """Spend one member of the file's budget; a finding when depth or number is used up."""
        self.members_left -= 1
        if depth >= NESTING_MAX or self.members_left < 0:
            if depth >= NESTING_MAX or self.members_left == -1:
                what = f"nested deeper than {NESTING_MAX}" if depth >= NESTING_MAX else "more members than are opened"
                self.keep(path, [Oddity("unpack-limit", None, what)])
            return False
        return True
