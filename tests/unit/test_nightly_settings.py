"""The table [nightly]: what is given is read, and every error has its line."""

from pathlib import Path

import pytest

from cohortfinder.errors import ConfigurationError
from cohortfinder.nightly_settings import NightlySettings
from cohortfinder.settings import read_settings
from cohortfinder.site import SiteFile


def write(folder: Path, text: str) -> Path:
    file = folder / "site.toml"
    file.write_text("[nightly]\n" + text, encoding="utf-8")
    return file


def test_what_is_given_is_read(tmp_path: Path) -> None:
    file = write(
        tmp_path, 'keep = 3\nshrink_percent = 5\nlink = "https://lists.example"\nanswers = {ONE = "one.csv"}\n'
    )
    assert read_settings(file, {}).nightly == NightlySettings(
        keep=3,
        shrink_percent=5,
        link="https://lists.example",
        answers={"ONE": SiteFile(tmp_path / "one.csv", f"{file}:5")},
    )


def test_one_file_of_answers_is_that_of_the_only_trial(tmp_path: Path) -> None:
    file = write(tmp_path, 'answers = "ours.csv"\n')
    assert read_settings(file, {}).nightly.answers == {"": SiteFile(tmp_path / "ours.csv", f"{file}:2")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("keep = 0\n", "keep must be a whole number from 1 to 1000"),
        ("keep = true\n", "keep must be a whole number from 1 to 1000"),
        ("shrink_percent = 101\n", "shrink_percent must be a whole number from 1 to 100"),
        ('link = ""\n', "link must be a text that is not empty"),
        ("answers = 3\n", "answers must name a file, or files by the ids of trials"),
        ("keeps = 3\n", "unknown key 'keeps' under [nightly]; known are keep, shrink_percent"),
        ("keep.a = 3\n", "unknown key 'keep.a' under [nightly]; known are keep, shrink_percent"),
    ],
)
def test_an_error_has_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_settings(write(tmp_path, text), {})
    assert f"site.toml:2: {told}" in str(raised.value)
