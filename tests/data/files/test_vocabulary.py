"""The words of vendors: in the spelling in which they are compared, and none with two meanings."""

from __future__ import annotations

import itertools

import pytest

from maestro.data.files import vocabulary
from maestro.data.files.names import plain

WORDS = {name: value for name, value in vars(vocabulary).items() if name.isupper() and isinstance(value, (set, dict))}


@pytest.mark.parametrize("name", sorted(WORDS.keys() - {"SERIES"}))
def test_words_are_written_as_they_are_compared(name: str) -> None:
    assert [word for word in WORDS[name] if plain(word) != word] == []


def test_a_word_means_one_thing() -> None:
    meanings = [set(vocabulary.FIELD_OF), vocabulary.EXACT_VOLUME, vocabulary.TICK_VOLUME, set(vocabulary.SYMBOLS)]
    for one, other in itertools.combinations(meanings, 2):
        assert not one & other
    assert not vocabulary.CLOSING & set(vocabulary.STAMPS)


def test_the_usual_words_come_first() -> None:
    assert vocabulary.FIELD_OF["close"] == ("close", 0)
    assert vocabulary.FIELD_OF["zuletzt"][0] == "close"
    assert vocabulary.SYMBOLS["symbol"] == 0
    assert vocabulary.STAMPS["opentime"] < vocabulary.STAMPS["date"]
