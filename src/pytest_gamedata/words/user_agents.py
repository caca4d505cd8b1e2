"""User agents of the app, the launcher, browsers and attackers' tools."""

from __future__ import annotations

# Versions of the app that are still in use, by platform family, and what it runs on; the models are made up.
_APP = ("3.4.1", "3.4.0", "3.3.2", "3.2.9")
_LAUNCHER = ("2.1.0", "2.0.7")
_DEVICES = {
    "android": ("Android 15; EX-A72", "Android 14; EX-A71", "Android 14; EX-G510", "Android 13; EX-G430",
                "Android 12; EX-M205"),
    "ios": ("iOS 18.1; iPhone", "iOS 17.6; iPhone", "iOS 16.7; iPhone", "iPadOS 17.6; iPad"),
    "windows": ("Windows NT 10.0; Win64; x64", "Windows NT 10.0; Win64; arm64"),
    "macos": ("Macintosh; macOS 15.1", "Macintosh; macOS 14.6"),
    "linux": ("X11; Linux x86_64",),
    "playstation": ("PlayStation 5", "PlayStation 4"),
    "xbox": ("Xbox Series X", "Xbox Series S", "Xbox One"),
    "switch": ("Nintendo Switch",),
}  # fmt: skip
_DESKTOPS = ("windows", "macos", "linux")
USER_AGENTS = {
    platform: tuple(
        f"ExampleLauncher/{version} ({device})"
        if platform in _DESKTOPS
        else f"ExampleGame/{version} ({device})"
        for version in (_LAUNCHER if platform in _DESKTOPS else _APP)
        for device in devices
    )
    for platform, devices in _DEVICES.items()
} | {
    "web": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15",
        "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    )
}
TOOL_USER_AGENTS = ("python-requests/2.31.0", "Go-http-client/1.1", "okhttp/4.12.0", "curl/8.5.0")
