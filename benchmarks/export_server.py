"""Exports the NDJSON files of a folder: `python -m benchmarks.export_server FOLDER` prints the address.

Its job is done at once, so that nothing but the files takes time.
"""

import json
import shutil
import sys
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

AT = "2026-11-01T00:00:00Z"


class Handler(BaseHTTPRequestHandler):
    """Answers the kick-off, the status of the one job, and its files."""

    def __init__(self, folder: Path, *given: object) -> None:
        self._folder = folder
        super().__init__(*given)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer by the last part of the path."""
        name = self.path.partition("?")[0].rpartition("/")[2]
        if name == "$export":
            self._answer(202, b"", ("Content-Location", f"{self._base()}/job"))
        elif name == "job":
            self._answer(200, json.dumps(self._manifest()).encode())
        elif name.endswith(".ndjson"):
            self._file(self._folder / name)
        else:
            self._answer(200, b'{"resourceType": "Bundle", "type": "searchset", "total": 0}')

    def do_DELETE(self) -> None:
        """Take every deletion."""
        self._answer(202, b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _base(self) -> str:
        return f"http://{self.headers['Host']}"

    def _manifest(self) -> dict[str, object]:
        files = [
            {"type": file.name.partition(".")[0], "url": f"{self._base()}/{file.name}"}
            for file in exported(self._folder)
        ]
        return {"transactionTime": AT, "requiresAccessToken": False, "output": files, "deleted": [], "error": []}

    def _file(self, path: Path) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+ndjson")
        self.send_header("Content-Length", str(path.stat().st_size))
        self.end_headers()
        with path.open("rb") as file:
            shutil.copyfileobj(file, self.wfile, 1 << 20)

    def _answer(self, status: int, content: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Length", str(len(content))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def exported(folder: Path) -> list[Path]:
    """Return the files of a folder that are exported."""
    return sorted(folder.glob("*.ndjson"))


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, Path(sys.argv[1]))) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
