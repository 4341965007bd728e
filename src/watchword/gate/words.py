"""What a person said, read for whole typed values: addresses, numbers, times and names that stand in the words.

Follows docs/protocol.md, section 9 ("Provenance"). Pure; time and memory are linear in the text, which is bounded.

* A value is *said* when the text has it whole, as a value of its type: ``13`` in "June 13" is a day of a month, and
  neither an amount nor the file of that number. Never a part of a word, an address or a number.
* A name of one word has to stand out: in quotes, with a capital, shaped like a file name, or beside the noun that the
  tool's card lists ("the channel general").
* Of times, what a person leaves to be worked out is worked out: "tomorrow", the end of "10:00 for one hour".
* Not decided here: what follows from a value being said (see ``provenance`` and ``session``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from watchword.errors import WatchwordError
from watchword.gate.cards import Type
from watchword.limits import SAID_CHARS_MAX

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_URL = re.compile(r"(?:https?://)?(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?::\d{1,5})?(?:/[^\s'\"<>()\[\]]{0,2000})?")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_FILE_SUFFIX = re.compile(r"\.(?:docx?|xlsx?|pptx?|pdf|txt|csv|md|json|png|jpe?g|zip)$", re.IGNORECASE)
_QUOTED = re.compile(r"\"([^\"\n]{1,400})\"|(?<!\w)'([^'\n]{1,400})'(?!\w)|`([^`\n]{1,400})`")
_STRAIGHT = str.maketrans("\u201c\u201d\u2018\u2019", "\"\"''")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_MONTH_DAY = re.compile(rf"\b{_MONTH} (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (\d{{4}})\b)?", re.IGNORECASE)
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (\d{{4}})\b)?", re.IGNORECASE)
_CLOCK = re.compile(r"\b(\d{1,2})(?::(\d{2}))?(?::00)? ?(am|pm|a\.m\.|p\.m\.)|\b(\d{1,2}):(\d{2})\b", re.IGNORECASE)
_LASTING = re.compile(
    r"\b(\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|half an)[ -]"
    r"(minute|min|hour|hr|day|night|week)s?\b",
    re.IGNORECASE,
)
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_COUNTS |= {"nine": 9, "ten": 10}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w])|(?<![\w.])\d{1,15}(?:\.\d{1,9})?(?!\w)")
_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_OPENS, _CLOSES, _ENDS = " \"'`([#@/:", " \"'`)]", ".,;:!?"
_BETWEEN = frozenset({"with", "of", "the", "id", "number", "no", "named", "called"})
_BEFORE_NOUNS = frozenset(
    re.findall(
        r"\w+",
        "a an the my your his her its our their this that these those any all each every some no most which what via "
        "by from in of with for about on unread received new direct last latest recent first following same next total "
        "looking",
    )
)
_ARTICLES = frozenset({"a", "an"})
_LIGHT_VERBS = frozenset({"make", "place", "do", "send", "write", "put", "create", "set", "add", "get"})
_AFTER_NOUNS, _ONESELF = frozenset({"address", "addresses"}), frozenset({"me", "us"})
_DELEGATES = re.compile(
    r"\b(?:do|perform|follow|complete|execute|carry out|take care of|handle|act on|proceed|go through|work through|"
    r"comply with|obey)\b(?! (?:the )?following)[^.\n]{0,80}"
    r"\b(?:tasks?|actions?|instructions?|to-?do|steps?|items?|what|everything|asks?|says?)\b",
    re.IGNORECASE,
)


class BadWords(WatchwordError):
    """More words than are read for what a person said."""


def normal(value: Any, type: Type) -> str | None:
    """The one form in which two values of a type are compared; None: not a value of that type."""
    if type == "boolean":
        return str(value).lower() if isinstance(value, bool) else None
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return None
    if type == "number":
        return _number(value)
    text = " ".join(str(value).split())
    if type == "email":
        return text.lower() if _EMAIL.fullmatch(text) else None
    if type == "url":
        return _plain_url(text) if _URL.fullmatch(text) else None
    if type == "account":
        plain = text.replace(" ", "").upper()
        return plain if re.fullmatch(r"[A-Z0-9]{5,34}", plain) else None
    if type == "time":
        parsed = moment(text)
        return None if parsed is None else _written(*parsed)
    if type in ("name", "id"):
        return text.casefold() if 0 < len(text) <= 80 and text.count(" ") <= 6 else None
    return text.casefold()


def moment(text: str) -> tuple[date | None, time | None] | None:
    """A day, a time of day or both, as programs write them; None when *text* is none."""
    text = text.strip()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text), None
        if re.fullmatch(r"\d{1,2}:\d{2}(?::\d{2})?", text):
            return None, time.fromisoformat(text.zfill(5))
        if re.match(r"\d{4}-\d{2}-\d{2}[T ]", text):
            whole = datetime.fromisoformat(text)
            return whole.date(), whole.time().replace(second=0, microsecond=0)
    except ValueError:
        return None
    return None


def addresses(text: str) -> Iterator[tuple[str, Type]]:
    """Everything in a text that names a place to send to or fetch from, in its normal form."""
    for match in _EMAIL.finditer(text):
        yield match[0].lower().rstrip("."), "email"
    for match in _URL.finditer(_EMAIL.sub(" ", text)):
        if not _FILE_SUFFIX.search(match[0]):
            yield _plain_url(match[0]), "url"
    for match in _ACCOUNT.finditer(text):
        yield match[0].replace(" ", ""), "account"


@dataclass(frozen=True)
class Said:
    """One instruction of a person. ``today`` is asked for by the methods that resolve "tomorrow"."""

    text: str

    def __post_init__(self) -> None:
        if len(self.text) > SAID_CHARS_MAX:
            raise BadWords(f"instruction: {len(self.text):,} characters, limit {SAID_CHARS_MAX:,}")
        # Read when it is said, so that no decision waits for it.
        _ = self.values, self.verbs, self.stems, self.days, self.times, self.quoted, self.lowered, self.templates

    def says(self, value: Any, type: Type, nouns: Iterable[str] = (), today: date | None = None) -> bool:
        """Whether the person said this very value, whole and as a value of its type."""
        form = normal(value, type)
        if form is None:
            return False
        if type in ("email", "url", "account", "number"):
            return form in self.values[type]
        if type == "time":
            parsed = moment(str(value))
            return parsed is not None and self._says_moment(*parsed, today)
        if type in ("name", "id"):
            return self.names(str(value), nouns)
        return type == "text" and self.phrase(str(value))

    def phrase(self, text: str) -> bool:
        """Whether the text stands in the instruction, word for word and whole, whatever its case."""
        return next(self._places(text.lower(), self.lowered), None) is not None

    def names(self, text: str, nouns: Iterable[str] = ()) -> bool:
        """Whether the instruction names something by *text*: it stands there whole, and stands out as a name."""
        text = " ".join(text.split())
        lowered = text.lower()
        places = list(self._places(lowered, self.lowered))
        if not places:
            return False
        if text.isdigit():
            return any(self._beside(place, len(text), (*nouns, "id", "number")) for place in places)
        if " " in text or text.casefold() in self.quoted or _FILE_SUFFIX.search(text) or _SHAPED.search(text):
            return True
        exact = list(self._places(text, self.spaced))
        if exact and any(letter.isupper() for letter in text):
            # A capital at the start of a sentence is grammar, not a name.
            return any(not self._begins_sentence(place) for place in exact)
        return any(self._beside(place, len(text), nouns) for place in places)

    def asks_for(self, groups: Iterable[Iterable[str]], *, verb: bool = True) -> bool:
        """Whether the words have, of each group, one word in any of its usual forms; of the first a verb, if *verb*."""
        return all(
            any(_stem(word) in (self.verbs if verb and not place else self.stems) for word in group)
            for place, group in enumerate(groups)
        )

    def mentions(self, words: Iterable[str]) -> bool:
        """Whether the text has every one of *words*, in any of its usual forms."""
        return all(_stem(word) in self.stems for word in words)

    @cached_property
    def delegates(self) -> bool:
        """Whether the person hands on what some document says to do."""
        return _DELEGATES.search(self.text) is not None

    @cached_property
    def spaced(self) -> str:
        """The text with every run of white space as one space, and straight quotes."""
        return " ".join(self.text.translate(_STRAIGHT).split())

    @cached_property
    def lowered(self) -> str:
        """``spaced`` in lower case."""
        return self.spaced.lower()

    @cached_property
    def quoted(self) -> frozenset[str]:
        """What stands in quotes, whole."""
        found = (
            next(group for group in match.groups() if group)
            for match in _QUOTED.finditer(self.text.translate(_STRAIGHT))
        )
        return frozenset(" ".join(one.split()).casefold().rstrip(".,;!?") for one in found)

    @cached_property
    def templates(self) -> tuple[re.Pattern[str], ...]:
        """Texts in quotes with blanks in braces, as patterns."""
        found = []
        for one in self.quoted:
            parts = re.split(r"\{[^{}]{1,64}\}", one)
            # One blank alone would be any text at all.
            if 1 < len(parts) <= 9 and any(part.strip() for part in parts):
                found.append(re.compile("([^{}]{1,80})".join(map(re.escape, parts)), re.IGNORECASE))
        return tuple(found)

    @cached_property
    def stems(self) -> frozenset[str]:
        """The words, without their usual endings."""
        return frozenset(_stem(word) for word in _WORD.findall(self.text.lower()))

    @cached_property
    def verbs(self) -> frozenset[str]:
        """The words that may be verbs which ask for something to be done.

        Not "the email", which is a noun ("make a reservation" asks as "reserve" does), and not "tell me", which asks
        for words of the system's own.
        """
        words = [match[0] for match in _WORD.finditer(self.lowered)]
        return frozenset(
            _stem(word)
            for light, before, word, after in zip(["", "", *words], ["", *words], words, [*words[1:], ""], strict=False)
            if (before not in _BEFORE_NOUNS or (before in _ARTICLES and light in _LIGHT_VERBS))
            and after not in _ONESELF | _AFTER_NOUNS
        )

    @cached_property
    def values(self) -> dict[str, frozenset[str]]:
        """Addresses, then dates and times, then numbers: each word belongs to the first that it is a value of."""
        text, found = self.text, {}
        for type, pattern in (("email", _EMAIL), ("account", _ACCOUNT), ("url", _URL)):
            kind: Any = type
            found[type] = frozenset(
                form
                for match in pattern.finditer(text)
                # "www.site.org.They": the next sentence begins without a space.
                for one in (match[0].rstrip("."), re.sub(r"\.[A-Z][a-z]*$", "", match[0]))
                if (form := normal(one, kind)) is not None
            )
            text = pattern.sub(" ", text)
        for pattern in (_ISO_DATE, _MONTH_DAY, _DAY_MONTH, _CLOCK, _LASTING):
            text = pattern.sub(" ; ", text)
        found["number"] = frozenset(
            form for match in _NUMBER.finditer(text) if (form := _number(match[0].replace(",", ""))) is not None
        )
        return found

    @cached_property
    def days(self) -> frozenset[tuple[int | None, int, int]]:
        """Days as (year or None, month, day)."""
        found = [(int(m[1]), int(m[2]), int(m[3])) for m in _ISO_DATE.finditer(self.text)]
        for m in _MONTH_DAY.finditer(self.text):
            found.append((int(m[3]) if m[3] else None, _month(m[1]), int(m[2])))  # type: ignore[arg-type]
        for m in _DAY_MONTH.finditer(self.text):
            found.append((int(m[3]) if m[3] else None, _month(m[2]), int(m[1])))  # type: ignore[arg-type]
        return frozenset(found)

    @cached_property
    def dated(self) -> bool:
        """Whether the words say any day, so that another than these was not left open."""
        return bool(self.days) or any(_stem(word) in self.stems for word in (*_DAY_WORDS, *_WEEKDAYS))

    @cached_property
    def times(self) -> frozenset[time]:
        """Times of day, and those that end a duration that is said too."""
        found = {one for m in _CLOCK.finditer(self.text) if (one := _clock(m)) is not None}
        lowered = self.text.lower()
        found |= {clock for word, clock in (("noon", time(12)), ("midnight", time(0))) if word in lowered}
        spans = [span for span in self.lasting if span < timedelta(days=1)]
        day = datetime(2000, 1, 1)
        return frozenset(found | {(datetime.combine(day, one) + span).time() for one in found for span in spans})

    @cached_property
    def lasting(self) -> frozenset[timedelta]:
        """Durations."""
        return frozenset(_lasting(match) for match in _LASTING.finditer(self.text))

    def _says_moment(self, day: date | None, clock: time | None, today: date | None) -> bool:
        # On a day that he said, the time that he did not say is left to the system.
        left = day is not None and not self.times
        return (day is None or self.says_day(day, today)) and (clock is None or left or clock in self.times)

    def template(self, text: str) -> tuple[str, ...] | None:
        """What fills the blanks of a text that the person laid out in quotes: 'Dinner at {place}'. None: it is none."""
        for pattern in self.templates:
            match = pattern.fullmatch(" ".join(text.split()))
            if match is not None:
                return match.groups()
        return None

    def says_day(self, day: date, today: date | None) -> bool:
        """Whether a day is said: as a date, as the end of days counted from one, or relative to *today*."""
        spans = [timedelta(0), *(span for span in self.lasting if span >= timedelta(days=1))]
        for span in spans:
            try:
                begins = day - span
            except OverflowError:
                continue
            if {(begins.year, begins.month, begins.day), (None, begins.month, begins.day)} & self.days:
                return True
            if today is not None and begins in self._relative(today):
                return True
        return False

    def _relative(self, today: date) -> set[date]:
        lowered = self.text.lower()
        found = {
            today + timedelta(days=apart)
            for word, apart in (("today", 0), ("tonight", 0), ("tomorrow", 1), ("yesterday", -1))
            if word in lowered
        }
        for number, name in enumerate(_WEEKDAYS):
            if name in lowered:
                found.add(today + timedelta(days=(number - today.weekday() - 1) % 7 + 1))
        return found

    def _places(self, text: str, within: str) -> Iterator[int]:
        """Where *text* stands in *within* as whole words."""
        text = " ".join(text.split())
        at = within.find(text) if text else -1
        while at >= 0:
            rest = within[at + len(text) : at + len(text) + 2]
            opened = at == 0 or within[at - 1] in _OPENS
            closed = not rest or rest[0] in _CLOSES or (rest[0] in _ENDS and rest[1:] in ("", *_CLOSES))
            if opened and (closed or rest == "'s"):
                yield at
            at = within.find(text, at + 1)

    def _beside(self, place: int, size: int, nouns: Iterable[str]) -> bool:
        """Whether one of *nouns* stands beside what stands at *place*, with nothing but small words in between."""
        wanted = {form for noun in nouns for form in (noun.lower(), noun.lower() + "s")}
        before = self.lowered[max(0, place - 60) : place].replace('"', " ").replace("'", " ").replace("#", " ").split()
        while before and before[-1].strip(":.,") not in wanted and before[-1].strip(":.") in _BETWEEN:
            before.pop()
        after = self.lowered[place + size : place + size + 40].lstrip("\"'").split()
        return bool(before and before[-1].strip(":.,") in wanted) or bool(after and after[0].strip(".,;:!?") in wanted)

    def _begins_sentence(self, place: int) -> bool:
        before = self.spaced[:place].rstrip("\"'`( ")
        return not before or before[-1] in ".!?:"


_SHAPED = re.compile(r"^\w+[_\d]\w*$|^[\w-]+(?:/[\w.-]+)+$")
_DAY_WORDS = frozenset({"today", "tonight", "tomorrow", "yesterday", "now"})
_ENDINGS = ("ing", "ed", "es", "s", "e", "d")


def _stem(word: str) -> str:
    """A word without its usual ending, so that "reply", "replies" and "replied" are one."""
    word = word.lower()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def _number(value: Any) -> str | None:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return None
    text = format(number.normalize(), "f")
    return "0" if text == "-0" else text


def _plain_url(text: str) -> str:
    text = re.sub(r"^https?://", "", text.rstrip(".,;:!?"), flags=re.IGNORECASE)
    host, slash, path = text.partition("/")
    return (host.lower() + slash + path).rstrip("/")


def _written(day: date | None, clock: time | None) -> str:
    return " ".join(one for one in (day and day.isoformat(), clock and clock.strftime("%H:%M")) if one)


def _month(text: str) -> int:
    return _MONTHS.index(text[:3].lower()) + 1


def _clock(match: re.Match[str]) -> time | None:
    hour, minute = int(match[1] or match[4]), int(match[2] or match[5] or 0)
    half = (match[3] or "").lower()[:1]
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "p") if half else hour
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _lasting(match: re.Match[str]) -> timedelta:
    said, unit = match[1].lower(), match[2].lower()
    minutes = {"minute": 1, "min": 1, "hour": 60, "hr": 60, "day": 1440, "night": 1440, "week": 10_080}[unit]
    if said == "half an":
        return timedelta(minutes=minutes // 2)
    return timedelta(minutes=minutes * (int(said) if said.isdigit() else _COUNTS[said]))
