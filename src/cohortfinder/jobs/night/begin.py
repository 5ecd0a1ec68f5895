"""The beginning of a night: its record, the mappings and trials as they are now, and the index date."""

import platform
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from cohortfinder import __version__
from cohortfinder.errors import ConfigurationError, InputError
from cohortfinder.gates import read_gates
from cohortfinder.jobs.night.guards import unreadable
from cohortfinder.jobs.night.under_way import Log, Night, NightOptions, NotPublished
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.model import Override
from cohortfinder.runs.record import RunRecord, moment, new_run_id, run_ids
from cohortfinder.settings import Settings


def begin(settings: Settings, options: NightOptions, log: Log) -> Night:
    """Open the record of a new run. Raises ReadWriteError."""
    now = datetime.now(UTC)
    record = RunRecord(
        run_id=new_run_id(run_ids(settings.store), now),
        started_at=moment(now),
        versions={"cohortfinder": __version__, "duckdb": duckdb.__version__, "python": platform.python_version()},
        index_date=str(options.as_of or now.astimezone(_zone(settings.time_zone or "UTC")).date()),
    )
    night = Night(settings, options, record, log)
    night.keep()
    log(f"run {record.run_id}")
    return night


def read_inputs(night: Night) -> None:
    """Read the mappings and the configured trials; one that cannot be read keeps no other one from being screened.

    Raises ConfigurationError when the configuration is wrong, NotPublished when no trial can be read.
    """
    settings, record = night.settings, night.record
    night.terminology = read_terminology(settings)
    gates = read_gates(settings.gates)
    for name in settings.trials:
        try:
            trial = read_trial(name, night.known, settings)
        except (InputError, OSError) as error:
            told = error if isinstance(error, InputError) else InputError(f"{name}: {error.strerror}")
            night.refuse(unreadable(name, told))
            continue
        if trial.id in {one.id for one in night.trials.values()}:
            raise ConfigurationError(f"two of the configured trials have the id {trial.id}; leave one of them out")
        night.trials[name] = trial
    record.versions["mappings_sha256"] = night.known.sha256
    record.replay = {
        "site_inputs": {**night.known.inputs, **gates.inputs},
        "text_terms": night.known.text_terms,
        "parameters": {
            "common": _texts(settings.parameters.common),
            "by_trial": {trial: _texts(values) for trial, values in settings.parameters.by_trial.items()},
        },
        "gates": {
            "restricted": [sorted(one) for one in settings.gates.restricted],
            "test_labels": None
            if settings.gates.test_labels is None
            else [sorted(one) for one in settings.gates.test_labels],
        },
    }
    if not night.trials:
        raise NotPublished
    if night.options.as_of is None and settings.time_zone is None:
        first = next(iter(night.trials.values()))
        record.index_date = str(datetime.now(_zone(first.time_zone)).date())
    night.keep()


def _texts(values: Any) -> dict[str, str]:
    return {name: asdict(one)["value"] for name, one in values.items() if isinstance(one, Override)}


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
