"""From the name of a dataset to train, valid and test arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.data.dataset import CLEAN, ID, PARTITION, SOURCE, TARGET, Dataset
from assay.data.records import Arrays, PreparedData
from assay.errors import AssayError, InputError

if TYPE_CHECKING:
    import numpy as np

    from assay.arrays import Floats, Integers
    from assay.data.encoding.encoded import EncodedRows
    from assay.data.population import Population


def prepare(
    *,
    name: str,
    kind: str,
    modality: str,
    path: str | None,
    target: str | None,
    features: Sequence[str] | None,
    types: Mapping[str, str],
    rows: int | None,
    download: bool,
    split: Mapping[str, float],
    corruption: Mapping[str, Any],
    sources: Mapping[str, Any],
    preprocess: Mapping[str, Any],
    data_dir: Path,
    generator: Callable[[str], np.random.Generator],
    missing: str = "error",
    encoding: str = "utf-8",
    classes: Sequence[str] | Sequence[Sequence[str]] | None = None,
    synthetic: Mapping[str, Any] | None = None,
) -> PreparedData:
    """Load a dataset, subsample, split, encode, corrupt train and divide it into sources; all draws from `generator`.

    `generator` gives independent streams for "rows", "split", "corruption" and "sources". Everything that is fitted
    (standardisation, principal components, the scale of a regression target, categories that a dataset does not
    declare) is fitted on the valid rows alone: valid is public by assumption, so that private rows go through a fixed
    map. Labels and feature noise are applied to train alone; noise is added before standardisation.
    An encoder is a public network, fixed beforehand, that reads one row at a time.
    A private method's guarantee is for one row of the prepared train part: which rows are in it (split by label), the
    columns' types, the classes, who owns which row and the injected corruption are taken as given; so is which rows
    missing=drop left out.
    Raises InputError for what a user can mend.
    """
    from assay.data.changes import with_classes
    from assay.data.sources.providers import load

    dataset = load(
        name,
        kind=kind,
        modality=modality,
        path=path,
        target=target,
        features=features,
        types=types,
        download=download,
        data_dir=Path(data_dir),
        missing=missing,
        encoding=encoding,
        synthetic=synthetic,
    )
    store = _store(name, preprocess, Path(data_dir))
    return arrays_of(
        with_classes(dataset, classes), rows, split, corruption, sources, preprocess, generator, store=store
    )


def _store(name: str, preprocess: Mapping[str, Any], data_dir: Path) -> EncodedRows | None:
    """Where the rows of a dataset are kept as the chosen encoder sees them."""
    if preprocess.get("encoder") is None:
        return None
    from assay.data.encoding.encoded import EncodedRows
    from assay.data.encoding.encoders import encoder_of

    return EncodedRows(name, encoder_of(preprocess["encoder"]), data_dir)


def arrays_of(
    dataset: Dataset,
    rows: int | None,
    split: Mapping[str, float],
    corruption: Mapping[str, Any],
    sources: Mapping[str, Any],
    preprocess: Mapping[str, Any],
    generator: Callable[[str], np.random.Generator],
    *,
    store: EncodedRows | None = None,
) -> PreparedData:
    """The part of `prepare` that follows loading."""
    import numpy as np

    from assay.data.corruption import corrupt
    from assay.data.encoding.features import encode, fit_map, pixel_channels, vocabularies

    parts = _choose_rows(dataset, rows, split, generator)
    valid = parts[1]
    categories = vocabularies(dataset, valid)
    encoded = {} if store is None else store.columns(dataset, np.concatenate(parts))
    matrices: list[Floats] = []
    names: list[str] = []
    for part in parts:
        matrix, names = encode(dataset, part, categories, int(preprocess["buckets"]), encoded)
        matrices.append(matrix)
    targets = [np.asarray(dataset.numbers(TARGET, part)) for part in parts]
    population = _untouched(dataset, preprocess)
    if dataset.kind == "regression":
        targets = targets if population is not None else _standardised(targets)
    elif len(np.unique(targets[0])) < 2:
        raise InputError("dataset.split.train", len(parts[0]), "train rows of one class only", "use more rows")
    original = _flags(dataset, parts)
    mapping = fit_map(
        matrices[1],
        bool(preprocess["standardize"]),
        preprocess["components"],
        preprocess["norm"],
        None if encoded else pixel_channels(dataset),
    )
    owners = _owners(dataset, parts, targets[0], sources, generator)
    matrices[0], damaged, clean = corrupt(
        matrices[0],
        targets[0],
        kind=dataset.kind,
        classes=len(dataset.classes),
        labels=float(corruption["labels"]),
        noise=float(corruption["features"]),
        scale=float(corruption["scale"]),
        generator=generator("corruption"),
        source=owners[0],
        sources=corruption.get("sources"),
    )
    components = preprocess["components"]
    labels = [damaged, *targets[1:]]
    flags = [clean & original[0], *original[1:]]
    train, valid_part, test = (
        Arrays(mapping(matrices[i]), labels[i], dataset.numbers(ID, parts[i]), flags[i], owners[i]) for i in range(3)
    )
    return PreparedData(
        train=train,
        valid=valid_part,
        test=test,
        kind=dataset.kind,
        classes=dataset.classes,
        feature_names=tuple(names) if components is None else tuple(f"component_{i + 1}" for i in range(components)),
        modality="table" if encoded else dataset.modality,
        provenance=dataset.provenance,
        source_names=() if sources["count"] else dataset.source_names,
        description=dataset.description,
        population=population,
    )


def _untouched(dataset: Dataset, preprocess: Mapping[str, Any]) -> Population | None:
    """The population of the rows, where preprocessing leaves them as they were drawn."""
    changed = preprocess["standardize"] or preprocess["components"] is not None or preprocess["norm"] is not None
    return None if changed else dataset.population


def _choose_rows(
    dataset: Dataset, rows: int | None, split: Mapping[str, float], generator: Callable[[str], np.random.Generator]
) -> list[Integers]:
    """Positions of train, valid and test in the dataset, after the subsample to `rows`."""
    import numpy as np

    from assay.data.split import split_rows, stratified_parts

    classification = dataset.kind == "classification"
    strata = np.asarray(dataset.numbers(TARGET)) if classification else np.zeros(len(dataset), dtype=np.int64)
    partition = np.asarray(dataset.numbers(PARTITION)) if dataset.has(PARTITION) else None
    positions = np.arange(len(dataset)) if dataset.kept is None else dataset.kept
    if rows is not None:
        if not 1 <= rows <= len(positions):
            raise InputError("dataset.rows", rows, f"must be in 1..{len(positions)}", "null takes every row")
        joint = (strata if partition is None else strata * 2 + partition)[positions]
        positions = positions[np.sort(stratified_parts(joint, [rows], generator("rows"))[0])]
    kept = None if partition is None else partition[positions]
    return [positions[part] for part in split_rows(strata[positions], kept, split, generator("split"))]


def _standardised(targets: list[Floats]) -> list[Floats]:
    """Targets in standard deviations from the mean, both of valid (the second of the three)."""
    centre, scale = float(targets[1].mean()), float(targets[1].std())
    if not scale > 0:
        raise AssayError("the target is constant on valid: give dataset.split.valid more rows")
    return [(values - centre) / scale for values in targets]


def _flags(dataset: Dataset, parts: list[Integers]) -> list[Any]:
    """The mark `clean` as the dataset has it, True where it says nothing."""
    import numpy as np

    if dataset.has(CLEAN):
        return [np.asarray(dataset.numbers(CLEAN, part), dtype=bool) for part in parts]
    return [np.ones(len(part), dtype=bool) for part in parts]


def _owners(
    dataset: Dataset,
    parts: list[Integers],
    target: Floats | Integers,
    settings: Mapping[str, Any],
    generator: Callable[[str], np.random.Generator],
) -> list[Integers | None]:
    """Sources of each part: drawn for train when asked for, else those that the dataset has of its own."""
    import numpy as np

    from assay.data.owners import assign_sources

    if not settings["count"]:
        if not dataset.has(SOURCE):
            return [None, None, None]
        return [np.asarray(dataset.numbers(SOURCE, part)) for part in parts]
    labels = np.asarray(target, dtype=np.int64)
    if dataset.kind == "regression":
        labels = np.searchsorted(np.quantile(target, np.linspace(0.1, 0.9, 9)), target).astype(np.int64)
    return [assign_sources(labels, settings, generator("sources")), None, None]
