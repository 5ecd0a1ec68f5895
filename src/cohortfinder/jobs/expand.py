"""The job `expand`: ask a terminology server once what lies below the codes of the concepts, and keep the answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from cohortfinder.connection import BearerAccess, Connection
from cohortfinder.errors import ConfigurationError, QuestionError, ServerError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.terminology_server import Expansion, TerminologyServer
from cohortfinder.report.files import write_bytes
from cohortfinder.resources import resource_dir
from cohortfinder.secret import Secret
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology, load_terminology
from cohortfinder.terminology.expansions import FORMAT, content_hash

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Expanded:
    """What was asked and kept; `problems` are the questions without an answer, with the server's reason."""

    file: Path
    server: Mapping[str, str]
    asked: int
    codes: int
    problems: Mapping[str, str]

    @property
    def exit_status(self) -> int:
        """0, or 3 when some questions have no answer."""
        return 3 if self.problems else 0


def expand_concepts(
    settings: Settings, *, server: str | None = None, out: Path | None = None, token: str | None = None,
    log: Log = lambda _: None,
) -> Expanded:  # fmt: skip
    """Ask the server of the configuration, or another one, and write the answers where a screening looks for them.

    Raises ConfigurationError when it is not said whom to ask or where to keep it, ServerError when nothing could be
    expanded; what was kept before then stays.
    """
    url = server or settings.site.terminology_server
    file = out or (settings.site.expansions.path if settings.site.expansions else None)
    if url is None or file is None:
        missing = "whom to ask (--server, or terminology_server" if url is None else "where to (--out, or expansions"
        raise ConfigurationError(f"say {missing} under [site] of the configuration)")
    asking = replace(settings.site, expansions=None)
    terminology = load_terminology(resource_dir("mappings"), asking, asking=True)
    access = BearerAccess(Secret(token)) if token else None
    with FhirClient(Connection(url, access)) as client:
        kept = _Kept(TerminologyServer(client), log)
        kept.ask(terminology)
    content = kept.content()
    write_bytes(file, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    codes = sum(len(one["below"]) for one in kept.descendants) + sum(len(one["codes"]) for one in kept.value_sets)
    return Expanded(file, kept.server, kept.asked, codes, kept.problems)


class _Kept:
    """The answers, as they are gathered."""

    def __init__(self, server: TerminologyServer, log: Log) -> None:
        self._server, self._log = server, log
        self.server = server.software()
        self.asked = 0
        self.descendants: list[dict[str, Any]] = []
        self.value_sets: list[dict[str, Any]] = []
        self.problems: dict[str, str] = {}
        self._versions: set[str] = set()

    def ask(self, terminology: Terminology) -> None:
        """Ask everything that the concepts leave open."""
        questions = terminology.questions
        self.asked = len(questions.codes) + len(questions.value_sets)
        self._log(f"asking {self.server['url']} ({self.server['software'] or 'it does not say what it is'})")
        for system, code in questions.codes:
            if answer := self._answer(f"{system}|{code}", partial(self._server.below, system, code)):
                found = {one for given, one in answer.codes if terminology.system_of(given) == system}
                self.descendants.append({"system": system, "code": code, "below": sorted(found - {code})})
        for digest, path in sorted(questions.value_sets.items()):
            value_set = json.loads(path.read_bytes().decode("utf-8-sig"))
            if answer := self._answer(str(path), partial(self._server.expand, value_set)):
                codes = sorted((terminology.system_of(system) or system, code) for system, code in answer.codes)
                self.value_sets.append({"file": path.name, "sha256": digest, "codes": codes})
        if self.asked and not self.descendants and not self.value_sets:
            reason = next(iter(self.problems.values()))
            raise ServerError(f"nothing of {self.asked} questions could be expanded, the first because {reason}")

    def _answer(self, question: str, ask: Callable[[], Expansion]) -> Expansion | None:
        try:
            answer = ask()
        except QuestionError as error:
            self.problems[question] = str(error)
            return None
        self._versions |= answer.versions
        return answer

    def content(self) -> dict[str, Any]:
        """Return what the file holds."""
        held = {
            "format": FORMAT,
            "expanded_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "server": self.server,
            "code_systems": sorted(self._versions),
            "descendants": self.descendants,
            "value_sets": self.value_sets,
            "problems": self.problems,
        }
        return {**held, "sha256": content_hash(held)}
