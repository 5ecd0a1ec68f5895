"""How long the laws are tried: by `make test` for a minute, with `COHORTFINDER_LAWS=long`, as in .ci/run, at length."""

import os

AT_LENGTH = os.environ.get("COHORTFINDER_LAWS") == "long"
