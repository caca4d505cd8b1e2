"""The views."""

from django.db.models import Count
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from arena.models import Match, Player


@require_GET
def read_player(request: HttpRequest, player: int) -> JsonResponse:
    found = get_object_or_404(Player, pk=player)
    return JsonResponse({"nickname": found.nickname, "standing": found.standing, "spent": str(found.spent)})


@require_GET
def list_ladder(request: HttpRequest) -> JsonResponse:
    players = Player.objects.annotate(wins=Count("won")).filter(wins__gt=0).order_by("-wins", "nickname")
    return JsonResponse({"ladder": [{"nickname": each.nickname, "wins": each.wins} for each in players[:10]]})


@require_POST
def report_match(request: HttpRequest) -> JsonResponse:
    players = [get_object_or_404(Player, nickname=request.POST[side]) for side in ("winner", "loser")]
    if any(player.standing != Player.Standing.ACTIVE for player in players):
        return JsonResponse({"error": "Only active players play."}, status=403)
    match = Match.objects.create(winner=players[0], loser=players[1])
    return JsonResponse({"match": match.pk}, status=201)
