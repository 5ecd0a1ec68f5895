"""The configuration: every value with its place, and every error with the line to correct."""

from pathlib import Path

import pytest

from cohortfinder.errors import ConfigurationError
from cohortfinder.model import Override, Overrides
from cohortfinder.settings import Settings, read_settings


def written(folder: Path, text: str) -> Path:
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(file, {})
    return [line.removeprefix(f"{file.parent}/") for line in str(caught.value).splitlines()]


def test_without_a_file_everything_has_its_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings(None, {}) == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'store = "a"\nthreads = 2\n')
    settings = read_settings(file, {"COHORTFINDER_STORE": "b"})
    assert (settings.store, settings.threads) == (Path("b"), 2)


def test_trials_are_ids_or_files_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").touch()
    file = written(tmp_path, 'trials = ["NCT06983964", "ours.yaml"]\n')
    assert read_settings(file, {}).trials == ("NCT06983964", str(tmp_path / "ours.yaml"))
    assert read_settings(file, {"COHORTFINDER_TRIALS": "T2D-EXAMPLE, ours"}).trials == ("T2D-EXAMPLE", "ours")


def test_trials_that_are_no_list_are_told(tmp_path: Path) -> None:
    expected = 'site.toml:1: trials must be a list of ids and files, as ["NCT06983964", "trials/ours.yaml"]'
    assert problems(written(tmp_path, "trials = 3\n")) == [expected]
    assert problems(written(tmp_path, 'trials = ["a", 3]\n')) == [expected]


def test_parameters_are_common_or_of_one_trial_and_stay_as_written(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'store = "s"\n[parameters]\nbp_days = 3\nstore = "a parameter, not the store"\n\n'
        '[parameters.T2D-EXAMPLE]\nhba1c_lowest = "8 %"\nlimit = 0.50\n',
    )
    assert read_settings(file, {}).parameters == Overrides(
        {"bp_days": Override("3", f"{file}:3"), "store": Override("a parameter, not the store", f"{file}:4")},
        {"T2D-EXAMPLE": {"hba1c_lowest": Override("8 %", f"{file}:7"), "limit": Override("0.50", f"{file}:8")}},
    )


def test_dotted_names_and_inline_tables_are_the_same(tmp_path: Path) -> None:
    file = written(tmp_path, 'parameters."T.1".a = 1\nparameters.T2 = {b = 2}\n')
    assert read_settings(file, {}).parameters.by_trial == {
        "T.1": {"a": Override("1", f"{file}:1")},
        "T2": {"b": Override("2", f"{file}:2")},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[parameters]\na = true\n", "site.toml:2: the parameter 'a' must be a number or a text"),
        ("[parameters.T]\n\na = [1]\n", "site.toml:3: the parameter 'a' must be a number or a text"),
        ("[parameters.T.more]\na = 1\n", "site.toml:2: the parameter 'a' must be a number or a text"),
        ("parameters = 3\n", "site.toml:1: parameters must be a table of names and values"),
        ("\nthread = 2\n", "site.toml:2: unknown key 'thread'; known are store, time_zone, memory_limit, threads, trials, log_format, parameters, site, gates, fhir, nightly, review"),
        ("[store]\nfolder = 'x'\n", "site.toml:2: store is one value and no table"),
        ("store = ''\n", "site.toml:1: store must be a text that is not empty"),
        ("threads = 0\n", "site.toml:1: threads must be a whole number of at least 1"),
        ("threads = 1.5\n", "site.toml:1: threads must be a whole number of at least 1"),
        ("time_zone = 'Berlin'\n", "site.toml:1: 'Berlin' is no time zone; write one as Europe/Berlin"),
        ("memory_limit = '2 potatoes'\n", "site.toml:1: '2 potatoes' is no memory limit; write one as 2GB"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(written(tmp_path, text)) == [expected]


def test_what_is_no_toml_is_said(tmp_path: Path) -> None:
    (said,) = problems(written(tmp_path, "store = \n"))
    assert said.startswith("site.toml: not valid TOML: ")


@pytest.mark.parametrize(("line", "table"), [('url = "https://fhir.example"', "fhir"), ('mappings = "m"', "site")])
def test_a_key_without_its_table_is_told_where_it_belongs(tmp_path: Path, line: str, table: str) -> None:
    """As when the # before a value was removed and the one before its table was not."""
    file = tmp_path / "site.toml"
    file.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"site\.toml:1: .*it belongs under \[{table}\]"):
        read_settings(file, {})
