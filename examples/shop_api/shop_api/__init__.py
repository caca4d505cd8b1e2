"""A game's shop: a catalogue, purchases with wallet currency, a ledger and a login."""

from shop_api.app import create_app

__all__ = ["create_app"]
