"""User agents of the app, the launcher, browsers and attackers' tools."""

from __future__ import annotations

from pytest_gamedata.words import load_words


def _each_version(
    product: str, versions: list[str], devices: dict[str, list[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the user agents of a product by platform, for each of its versions on each device."""
    return {
        platform: tuple(f"{product}/{version} ({device})" for version in versions for device in names)
        for platform, names in devices.items()
    }


_AGENTS = load_words("user_agents")
USER_AGENTS = {  # by platform
    **_each_version("ExampleGame", _AGENTS["app"], _AGENTS["consoles_and_phones"]),
    **_each_version("ExampleLauncher", _AGENTS["launcher"], _AGENTS["desktops"]),
    "web": tuple(_AGENTS["browsers"]),
}
TOOL_USER_AGENTS = tuple(_AGENTS["tools"])
