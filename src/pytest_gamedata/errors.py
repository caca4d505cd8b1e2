"""The errors and warnings, one class for each that a caller could treat differently.

GamedataError
├── SettingsError         an option, ini value or marker that is not allowed
├── BinariesNotFoundError no usable PostgreSQL binaries on this machine
├── ServerError           the server could not be started, or is gone
├── LoadError             rows could not be loaded into a database
├── ClearError            a table is not one of ours, or rows of another table refer to it
├── DatasetInvalidError   generated rows that break a rule
└── SessionMissingError   a factory's create() outside gamedata_session
"""

from __future__ import annotations


class GamedataError(Exception):
    """Base of every error that pytest-gamedata raises on purpose."""


class SettingsError(GamedataError):
    """A setting has a value that is not allowed."""


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
