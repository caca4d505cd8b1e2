"""Accounts, orders and guilds of a game."""

from guild_api.app import create_app

__all__ = ["create_app"]
