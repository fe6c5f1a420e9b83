"""Texts of strangers, made fit to be shown."""

from __future__ import annotations

import unicodedata

#: Longer texts are cut: nobody reads them, and a name of ten thousand letters hides the table.
LONGEST_NAME, LONGEST_TEXT = 60, 2000


def clean(text: str) -> str:
    """Control characters, and those that are invisible or turn the direction of reading, become a visible mark."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in _HIDDEN else "�" for c in text)


#: Control, format (bidirectional overrides, zero-width), surrogate, private use, unassigned, line separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def short(text: str, longest: int = LONGEST_NAME) -> str:
    """The text on one line, cut with an ellipsis."""
    line = " ".join(clean(text[: longest * 4]).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def spoken(identifier: str) -> str:
    """An identifier as words: `finetune_attention` is "finetune attention"."""
    return " ".join(_CAPITALS.get(word, word) for word in short(identifier.replace("_", " ")).split(" "))


_CAPITALS = {"auroc": "AUROC", "mae": "MAE", "ecg": "ECG", "f1": "F1", "r2": "R2"}
