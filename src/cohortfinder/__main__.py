"""`python -m cohortfinder` is the command `cohortfinder`."""

from cohortfinder.cli.main import run

run()
