"""What the documents say about commands and files holds for the program that they come with."""

import re
import shlex
from pathlib import Path

import click
import pytest

from cohortfinder.cli.main import application
from docs.commands import PAGE, page

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "mappings/*.md", "sample_bundles/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
    if path != PAGE
)
_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(cohortfinder [^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def command_lines(text: str) -> list[str]:
    """Return the command lines of `cohortfinder` in a document: lines of its blocks, and whole ones in its sentences."""
    blocks = [line.strip() for block in _BLOCK.findall(text) for line in block.splitlines()]
    inline = _INLINE.findall(_BLOCK.sub("", text))
    return [line for line in [*blocks, *inline] if line.startswith("cohortfinder ")]


def described() -> list[tuple[str, str]]:
    return [
        (str(path.relative_to(ROOT)), line)
        for path in FILES
        for line in command_lines(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("file", "line"), described())
def test_a_command_in_the_documents_exists_with_its_options(file: str, line: str) -> None:
    name, *arguments = shlex.split(line, comments=True)[1:]
    if name.startswith("-"):
        return
    with click.Context(application, info_name="cohortfinder") as top:
        command = application.get_command(top, name)
        assert command is not None, f"{file}: there is no command {name}"
        # A bare name in a sentence speaks of the command; with arguments it is one that somebody will paste.
        if arguments:
            command.make_context(name, arguments, parent=top)


def test_the_readme_shows_commands() -> None:
    assert len(command_lines((ROOT / "README.md").read_text(encoding="utf-8"))) >= 6


def test_a_wrong_option_in_a_document_would_be_found() -> None:
    with pytest.raises(click.NoSuchOption):
        test_a_command_in_the_documents_exists_with_its_options("x.md", "cohortfinder screen X --as-off 2026-11-20")


def test_the_page_of_the_commands_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.docs.commands"


def test_the_first_commands_of_the_readme_are_make_targets() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    chapter = text.split("## Two commands\n", 1)[1]
    block = _BLOCK.findall(chapter)[0]
    asked = [line.split()[1] for line in block.splitlines() if line.startswith("make ")]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert asked == ["demo", "test"]
    assert set(asked) <= targets


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_a_link_leads_to_a_file(path: Path) -> None:
    links = _LINK.findall(path.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []
