"""A test that imports nothing."""


def test_empty() -> None:
    """Do nothing."""
