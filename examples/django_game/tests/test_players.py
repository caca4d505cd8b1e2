"""Views and models, on the seeded test database of pytest-django."""

import pytest
from django.test import TestCase, TransactionTestCase

from arena.models import Match, Player, Purchase


@pytest.mark.django_db
def test_players_are_there():
    assert Player.objects.count() == 100
    assert Purchase.objects.filter(cents__gt=0).exists()
    assert Match.objects.count() == 200


@pytest.mark.django_db
def test_players_have_the_standing_that_their_history_gives_them():
    standings = set(Player.objects.values_list("standing", flat=True))

    assert standings == {"active", "barred", "gone"}


@pytest.mark.django_db
def test_new_rows_get_free_ids():
    assert Match.objects.create(winner_id=1, loser_id=2).pk > 200


@pytest.mark.django_db
def test_a_player_is_read(client):
    player = Player.objects.order_by("-spent").first()

    response = client.get(f"/players/{player.pk}")

    assert response.json() == {
        "nickname": player.nickname,
        "standing": player.standing,
        "spent": str(player.spent),
    }


@pytest.mark.django_db
def test_the_ladder_is_sorted(client):
    wins = [each["wins"] for each in client.get("/ladder").json()["ladder"]]

    assert wins == sorted(wins, reverse=True)
    assert len(wins) == 10


class TestMatches(TestCase):
    """A class of Django's own kind, which connects before any fixture of a function."""

    def test_a_match_is_reported(self):
        winner, loser = Player.objects.all()[:2]

        response = self.client.post("/matches", {"winner": winner.nickname, "loser": loser.nickname})

        assert response.status_code == 201
        assert Match.objects.count() == 201

    def test_what_other_tests_report_is_not_seen(self):
        assert Match.objects.count() == 200

    def test_barred_players_do_not_play(self):
        winner, loser = Player.objects.all()[:2]
        Player.objects.filter(pk=loser.pk).update(standing=Player.Standing.BARRED)

        response = self.client.post("/matches", {"winner": winner.nickname, "loser": loser.nickname})

        assert response.status_code == 403


class TestTournament(TransactionTestCase):
    """A class whose tests commit: Django empties all tables after each, and the next test gets a new clone."""

    def test_all_matches_are_played_again(self):
        Match.objects.all().delete()

        assert not Match.objects.exists()

    def test_matches_are_there_for_the_next_test(self):
        assert Match.objects.count() == 200
