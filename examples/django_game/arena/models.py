"""Players, their matches and what they bought."""

from django.db import models


class Player(models.Model):
    """A player's account."""

    class Standing(models.TextChoices):
        """What a player may do."""

        ACTIVE = "active"
        BARRED = "barred"
        GONE = "gone"

    nickname = models.CharField(max_length=40, unique=True)
    standing = models.CharField(max_length=10, choices=Standing.choices)
    level = models.PositiveIntegerField()
    country = models.CharField(max_length=2)
    spent = models.DecimalField(max_digits=12, decimal_places=2)
    joined = models.DateTimeField()
    last_seen = models.DateTimeField(null=True)
    motto = models.CharField(max_length=100, blank=True)
    settings = models.JSONField(default=dict)

    class Meta:
        """The order of lists."""

        ordering = ("nickname",)

    def __str__(self):
        return self.nickname


class Purchase(models.Model):
    """A movement of a player's money or goods."""

    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="purchases")
    kind = models.CharField(max_length=20)
    cents = models.BigIntegerField(null=True)
    made = models.DateTimeField()

    def __str__(self):
        return f"{self.kind} of {self.player_id}"


class Match(models.Model):
    """A match between two players."""

    winner = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="won")
    loser = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="lost")
    rounds = models.PositiveSmallIntegerField(default=3)
    reported = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return f"{self.winner_id} beat {self.loser_id}"
