"""A bulk export, from the question to files in a folder: whenever it is interrupted, the next call goes on.

    question ──► job on the server ──► manifest ──► files, checked ──► job deleted
                 export_job.py         export_manifest.py   export_files.py

Whatever is done is noted in the log of the folder (export_log.py) before anything goes on.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cohortfinder.errors import CohortFinderError, GoneError, ProtocolError, RefusedError
from cohortfinder.fhir.answers import Answer
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export_doubt import missing
from cohortfinder.fhir.export_files import Asked, fetch, is_whole
from cohortfinder.fhir.export_job import JobFailedError, Log, Patience, begun, deleted, finished
from cohortfinder.fhir.export_log import ExportLog, Fetched, Progress
from cohortfinder.fhir.export_manifest import OUTPUT, ExportFile, ExportManifest, joined, read_manifest
from cohortfinder.fhir.export_question import ExportQuestion
from cohortfinder.landing.exported import DELETED, ERROR, LOG
from cohortfinder.landing.labels import Labels

# A server that loses one job may do so by accident; one that loses two in a night is left alone until the next.
_NIGHT = timedelta(hours=12)
_MOST_PAGES = 1000
PATIENCE, LABELS = Patience(), Labels()


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export has brought: files for landing, and of each type how many resources.

    `watermark` is the time up to which it surely tells everything: the one that it says it stands for, but not later
    than the server's when it began. `failed` names the types of which something is missing, with the reason; `left_out`
    counts, by type, what the server sent and nobody had asked for, `dropped` what must not be stored.
    What is gone the files tell, if the server does: HAPI and Helios do not, so that it must be asked for besides.
    """

    watermark: str
    files: tuple[Path, ...]
    counts: Mapping[str, int]
    failed: Mapping[str, str]
    left_out: Mapping[str, int]
    dropped: int


def export(
    client: FhirClient, question: ExportQuestion, folder: Path, *, parallel: int = 4,
    patience: Patience = PATIENCE, labels: Labels = LABELS, log: Log = lambda _: None,
    check: Callable[[], None] = lambda: None,
) -> Exported:  # fmt: skip
    """Bring an export into a folder, which may hold one that was interrupted, and return what it is.

    What has one of the `labels` is dropped; `check` may raise to end the export before the next file.
    Raises BusyError while the server is not ready, and whatever the client raises; everything is kept, and the next
    call with the same question goes on.
    """
    run = _Run(client, Asked(question, labels, client.clock.now()), folder, parallel, patience, log, check)
    if not run.progress.complete:
        run.complete()
    return _exported(folder, run.progress)


class _LostError(Exception):
    """The server does not know the export any longer, or not its files."""

    def __init__(self, reason: CohortFinderError) -> None:
        self.reason = reason
        super().__init__(str(reason))


class _Run:
    """One try to bring an export to its end."""

    def __init__(
        self, client: FhirClient, asked: Asked, folder: Path, parallel: int, patience: Patience, log: Log,
        check: Callable[[], None],
    ) -> None:  # fmt: skip
        self._client, self._asked, self._question, self._folder = client, asked, asked.question, folder
        self._parallel, self._patience, self._log, self._check = parallel, patience, log, check
        self._written = ExportLog(folder, client.clock.now)
        self.progress = self._written.progress
        self._forget_damaged()

    def complete(self) -> None:
        """Take the export to its end, once more from its beginning when the server has lost it."""
        while True:
            try:
                return self._attempt()
            except _LostError as lost:
                self._forget(lost.reason)

    def _attempt(self) -> None:
        try:
            self._begin()
            manifest = self._manifest()
            try:
                self._fetch(manifest)
            except (GoneError, RefusedError):
                # the addresses of files expire: the manifest has new ones, or it is gone as well
                self._fetch_anew()
        except ProtocolError as error:
            self._note_loss(error)
            raise
        self._end()

    def _begin(self) -> None:
        if self.progress.job is not None:
            self._log("going on with the export that was begun earlier")
            return
        way, answer, job = begun(self._client, self._question)
        self._clear()
        if self._question.filters and not way.filtered:
            self._log("the server does not filter an export by code; everything comes and is filtered here")
        self._written.add(
            "kickoff", exportUrl=way.path.partition("?")[0], errorCode=None, errorBody=None,
            requestParameters=_told(self._question), _filtered=way.filtered,
            responseHeaders={"content-location": job, "date": answer.at.isoformat() if answer.at else None},
        )  # fmt: skip

    def _manifest(self) -> ExportManifest:
        """Wait for the manifest and return it, all its pages joined."""
        job = self.progress.job or ""
        pages: list[ExportManifest] = []
        address: str | None = job
        seen: set[str] = set()
        while address is not None:
            if address in seen or len(seen) > _MOST_PAGES:
                raise ProtocolError(f"{self._client.name} leads through its manifest in circles; ask who runs it")
            seen.add(address)
            answer = self._finished(address)
            pages.append(read_manifest(answer, self._client))
            address = pages[-1].following
        manifest = joined(pages)
        self._written.add("status_complete", transactionTime=manifest.transaction_time)
        marks = {file.name: file.mark for file in manifest.files}
        self._written.add(
            "manifest_complete", totalManifests=len(pages), **_counted(manifest), _marks=marks,
        )  # fmt: skip
        return manifest

    def _finished(self, address: str) -> Answer:
        try:
            return finished(self._client, address, self._patience, self._log)
        except GoneError as error:
            raise _LostError(error) from error
        except JobFailedError as error:
            self._note_loss(error)
            raise

    def _fetch(self, manifest: ExportManifest) -> None:
        """Download what is not there yet, side by side; what has come is noted, also when another file fails."""
        waiting = [file for file in manifest.files if self._is_wanted(file)]
        failed: list[CohortFinderError] = []
        with ThreadPoolExecutor(max_workers=self._parallel) as pool:
            coming = {pool.submit(self._fetch_one, file, manifest.authorized): file for file in waiting}
            try:
                for done in as_completed(coming):
                    if (error := self._note_file(coming[done], done)) is not None:
                        failed.append(error)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if failed:
            raise next((error for error in failed if not isinstance(error, GoneError | RefusedError)), failed[0])

    def _fetch_one(self, file: ExportFile, authorized: bool) -> Fetched:
        self._check()
        return fetch(self._client, file, self._folder, self._asked, authorized=authorized)

    def _note_file(self, file: ExportFile, done: Future[Fetched]) -> CohortFinderError | None:
        """Note a file that has come, or return why it has not."""
        try:
            fetched = done.result()
        except CohortFinderError as error:
            self._written.add("download_error", fileUrl=file.name, message=str(error))
            return error
        resources = sum(fetched.resources.values())
        self._written.add(
            "download_complete", fileUrl=file.name, fileSize=fetched.bytes, resourceCount=resources,
            _file=asdict(fetched),
        )  # fmt: skip
        self._log(f"{file.name}: {resources} resources")
        return None

    def _fetch_anew(self) -> None:
        try:
            self._fetch(self._manifest())
        except (GoneError, RefusedError) as error:
            raise _LostError(error) from error

    def _is_wanted(self, file: ExportFile) -> bool:
        if file.part == OUTPUT and file.resource_type not in self._question.types:
            self._log(f"the server exports {file.resource_type}, which was not asked for; it is not downloaded")
            return False
        return file.name not in self.progress.fetched

    def _end(self) -> None:
        fetched = self.progress.fetched.values()
        brought = {kind for file in fetched for kind in (*file.resources, *file.problems)}
        brought |= {file.resource_type for file in fetched if file.dropped}
        absent = missing(self._client, self._question, brought, watermark(self.progress), self._log)
        self._written.add(
            "export_complete", files=len(fetched), bytes=sum(file.bytes for file in fetched),
            resources=sum(sum(file.resources.values()) for file in fetched), attachments=None,
            _missing=absent,
        )  # fmt: skip
        deleted(self._client, self.progress.job or "", self._log)

    def _forget(self, reason: CohortFinderError) -> None:
        """Forget a job that is lost. Raises the reason when it is not the first one this night."""
        begun_tonight = [at for at in self.progress.begun if self._client.clock.now() - at < _NIGHT]
        self._note_loss(reason)
        if len(begun_tonight) > 1:
            raise reason
        self._log("the server has lost the export; a new one is begun")

    def _note_loss(self, error: CohortFinderError) -> None:
        self._written.add("status_error", message=str(error), code=getattr(error, "status", None), body=None)

    def _forget_damaged(self) -> None:
        """Download again what is no longer as it was fetched."""
        fetched = self.progress.fetched
        for name in [name for name, file in fetched.items() if not is_whole(self._folder, file)]:
            del fetched[name]
            self.progress.complete = False

    def _clear(self) -> None:
        """Remove the files of a job that is lost; the log stays."""
        for path in self._folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOG:
                path.unlink()


def _exported(folder: Path, progress: Progress) -> Exported:
    fetched = [file for _, file in sorted(progress.fetched.items())]
    counts: Counter[str] = Counter()
    failed: dict[str, str] = {}
    for file in fetched:
        counts.update(file.resources)
        failed.update(file.problems)
    failed.update(progress.missing)
    # what is gone comes first, then what is there
    ordered = sorted(fetched, key=lambda file: (DELETED, OUTPUT, ERROR).index(file.part))
    return Exported(
        watermark(progress), tuple(folder / file.name for file in ordered),
        dict(counts), failed, _left_out(fetched), sum(file.dropped for file in fetched),
    )  # fmt: skip


def watermark(progress: Progress) -> str:
    """Return up to when an export surely tells everything: some servers tell the time at which it ended."""
    return min(filter(None, (progress.transaction_time, progress.server_time)), key=datetime.fromisoformat)


def _left_out(fetched: Iterable[Fetched]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for file in fetched:
        counted[file.resource_type] += file.left_out
    return {kind: number for kind, number in counted.items() if number}


def _told(question: ExportQuestion) -> dict[str, str]:
    """Return the parameters for the log: never a patient's."""
    told = {"_type": ",".join(question.types), "_since": question.since or ""}
    return {name: value for name, value in told.items() if value}


def _counted(manifest: ExportManifest) -> dict[str, int]:
    parts = Counter(file.part for file in manifest.files)
    names = {OUTPUT: "totalOutputFileCount", DELETED: "totalDeletedFileCount", ERROR: "totalErrorFileCount"}
    return {name: parts[part] for part, name in names.items()}
