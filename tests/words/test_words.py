from itertools import product

import numpy as np
import pytest

from pytest_gamedata import DatasetSpec, build_dataset
from pytest_gamedata import distributions as dist
from pytest_gamedata.columns.conversion import to_python
from pytest_gamedata.factories import UserFactory
from pytest_gamedata.words import load_words
from pytest_gamedata.words.items import PREFIXES, count_item_names, item_words
from pytest_gamedata.words.names import first_names
from pytest_gamedata.words.user_agents import USER_AGENTS
from pytest_gamedata.words.usernames import HANDLE_STEMS, handles

WORDS = load_words("usernames")
COINED = product(WORDS["onsets"], WORDS["vowels"], WORDS["codas"])
STEMS = ["".join(parts).lower() for parts in (*product(WORDS["starts"], WORDS["ends"]), *COINED)]


def usernames(users=400, seed=1):
    return to_python(
        build_dataset(DatasetSpec(users=users, transactions=0, auth_events=0, seed=seed)).tables["users"][
            "username"
        ]
    )


def test_no_two_handles_can_read_the_same():
    before = sorted({prefix.replace("_", "") for prefix in ("", *WORDS["prefixes"])})
    after = ("", *WORDS["tags"])
    readings = {prefix + stem + tag for prefix in before for stem in STEMS for tag in after}

    assert len(readings) == len(before) * HANDLE_STEMS * len(after)
    assert not [
        word
        for word in (*STEMS, *before, *after)
        if any(letter.isdigit() or letter == "_" for letter in word)
    ]


@pytest.mark.parametrize("first", [0, 900 * HANDLE_STEMS - 50_000, 1_000_000_000])
def test_handles_are_unique_whatever_their_case(first):
    number = np.arange(first, first + 100_000)
    found = handles(number, np.int64(7), np.random.default_rng(1))

    assert len(set(np.strings.lower(found).tolist())) == 100_000
    assert np.strings.str_len(found).max() <= 32


def test_the_ten_million_of_a_large_game_fit_before_the_handles_of_lone_users():
    numbers = [0, 1, 2, 342, 900, 10_000_000 // HANDLE_STEMS, 1_000_000_000 // HANDLE_STEMS]
    same_stem = np.array(numbers) * HANDLE_STEMS + 5
    tails = [handle.strip(b"_") for handle in handles(same_stem, np.int64(0), np.random.default_rng(3))]
    digits = [tail[len(tail.rstrip(b"0123456789")) :] for tail in tails]

    assert [len(tail) for tail in digits[1:]] == [3, 3, 3, 3, 3, 5]
    assert len(set(digits)) == len(digits)


def test_usernames_come_in_the_shapes_that_players_choose():
    names = usernames(2000)
    shares = {
        "digits at the end": sum(name[-1].isdigit() for name in names),
        "letters only": sum(name.isalpha() for name in names),
        "underscore": sum("_" in name for name in names),
        "lower case": sum(name.islower() for name in names),
        "inner capital": sum(
            any(letter.isupper() for letter in name[1:]) and not name.isupper() for name in names
        ),
    }

    assert all(200 < count < 1400 for count in shares.values()), shares
    assert all(5 <= len(name) <= 32 for name in names)


def test_another_seed_gives_other_usernames():
    def letters(seed):
        return {"".join(filter(str.isalpha, name.lower())) for name in usernames(100, seed)}

    assert usernames(100) == usernames(100)
    assert len(letters(1) & letters(2)) < 10


def test_no_handle_is_the_name_of_a_person():
    names = {name.lower() for locale in sorted(set(dist.LOCALES.values())) for name in first_names(locale)}

    assert not names & set(STEMS)


def test_a_display_name_is_a_first_name_of_the_locale():
    users = build_dataset(DatasetSpec(users=600, transactions=0, auth_events=0)).tables["users"]
    titled = 0
    for name, locale in zip(to_python(users["display_name"]), to_python(users["locale"]), strict=True):
        own = [first for first in first_names(locale) if name == first or name.startswith(f"{first} ")]
        assert own
        titled += locale.startswith("en") and name not in own

    english = (
        users["locale"].is_(*(word for word in users["locale"].categories if word.startswith("en"))).sum()
    )
    assert titled == pytest.approx(english / 3, rel=0.3)
    assert UserFactory.build(locale="sv-SE").display_name


def test_names_of_items_never_meet():
    names = [
        " ".join(item_words(item_type, rarity, wording))
        for item_type in PREFIXES
        for rarity in dist.RARITIES
        for wording in range(count_item_names(item_type, rarity))
    ]

    assert len(names) > 5000
    assert len(set(names)) == len(names)


def test_a_name_counts_on_where_its_words_end():
    count = count_item_names("equipment", "common")
    first = item_words("equipment", "common", 3)

    assert [item_words("equipment", "common", 3 + turn * count)[-1] for turn in (0, 1, 3, 8)] == [
        "",
        "II",
        "IV",
        "IX",
    ]
    assert item_words("equipment", "common", 3 + count)[:3] == first[:3]


def test_every_platform_has_user_agents_of_several_versions():
    assert set(USER_AGENTS) == set(dist.PLATFORMS)
    assert all(len(set(agents)) == len(agents) >= 2 for agents in USER_AGENTS.values())
