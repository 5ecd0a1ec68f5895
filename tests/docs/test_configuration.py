"""The page of the configuration: its example holds, and it leaves out no key and no variable."""

import re
from pathlib import Path

import pytest

from cohortfinder import connection_settings, nightly_settings
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.resources import package_text
from cohortfinder.settings import KEYS, TABLES, read_settings

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")


def test_the_example_is_right_for_every_trial_that_it_names(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    file = tmp_path / "site.toml"
    file.write_text(block, encoding="utf-8")
    settings = read_settings(file, {})
    assert [*settings.parameters.by_trial] == ["NCT06983964", "T2D-EXAMPLE"]
    terminology = read_terminology(settings)
    for name, values in settings.parameters.by_trial.items():
        trial = read_trial(name, terminology, settings)
        held = {one.name: one.value for one in trial.parameters}
        assert {key: held[key] for key in values} == {key: one.value for key, one in values.items()}


def test_every_key_and_every_variable_is_told() -> None:
    assert [key for key in KEYS if f"\n{key} = " not in PAGE] == []
    assert [key for key in KEYS if f"`COHORTFINDER_{key.upper()}`" not in PAGE] == []


def test_every_key_of_the_fhir_server_is_told() -> None:
    (chapter,) = re.findall(r"^## The FHIR server.*?(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert [key for key in connection_settings.KEYS if f"`{key}`" not in chapter] == []
    assert [
        key for key, (default, *_) in connection_settings.NUMBERS.items() if f"default {default} |" not in chapter
    ] == []


def test_every_key_of_the_night_is_told() -> None:
    (chapter,) = re.findall(r"^## The night.*?(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert [key for key in nightly_settings.KEYS if f"`{key}`" not in chapter] == []
    assert [
        key for key, (default, *_) in nightly_settings.NUMBERS.items() if f"default {default} |" not in chapter
    ] == []


def test_the_file_that_init_writes_sets_nothing(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(package_text("configuration.toml"), encoding="utf-8")
    assert read_settings(file, {}) == read_settings(None, {})


@pytest.mark.parametrize("way", ["1", "2", "3", "4"])
def test_the_file_that_init_writes_is_right_without_its_marks(tmp_path: Path, way: str) -> None:
    """Every key stands in it, and all together are accepted, with one of the ways to say who asks."""
    text = package_text("configuration.toml")
    for other in {"1", "2", "3", "4"} - {way}:
        text = re.sub(rf"^# {other}\. .*?\n\n", "", text, flags=re.MULTILINE | re.DOTALL)
    if way in "12":
        text = re.sub(r"^# for 3 and 4.*?\n\n", "", text, flags=re.MULTILINE | re.DOTALL)
    file = tmp_path / "site.toml"
    file.write_text(re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE), encoding="utf-8")
    settings = read_settings(file, {})
    assert settings.fhir is not None
    assert settings.fhir.access is not None
    assert [
        name
        for name in (*KEYS, *TABLES, *connection_settings.KEYS, *nightly_settings.KEYS)
        if name not in package_text("configuration.toml")
    ] == []
