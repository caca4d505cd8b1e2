"""The errors and warnings, one class for each that a caller could treat differently."""

from __future__ import annotations


class GamedataError(Exception):
    """Base of every error that pytest-gamedata raises on purpose."""


class SettingsError(GamedataError):
    """An option, ini value or marker has a value that is not allowed."""


class BinariesNotFoundError(GamedataError):
    """No usable PostgreSQL server binaries were found."""


class ServerError(GamedataError):
    """The PostgreSQL server could not be started, or stopped answering."""


class DatasetInvalidError(GamedataError):
    """Generated rows break a rule of the dataset."""


class SessionMissingError(GamedataError, RuntimeError):
    """A factory was asked to persist a row and has no session to do it with."""


class LoadError(GamedataError):
    """Rows could not be loaded into a database."""


class ClearError(GamedataError):
    """A table cannot be cleared: it, or what refers to it, is not ours."""


class CacheWarning(UserWarning):
    """The cache of earlier runs cannot be used."""


class LeakedConnectionWarning(UserWarning):
    """A test left a connection to its database open."""
