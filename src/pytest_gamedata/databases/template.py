"""See to it that the template of a dataset is on the run's server: there already, from an earlier run, or built."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from pytest_gamedata.databases.cache_key import dataset_digest, foreign, template_name
from pytest_gamedata.databases.registry import Run, find_template, keep_template
from pytest_gamedata.databases.user_reads import describe_reads, hold, recorded_reads
from pytest_gamedata.postgres.clones import Admin, Connection, ensure_template
from pytest_gamedata.postgres.own.join import record_template
from pytest_gamedata.postgres.server import Server
from pytest_gamedata.settings import DatasetSpec

Facts = dict[str, Any]


def get_template(
    run: Run, admin: Admin, server: Server, spec: DatasetSpec, parts: tuple[Any, Any]
) -> tuple[str, Facts]:
    """Return the name and the facts of the template for a dataset; `parts` are its schema and factories."""
    found = find_template(run, spec, parts)
    if found is None:
        found = admin.run(lambda connection: _ensure_template(run, connection, server, spec, *parts))
        keep_template(run, spec, parts, found)
    return found


def _ensure_template(
    run: Run, admin: Connection, server: Server, spec: DatasetSpec, create_schema: Any, factories: Any
) -> tuple[str, Facts]:
    this_run = run.directory.name
    name, lasts = template_name(spec, create_schema, factories)

    def fill(dbname: str) -> Facts:
        from pytest_gamedata.databases.seed import seed

        # we know what we read: our own files, which the name tells
        is_own = not foreign(create_schema, factories)
        with nullcontext(set[str]()) if is_own else recorded_reads() as paths:
            facts = seed(server, dbname, spec, create_schema, factories)
        reads = describe_reads(paths)
        # nobody will ask again for a window that ends in this very second
        keep = lasts and reads is not None and spec.until != run.now
        return facts | {"run": this_run, "reads": reads, "keep": keep}

    def check(facts: Facts) -> Facts | None:
        if this_run in (facts["run"], facts.get("checked")):
            return facts
        return facts | {"checked": this_run} if hold(facts["reads"]) else None

    facts = ensure_template(admin, name, fill, check)
    about = {"dataset": dataset_digest(spec), "home": run.home}
    record_template(
        run.directory, name, {"built": facts["run"] == this_run, "keep": facts["keep"], "about": about}
    )
    return name, facts | {"cached": facts["run"] != this_run}
