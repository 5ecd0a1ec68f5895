"""A small FHIR server in memory with the habits that a test gives it; the truth about servers is in tests/servers."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

Resource = dict[str, Any]
BEGAN = datetime(2026, 11, 20, 8, tzinfo=UTC)
TYPES = (
    "AllergyIntolerance", "Condition", "Encounter", "FamilyMemberHistory", "Immunization", "Medication",
    "MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement", "Observation",
    "Patient", "Procedure", "ResearchStudy", "ResearchSubject",
)  # fmt: skip
PARAMETERS = frozenset({"_id", "_lastUpdated", "patient", "code", "combo-code"})
_OF_FORM = frozenset({"_count", "_sort", "_summary", "_elements", "_total"})


@dataclass(frozen=True)
class Habits:
    """How the server differs from what one would wish."""

    links: str = "absolute"  # absolute, host, base, question: how a next link is written
    most: int = 1000  # of a page
    refuse_above: int | None = None  # a larger _count is answered with 400
    total: str = "none"  # none, exact, or a number
    without_next: bool = False
    forget_after: int | None = None  # so many pages of a search are given, then it is gone
    loop_at: int | None = None  # from this page on the next link leads to the page before
    same_page: bool = False  # the next link is another one each time, the page is not
    empty_pages: int = 0  # before the first page that is not empty
    passed_over: frozenset[str] = frozenset()  # parameters that change nothing
    tells_passed_over: bool = True  # the self link tells which were understood
    outcome: str | None = None  # the severity of an OperationOutcome in each page
    pretty: bool = False
    sorts: bool = True
    history: bool = True
    history_most: int | None = None
    history_dated: bool = True  # HAPI does not say when something was deleted
    parameters: frozenset[str] = PARAMETERS
    types: tuple[str, ...] = TYPES
    refused: frozenset[str] = frozenset()  # types that are answered with 403
    failing: frozenset[str] = frozenset()  # types that are answered with 500
    unlisted: frozenset[str] = frozenset()  # ids that paging passes over; asked for by the id they are there
    repeats: int = 0  # so many of the last page come again on the next one


@dataclass
class Searched:
    """The server: what it holds, its clock, and what it was asked."""

    habits: Habits = Habits()
    now: datetime = BEGAN
    held: dict[tuple[str, str], Resource] = field(default_factory=dict)
    versions: list[tuple[datetime, str, str, Resource | None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    before_answer: Callable[[str], None] = lambda _: None
    url: str = ""
    _kept: dict[str, tuple[str, list[tuple[str, str]], int]] = field(default_factory=dict)
    _given: dict[str, int] = field(default_factory=dict)

    def put(self, *resources: Resource) -> None:
        """Store resources as one transaction: all have one time."""
        self.now += timedelta(seconds=1)
        for one in resources:
            key = one["resourceType"], one["id"]
            version = sum(1 for _, kind, own_id, _ in self.versions if (kind, own_id) == key) + 1
            meta = {**one.get("meta", {}), "versionId": str(version), "lastUpdated": _instant(self.now)}
            self.held[key] = {**one, "meta": meta}
            self.versions.append((self.now, *key, self.held[key]))

    def delete(self, kind: str, own_id: str) -> None:
        """Remove a resource."""
        self.now += timedelta(seconds=1)
        del self.held[kind, own_id]
        self.versions.append((self.now, kind, own_id, None))

    def sleep(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def searches(self, kind: str = "") -> list[dict[str, str]]:
        """Return the parameters of every first page that was asked of a type."""
        found = (urlsplit(one) for one in self.asked)
        return [dict(parse_qsl(one.query)) for one in found if one.path == f"/fhir/{kind}"]

    def answer(self, target: str) -> tuple[Any, ...]:
        """Answer a GET with a status, what it says, and what headers it has."""
        self.asked.append(target)
        self.before_answer(target)
        parts = urlsplit(target)
        query = parse_qsl(parts.query, keep_blank_values=True)
        path = parts.path.removeprefix("/fhir").strip("/")
        if path == "metadata":
            return 200, self._capability()
        if token := dict(query).get("_page"):
            return self._page(token, int(dict(query)["_at"]), target)
        kind = path.partition("/")[0]
        if kind in self.habits.refused:
            return 403, _outcome("error", "forbidden")
        if kind in self.habits.failing:
            return 500, "broken"
        if kind not in self.habits.types:
            return 404, _outcome("error", "not-supported")
        return self._history(kind, dict(query)) if path.endswith("/_history") else self._search(kind, query)

    def _capability(self) -> Resource:
        interactions = ["read", "search-type", *(["history-type"] if self.habits.history else [])]
        resources = [
            {
                "type": kind,
                "interaction": [{"code": code} for code in interactions],
                "searchParam": [{"name": name, "type": "token"} for name in sorted(self.habits.parameters)],
            }
            for kind in self.habits.types
        ]
        software = {"name": "searched_server"}
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": "4.0.1",
            "software": software,
            "rest": [{"mode": "server", "resource": resources}],
        }

    def _search(self, kind: str, query: list[tuple[str, str]]) -> tuple[int, Any]:
        known = self.habits.parameters | _OF_FORM
        unknown = [name for name, _ in query if name not in known or (name == "_sort" and not self.habits.sorts)]
        if unknown:
            return 400, _outcome("error", f"unknown parameter {unknown[0]}")
        size = int(dict(query).get("_count", "20"))
        if self.habits.refuse_above is not None and size > self.habits.refuse_above:
            return 400, _outcome("error", "too large a page")
        used = [pair for pair in query if pair[0] not in self.habits.passed_over]
        found = [key for key, one in self.held.items() if key[0] == kind and all(_fits(one, pair) for pair in used)]
        if "_id" not in dict(query):
            found = [key for key in found if key[1] not in self.habits.unlisted]
        if ("_sort", "_lastUpdated") in used:
            found.sort(key=lambda key: (self.held[key]["meta"]["lastUpdated"], key))
        if dict(query).get("_summary") == "count":
            return 200, {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        told = used if self.habits.tells_passed_over else query
        token = str(len(self._kept))
        self._kept[token] = f"/fhir/{kind}?{urlencode(told)}", found, min(size, self.habits.most)
        return self._page(token, 0, f"/fhir/{kind}?{urlencode(told)}")

    def _page(self, token: str, at: int, target: str) -> tuple[int, Any]:
        habits = self.habits
        if token not in self._kept or self._given.get(token, 0) == (habits.forget_after or -1):
            return 410, _outcome("error", "unknown search")
        self._given[token] = self._given.get(token, 0) + 1
        own, found, size = self._kept[token]
        first = max(0, at - habits.empty_pages) * size
        first = 0 if habits.same_page else max(0, first - habits.repeats * (at > 0))
        some = found[first : first + size] if at >= habits.empty_pages else []
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset"}
        bundle["link"] = [{"relation": "self", "url": self.url.removesuffix("/fhir") + (own if at == 0 else target)}]
        following = self._following(token, at, first + size < len(found) or at < habits.empty_pages)
        if following:
            bundle["link"].append({"relation": "next", "url": following})
        if habits.total != "none":
            bundle["total"] = len(found) if habits.total == "exact" else int(habits.total)
        bundle["entry"] = [self._entry(self.held[key], own) for key in some if key in self.held]
        if habits.outcome:
            bundle["entry"].append({"search": {"mode": "outcome"}, "resource": _outcome(habits.outcome, "a word")})
        return 200, bundle

    def _following(self, token: str, at: int, more: bool) -> str | None:
        habits = self.habits
        if habits.without_next or not (more or habits.loop_at is not None or habits.same_page):
            return None
        step = at - 1 if habits.loop_at is not None and at >= habits.loop_at else at + 1
        question = f"?_page={token}&_at={step}"
        kind = urlsplit(self._kept[token][0]).path.rpartition("/")[2]
        return {
            "absolute": f"{self.url}{question}",
            "host": f"/fhir{question}",
            "base": f"/{kind}{question}",
            "question": question,
        }[habits.links]

    def _entry(self, resource: Resource, own: str) -> Resource:
        if "_elements" in dict(parse_qsl(urlsplit(own).query)):
            resource = {
                "resourceType": resource["resourceType"],
                "id": resource["id"],
                "meta": {"tag": [{"code": "SUBSETTED"}]},
            }
        return {
            "fullUrl": f"{self.url}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }

    def _history(self, kind: str, query: dict[str, str]) -> tuple[int, Any]:
        if not self.habits.history:
            return 400, _outcome("error", "no history")
        since = datetime.fromisoformat(query["_since"])
        found = [one for one in reversed(self.versions) if one[1] == kind and one[0] >= since]
        most = self.habits.history_most or len(found)
        entries = [_version(self.url, *one) for one in found[: min(most, int(query["_count"]))]]
        if not self.habits.history_dated:
            for entry in entries:
                entry["response"].pop("lastModified")
        return 200, {"resourceType": "Bundle", "type": "history", "total": len(found), "entry": entries}


def _version(url: str, at: datetime, kind: str, own_id: str, resource: Resource | None) -> Resource:
    method = "PUT" if resource else "DELETE"
    entry: Resource = {
        "fullUrl": f"{url}/{kind}/{own_id}",
        "request": {"method": method, "url": f"{kind}/{own_id}/_history/1"},
    }
    entry["response"] = {"status": "200", "lastModified": _instant(at)}
    return entry | ({"resource": resource} if resource else {})


def _fits(one: Resource, pair: tuple[str, str]) -> bool:
    name, value = pair
    if name == "_id":
        return one["id"] in value.split(",")
    if name == "_lastUpdated":
        updated, limit = datetime.fromisoformat(one["meta"]["lastUpdated"]), datetime.fromisoformat(value[2:])
        return updated >= limit if value.startswith("ge") else updated <= limit
    if name == "patient":
        reference = (one.get("subject") or one.get("patient") or one.get("individual") or {}).get("reference", "")
        return reference.removeprefix("Patient/") in value.split(",")
    if name in ("code", "combo-code", "component-code"):
        nodes = [one] if name != "component-code" else []
        nodes += one.get("component", []) if name != "code" else []
        codes = {coding.get("code") for node in nodes for coding in node.get("code", {}).get("coding", [])}
        return bool(codes & set(value.split(",")))
    return True


def _outcome(severity: str, text: str) -> Resource:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": "processing", "diagnostics": text}],
    }


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def serving(server: Searched) -> Iterator[Searched]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, content, *more = server.answer(self.path)
            body = (
                content.encode()
                if isinstance(content, str)
                else json.dumps(content, indent=1 if server.habits.pretty else None).encode()
            )
            self.send_response_only(status)
            self.send_header("Date", format_datetime(server.now, usegmt=True))
            self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in more[0].items() if more else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server.url = f"http://127.0.0.1:{listener.server_port}/fhir"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def with_habits(server: Searched, **habits: Any) -> None:
    """Change the habits of a server."""
    server.habits = replace(server.habits, **habits)


def address(path: str, **query: str) -> str:
    """Return a path with its question, for what a test expects."""
    return f"{path}?{urlencode(query, quote_via=quote)}"
