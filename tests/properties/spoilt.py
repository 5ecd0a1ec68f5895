"""Trial files as people and programs spoil them: lines that are lost, doubled or moved, words in the wrong place."""

import re
from collections.abc import Callable
from random import Random

# what may stand where something else belongs
WORDS = (
    "", "no", "none", "unset", "null", "~", "0", "-1", "1e400", "9" * 60, "1" + "0" * 400, "NaN", "Infinity", "0.5.1",
    "1:0", "1:80", "100", "3 weeks", "0 days", "99999999999 years", "1 ULN", "-2 LLN", "5 mmol/L", "5 10*9/L", "50 %", "{}",
    "[]", "[a, b]", "{a: b}", "'", '"', "*a", "&a x", "!!binary x", "\t", "\x00", "\ufeff", "é", "阳性", "${x}", "${",
    "${haq_di_threshold}", "hemoglobin", "dx_sle", "rx_belimumab", "positive", "yes", "SLE", "- a", "a: b: c", "? a", "|", "%",
    "2026-02-30", "x" * 5000, "[" * 50, "NCT06983964", "Asia/Shanghai", "\ud83d", "all", "by_parameter", "\u2028",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*|\d+(?:\.\d+)?")
_KEY = re.compile(r"[A-Za-z_]+(?=:)")
_VALUE = re.compile(r"(?<=: )[^\n{}\[\],]+")
Spoil = Callable[[list[str], Random], None]


def spoilt(text: str, random: Random) -> str:
    """Return the text with one to four things spoilt."""
    lines = text.splitlines()
    for _ in range(random.randint(1, 4)):
        if lines:
            random.choice(SPOILS)(lines, random)
    joined = "\n".join(lines) + "\n"
    return joined[: random.randrange(len(joined))] if random.random() < 0.05 else joined


def _at(lines: list[str], random: Random) -> int:
    return random.randrange(len(lines))


def _lose(lines: list[str], random: Random) -> None:
    del lines[_at(lines, random)]


def _double(lines: list[str], random: Random) -> None:
    place = _at(lines, random)
    lines.insert(_at(lines, random) if random.random() < 0.5 else place, lines[place])


def _double_block(lines: list[str], random: Random) -> None:
    first = _at(lines, random)
    block = lines[first : first + random.randint(2, 12)]
    place = _at(lines, random)
    lines[place:place] = block


def _indent(lines: list[str], random: Random) -> None:
    place = _at(lines, random)
    lines[place] = random.choice(["  ", " ", "\t"]) + lines[place] if random.random() < 0.6 else lines[place][2:]


def _swap(lines: list[str], random: Random) -> None:
    one, other = _at(lines, random), _at(lines, random)
    lines[one], lines[other] = lines[other], lines[one]


def _misspell(lines: list[str], random: Random) -> None:
    place = _at(lines, random)
    words = list(_WORD.finditer(lines[place]))
    if words:
        word = random.choice(words)
        at = random.randrange(word.start(), word.end())
        lines[place] = lines[place][:at] + random.choice(["", "x", "\xa0", ":", "-"]) + lines[place][at + 1 :]


def _replace(pattern: re.Pattern[str]) -> Spoil:
    """Put something else in place of one match: another match of the file, or a word that nobody expects."""

    def spoil(lines: list[str], random: Random) -> None:
        place = _at(lines, random)
        found = list(pattern.finditer(lines[place]))
        if found:
            others = pattern.findall(lines[_at(lines, random)]) or WORDS
            match, word = random.choice(found), random.choice(random.choice([others, WORDS]))
            lines[place] = lines[place][: match.start()] + word + lines[place][match.end() :]

    return spoil


SPOILS: tuple[Spoil, ...] = (
    _lose, _double, _double_block, _indent, _swap, _misspell, _replace(_KEY), _replace(_VALUE), _replace(_VALUE), _replace(_WORD),
)  # fmt: skip
