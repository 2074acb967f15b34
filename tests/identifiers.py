"""Ids of all kinds as Hypothesis draws them, of the characters that mean something to what they pass through."""

from hypothesis import strategies as st

from hindsight.config.types import is_identifier

_PARTS = (
    "#",
    "/",
    "%",
    "%2F",
    "?",
    "..",
    "'",
    '"',
    "\\",
    " ",
    "*",
    ":",
    "&",
    "=",
    "é",
    "e\u0301",
    "👩\u200d🚀",
    "prediction",
    "a",
)
IDENTIFIERS = (
    st.lists(st.sampled_from(_PARTS), min_size=1, max_size=8).map("".join)
    | st.text(st.characters(codec="utf-8"), min_size=1, max_size=128)
).filter(is_identifier)
