"""Files are short enough to be read in one sitting."""

from __future__ import annotations

from house import python_files, shown

LONGEST = 300


def test_no_file_is_longer_than_a_sitting() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in python_files("src", "tests", "experiments")}
    assert {name for name, lines in lengths.items() if lines > LONGEST} == set()
