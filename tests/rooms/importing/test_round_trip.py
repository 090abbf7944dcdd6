"""What is exported reads back as the same county, whatever stands in its cells; what is stored is loaded as it was."""

import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from county_samples import FLAWLESS, folder_of, spoilt
from county_strategies import counties
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.words import Language
from rooms.county import County
from rooms.differences import compare
from rooms.exporting import csv_of, workbook_of, zip_of
from rooms.importing import read_county
from rooms.importing.sheets import DANGEROUS, neutral, plain

LANGUAGE = st.sampled_from(("zh_CN", "en"))


def reread(content: bytes, suffix: str) -> County:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"county{suffix}"
        path.write_bytes(content)
        reading = read_county(path)
    assert reading.county is not None, [(f.file, f.row, f.column, f.code, f.facts) for f in reading.errors]
    return reading.county


def unpacked(content: bytes) -> County:
    with TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
        reading = read_county(Path(folder))
    assert reading.county is not None, [(f.file, f.row, f.column, f.code, f.facts) for f in reading.errors]
    return reading.county


@given(county=counties(), language=LANGUAGE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_csv_files(county: County, language: Language) -> None:
    assert unpacked(zip_of(county, language)) == county


@given(county=counties(), language=LANGUAGE)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_workbook_and_zip(county: County, language: Language) -> None:
    assert reread(workbook_of(county, language), ".xlsx") == county
    assert reread(zip_of(county, language), ".zip") == county


@given(st.text(max_size=6).map(str.strip).filter(lambda text: "\r" not in text))
def test_neutral_cells_come_back(cell: str) -> None:
    written = neutral(cell)
    assert plain(written) == cell
    assert not written.startswith(tuple(DANGEROUS))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"]
)
def test_formulas_are_neutralised(tmp_path: Path, cell: str) -> None:
    """As a CSV cell and as a cell of a workbook the text begins with an apostrophe, and nothing is a formula."""
    assert csv_of(["h"], [[cell]]).decode("utf-8-sig").splitlines()[1].lstrip('"').startswith("'")
    files = spoilt(schools=FLAWLESS["schools"].replace("第一小学", f'"{cell}"'))
    county = read_county(folder_of(tmp_path, files)).county
    assert county is not None
    with zipfile.ZipFile(io.BytesIO(workbook_of(county))) as archive:
        assert b"<f>" not in b"".join(archive.read(name) for name in archive.namelist())


@given(before=counties(), after=counties())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_difference_is_none_only_between_equals(before: County, after: County) -> None:
    assert not compare(before, before).any
    counts = compare(before, after).counts()
    back = compare(after, before).counts()
    assert {file: (n["removed"], n["changed"], n["added"]) for file, n in back.items()} == {
        file: (n["added"], n["changed"], n["removed"]) for file, n in counts.items()
    }
