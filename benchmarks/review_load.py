"""People who click, in a process of its own: `python -m benchmarks.review_load ADDRESS TRIAL SECONDS PASSWORD LOGIN..`.

Each opens the list, one of its pages or filters, a patient of it, and answers a criterion of every fifth. Prints JSON:
of each kind of request the seconds, and what was no good page. The time begins when all have signed in.
"""

import random
import re
import sys
import threading
import time
from collections import defaultdict
from threading import Barrier

import orjson
import requests

_CSRF = re.compile(r'name="csrf" value="([^"]*)"')
# what a person reads before the next click
_READS_SECONDS = (0.2, 1.0)
_QUERIES = ("", "?page=2", "?page=7", "?status=possible", "?arm=SLE", "?sort=last_contact")


class Clicking(threading.Thread):
    """One person at work."""

    def __init__(self, address: str, trial: str, seconds: float, login: str, password: str, all_in: Barrier) -> None:
        super().__init__()
        self._address, self._trial, self._seconds, self._all_in = address, trial, seconds, all_in
        self._login, self._password = login, password
        self._choice = random.Random(login)
        self._session = requests.Session()
        self.spent: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []

    def run(self) -> None:
        """Sign in and click until the time is over."""
        self._ask("sign-in", "/sign-in", login=self._login, password=self._password)
        self._all_in.wait()
        looked, until = 0, time.monotonic() + self._seconds
        while time.monotonic() < until:
            page = self._ask("list", f"/trials/{self._trial}{self._choice.choice(_QUERIES)}")
            people = sorted(set(re.findall(rf"/trials/{self._trial}/candidates/[A-Z2-7]+", page)))
            for patient in self._choice.sample(people, min(3, len(people))):
                looked += 1
                chart = self._ask("patient", patient)
                if looked % 5 == 0:
                    self._answer(patient, chart)
                self._ask("static file", "/static/review.css")

    def _answer(self, patient: str, chart: str) -> None:
        form = re.search(r'<form[^>]*action="([^"]*/answers?[^"]*)"[^>]*>(.*?)</form>', chart, re.DOTALL)
        if form is None:
            self.wrong.append("a patient page without a form for answers")
            return
        fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form[2]))
        self._ask("answer", form[1], **fields, word=self._choice.choice(("yes", "no", "not_sure")))

    def _ask(self, kind: str, path: str, **form: str) -> str:
        time.sleep(self._choice.uniform(*_READS_SECONDS))
        began = time.perf_counter()
        if form:
            answer = self._session.post(self._address + path, data=form, timeout=60, allow_redirects=False)
        else:
            answer = self._session.get(self._address + path, timeout=60)
        self.spent[kind].append(time.perf_counter() - began)
        # 409 is no error: somebody else answered the same in between, and both are shown
        if answer.status_code not in (200, 303, 409):
            self.wrong.append(f"{kind}: {answer.status_code}")
        return answer.text


def main() -> None:
    """Click, and print what it took."""
    address, trial, seconds, password, *logins = sys.argv[1:]
    all_in = Barrier(len(logins))
    people = [Clicking(address, trial, float(seconds), login, password, all_in) for login in logins]
    for one in people:
        one.start()
    spent: dict[str, list[float]] = defaultdict(list)
    for one in people:
        one.join()
        for kind, times in one.spent.items():
            spent[kind] += times
    sys.stdout.buffer.write(orjson.dumps({"spent": spent, "wrong": [text for one in people for text in one.wrong]}))


if __name__ == "__main__":
    main()
