"""The list of features and the tests that show them."""

from pathlib import Path

import pytest

from libs.testkit import features

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[3]

MODULE = """
import pytest
pytestmark = [pytest.mark.slow, pytest.mark.feature("L1")]

@pytest.mark.feature("F2", "F3")
async def test_one(): ...

class TestMany:
    @pytest.mark.parametrize("x", [1])
    @pytest.mark.feature("F3")
    def test_two(self): ...

def helper(): ...
"""


def checkout(directory: Path, lines: str, module: str = MODULE) -> Path:
    (directory / "tests" / "stories").mkdir(parents=True)
    (directory / "tests" / "features.txt").write_text(lines)
    (directory / "tests" / "stories" / "test_x.py").write_text(module)
    return directory


def test_the_checklist_is_whole() -> None:
    known = features.read_ids(ROOT)
    counts = {letter: len([i for i in known if i[0] == letter]) for letter in "LRCDGFN"}
    assert counts == {"L": 22, "R": 36, "C": 41, "D": 25, "G": 21, "F": 118, "N": 15}
    assert all(title.strip() == title and title for title in known.values())


def test_marks_on_functions_classes_and_modules_are_found(tmp_path: Path) -> None:
    shown = features.shown(checkout(tmp_path, "L1 — one\nF2 — two\n"))
    one, two = "tests/stories/test_x.py::test_one", "tests/stories/test_x.py::TestMany::test_two"
    assert shown == {"L1": [one, two], "F2": [one], "F3": [one, two]}


@pytest.mark.parametrize("lines", ["L1 one\n", "L1 — one\nL1 — again\n", "1 — one\n"])
def test_a_bad_line_is_named(tmp_path: Path, lines: str) -> None:
    with pytest.raises(ValueError, match=r"tests/features.txt:\d"):
        features.read_ids(checkout(tmp_path, lines))


def test_required_features_must_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout(tmp_path, "L1 — one\nL2 — two\n")
    monkeypatch.setattr(features, "__file__", str(tmp_path / "libs" / "testkit" / "features.py"))
    assert features.main(["L1"]) == 0
    assert features.main(["L1", "L2"]) == 1
    captured = capsys.readouterr()
    assert "1 of 2 features are shown by tests" in captured.out
    assert captured.err == "not shown by any test: L2\n"


def test_real_inputs_are_deselected_where_they_are_absent(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout(
        pytester.path,
        "L1 — one\n",
        "import pytest\n@pytest.mark.data\ndef test_a(): ...\ndef test_b(): ...\n",
    )
    configure(pytester)
    monkeypatch.setenv("ENCOURS_DATA", str(pytester.path / "nowhere"))
    result = pytester.runpytest_subprocess("-p", "libs.testkit.plugin")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["1 tests of real inputs deselected: ENCOURS_DATA (*nowhere) is not there"])
    monkeypatch.setenv("ENCOURS_DATA", str(pytester.path))
    pytester.runpytest_subprocess("-p", "libs.testkit.plugin").assert_outcomes(passed=2)


def test_an_unknown_feature_is_refused(pytester: pytest.Pytester) -> None:
    checkout(pytester.path, "L1 — one\n", "import pytest\n@pytest.mark.feature('L2')\ndef test_a(): ...\n")
    configure(pytester)
    result = pytester.runpytest_subprocess("-p", "libs.testkit.plugin")
    assert result.ret != 0
    result.stderr.fnmatch_lines(["*test_a: no such feature: L2*"])


def configure(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        "[tool.pytest.ini_options]\nasyncio_mode = 'auto'\n"
        f"pythonpath = ['{ROOT}']\nmarkers = ['data: x', 'feature: x']\n"
    )
    pytester._monkeypatch.setenv("PYTHONPATH", str(ROOT))
