"""The examination of a server as one self-contained HTML page, to send to a colleague."""

from cohortfinder.report.diagnosis import ASPECTS, SEVERITIES, Diagnosis
from cohortfinder.report.html import page_environment

SYMBOLS = {"error": "✗", "warning": "!", "note": "i", "fine": "✓"}


def doctor_html(diagnosis: Diagnosis) -> bytes:
    """Return the page."""
    template = page_environment().get_template("doctor.html.jinja")
    page = template.render(diagnosis=diagnosis, severities=SEVERITIES, symbols=SYMBOLS, labels=ASPECTS)
    return page.encode("utf-8")
