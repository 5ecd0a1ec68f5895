"""A small FHIR server in memory that exports in bulk what it holds, beside the searches of its base."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from searched_server import Resource, Searched, _fits, _instant


@dataclass
class Job:
    """One export: its question, and as of when it tells."""

    question: dict[str, str]
    at: str
    polls: int
    files: list[tuple[str, list[Resource]]] = field(default_factory=list)


@dataclass
class ExportedServer(Searched):
    """`polls`: how often a job is asked for until it is done; `part`: the share of its Observations that it exports."""

    polls: int = 0
    part: float = 1.0
    tells_deletions: bool = False
    errors: list[Resource] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    begun: int = 0

    def answer(self, target: str) -> tuple[Any, ...]:
        """Answer an export, else what the base answers."""
        path = urlsplit(target).path.removeprefix("/fhir/")
        if path.endswith("$export"):
            self.asked.append(target)
            return self._begin(dict(parse_qsl(urlsplit(target).query)))
        if path.startswith("job/"):
            self.asked.append(target)
            return self._status(path)
        if path.startswith("file/"):
            self.before_answer(target)
            _, number, place = path.split("/")
            return 200, "".join(json.dumps(one) + "\n" for one in self.jobs[number].files[int(place)][1])
        return super().answer(target)

    def exports(self) -> list[dict[str, str]]:
        """Return the parameters of every export that was begun."""
        found = (urlsplit(one) for one in self.asked)
        return [dict(parse_qsl(one.query)) for one in found if one.path.endswith("$export")]

    def _begin(self, question: dict[str, str]) -> tuple[Any, ...]:
        self.begun += 1
        job = self.jobs[str(self.begun)] = Job(question, _instant(self.now), self.polls)
        for kind in question["_type"].split(","):
            found = [one for key, one in self.held.items() if key[0] == kind and self._asked_for(one, question)]
            if some := found[: round(len(found) * (self.part if kind == "Observation" else 1))]:
                job.files.append((kind, some))
        return 202, "", {"Content-Location": f"{self.url}/job/{self.begun}"}

    def _asked_for(self, one: Resource, question: dict[str, str]) -> bool:
        if "_since" in question and one["meta"]["lastUpdated"] < question["_since"]:
            return False
        kind, _, search = question.get("_typeFilter", "").partition("?")
        pairs = parse_qsl(search) if kind == one["resourceType"] else []
        return all(_fits(one, (name, unquote(value))) for name, value in pairs)

    def _status(self, path: str) -> tuple[Any, ...]:
        job = self.jobs.get(path.removeprefix("job/"))
        if job is None:
            return 404, {"resourceType": "OperationOutcome", "issue": []}
        if job.polls:
            job.polls -= 1
            return 202, "", {"Retry-After": "120"}
        return 200, self._manifest(path.removeprefix("job/"), job)

    def _manifest(self, number: str, job: Job) -> Resource:
        listed = [
            {"type": kind, "url": f"{self.url}/file/{number}/{place}", "count": len(held)}
            for place, (kind, held) in enumerate(job.files)
        ]
        told: Resource = {"transactionTime": job.at, "requiresAccessToken": True, "output": listed, "error": []}
        if self.tells_deletions:
            told["deleted"] = self._listed(number, job, "Bundle", self._deletions(job))
        if self.errors:
            told["error"] = self._listed(number, job, "OperationOutcome", self.errors)
        return told

    def _listed(self, number: str, job: Job, kind: str, held: list[Resource]) -> list[Resource]:
        if not held:
            return []
        job.files.append((kind, held))
        return [{"type": kind, "url": f"{self.url}/file/{number}/{len(job.files) - 1}"}]

    def _deletions(self, job: Job) -> list[Resource]:
        since = datetime.fromisoformat(job.question.get("_since", "9999-01-01T00:00:00Z"))
        gone = [f"{kind}/{own_id}" for at, kind, own_id, held in self.versions if held is None and at >= since]
        entries = [{"request": {"method": "DELETE", "url": url}} for url in gone]
        return [{"resourceType": "Bundle", "type": "transaction", "entry": entries}] if entries else []
