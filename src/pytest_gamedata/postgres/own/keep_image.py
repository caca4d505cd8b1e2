"""Keep an image of a stopped server, with the templates that its run has used and nothing else of the run.

Part of the keeper: the standard library only.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from .image import SUFFIX, evict, pack
from .run_files import ORIGIN, ServerPlan, read_template_records

LIMIT_BYTES = 2 << 30  # of all images together; one of 100 users has 30 MB, of 30,000 users 250 MB
OWN_DATABASES = 3  # postgres, template0, template1
COMMAND_SECONDS = 60.0
REFUSALS = (b"ERROR:", b"FATAL:", b"PANIC:")


def keep_image(plan: ServerPlan) -> None:
    """Write an image of the stopped server's data directory into the cache.

    No image is kept if the server holds databases that the run has not recorded as templates: those of a killed
    worker, or of a test.
    """
    used = read_template_records(Path(plan.run_dir))
    kept = {name: record for name, record in used.items() if record["keep"]}
    origin = Path(plan.run_dir, ORIGIN)
    restored = json.loads(origin.read_bytes())["templates"] if origin.exists() else {}
    others = (restored.keys() | used.keys()) - kept.keys()
    statements = [line for name in sorted(others) for line in _drop(name)]
    if not _run(plan, plan.single, "".join(f"{line}\n" for line in [*statements, *plan.scrub])):
        return
    databases = sum(path.name.isdigit() for path in Path(plan.data, "base").iterdir())
    if databases != OWN_DATABASES + len(kept) or not _run(plan, plan.resetwal):
        return
    images = Path(plan.images or "")
    names = hashlib.sha256("".join(sorted(kept)).encode()).hexdigest()[:16]
    about = {"templates": {name: record["about"] for name, record in kept.items()}}
    pack(Path(plan.data), images / f"{plan.family}-{names}{SUFFIX}", about)
    evict(images, LIMIT_BYTES)


def _drop(template: str) -> list[str]:
    return [f'ALTER DATABASE "{template}" IS_TEMPLATE false;', f'DROP DATABASE "{template}";']


def _run(plan: ServerPlan, command: list[str], lines: str = "") -> bool:
    """Run a command as the server's account; tell whether it succeeded, and refused none of the statements."""
    uid, gid = plan.account or (None, None)
    done = subprocess.run(
        command,
        input=lines.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=plan.environment,
        cwd="/",
        user=uid,
        group=gid,
        extra_groups=None if plan.account is None else [],
        timeout=COMMAND_SECONDS,
        check=False,
    )
    return done.returncode == 0 and not any(word in done.stdout for word in REFUSALS)
