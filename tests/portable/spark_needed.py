"""What Spark needs and is not part of the extra `dev`: it is large. Its tests are skipped with one line that says what is missing."""

import shutil
from importlib.util import find_spec

import pytest

MISSING = " and ".join(
    said
    for said, there in (
        ("the extra 'spark' (pip install '.[spark]')", find_spec("pyspark")),
        ("Java 17", shutil.which("java")),
    )
    if not there
)
NEEDS_SPARK = [
    pytest.mark.skipif(bool(MISSING), reason=f"Spark is not asked: install {MISSING}"),
    pytest.mark.filterwarnings("default"),
]
