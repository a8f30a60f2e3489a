from pathlib import Path

import pytest


@pytest.fixture
def receivables_data(data_dir: Path) -> Path:
    """Folder of the real receivables files (tests that use it are marked `data`)."""
    return data_dir / "ar"
