"""Names that look alike: pure rules, after Unicode's technical standard 39.

That standard's whole table of confusable characters is not here: names are in letters of one script, so that only
whole words can be mistaken, and those that can be written in Cyrillic, Greek or Armenian letters are few.
"""

import unicodedata

# Nothing is seen of these (Unicode's Default_Ignorable_Code_Point, and what is drawn as a blank).
_UNSEEN = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0F)),
    *((0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    (0xE0000, 0xE0FFF),
)
# Lower-case letters, and digits, that are read as others. `i` and `l` are the same because `I` and `l` look so.
_PAIRS = (
    " \u0430a \u0432b \u0435e \u04bbh \u0456l \u0458j \u043ak \u04cfl \u043cm \u043dh"  # Cyrillic
    " \u043eo \u0440p \u0441c \u0455s \u0442t \u0443y \u0445x \u0501d \u051bq \u051dw"
    " \u044cb \u04afy"
    " \u03b1a \u03b2b \u03b3y \u03b5e \u03b6z \u03b7n \u03b9l \u03bak \u03bcm \u03bdv"  # Greek
    " \u03bfo \u03c1p \u03c4t \u03c5y \u03c7x \u03c9w"
    " \u0570h \u0578n \u057du \u0585o \u0581g \u0566q \u0575j"  # Armenian
    " \u0131l il 1l |l 0o"
)
_READ_AS = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split()})
# They are written together, in Japanese, Chinese and Korean.
_EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"}


def is_plain(name: str) -> bool:
    """Whether a name has something to be seen, and letters of one script only; East Asian scripts go with Latin."""
    scripts = {_script(character) for character in unicodedata.normalize("NFKC", name) if character.isalpha()}
    if scripts & _EAST_ASIAN:
        scripts -= {*_EAST_ASIAN, "LATIN"}
    return len(scripts) <= 1 and bool(folded(name))


def folded(name: str) -> str:
    """A name as two are compared that must not be mistaken for each other."""
    seen = "".join(character for character in unicodedata.normalize("NFKC", name) if not _is_unseen(character))
    lower = unicodedata.normalize("NFKC", seen.casefold())
    dashes = "".join("-" if unicodedata.category(character) == "Pd" else character for character in lower)
    return " ".join(dashes.translate(_READ_AS).split())


def _is_unseen(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _UNSEEN)


def _script(character: str) -> str:
    """The script of a letter, which its Unicode name begins with."""
    return unicodedata.name(character, "").partition(" ")[0]
