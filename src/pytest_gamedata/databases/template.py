"""Find the template of a dataset on the run's server, or build it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pytest_gamedata.databases.cache_key import dataset_digest, template_name
from pytest_gamedata.databases.parts import Parts
from pytest_gamedata.databases.registry import Facts, Run, Template, find_template, remember_template
from pytest_gamedata.postgres.clones import Admin, ensure_template
from pytest_gamedata.postgres.own.join import record_template
from pytest_gamedata.settings import DatasetSpec


def get_template(run: Run, admin: Admin, spec: DatasetSpec, parts: Parts) -> Template:
    """Return the template for a dataset, built if it is not there."""
    template = find_template(run, spec, parts)
    if template is None:
        template = _ensure(run, admin, spec, parts)
        remember_template(run, spec, parts, template)
    return template


def _ensure(run: Run, admin: Admin, spec: DatasetSpec, parts: Parts) -> Template:
    name, lasts = template_name(run, spec, parts)
    keep = lasts and spec.until != run.now  # no later run has the same `now`

    def fill(dbname: str) -> str:
        from pytest_gamedata.databases.seed import seed  # imports numpy and Factory Boy

        facts = seed(admin.server, dbname, spec, parts)
        return replace(facts, run=run.directory.name, keep=keep).to_json()

    facts = Facts.from_json(admin.run(partial(ensure_template, name=name, fill=fill)))
    about = {"dataset": dataset_digest(spec), "home": run.home}
    note = {"built": facts.run == run.directory.name, "keep": facts.keep, "about": about}
    record_template(run.directory, name, note)
    return Template(name, facts)
