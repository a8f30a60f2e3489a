import os
from pathlib import Path

import pytest


@pytest.fixture
def receivables_data(pytestconfig: pytest.Config) -> Path:
    """Folder of the real receivables files (tests that use it are marked `data`)."""
    return (pytestconfig.rootpath / os.environ.get("ENCOURS_DATA", "../shared/data") / "ar").resolve()
