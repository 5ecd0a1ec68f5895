"""The page of the configuration: its example holds, and it leaves out no key and no variable."""

import re
from pathlib import Path

from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.settings import KEYS, read_settings

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
