"""From the name of a dataset to train, valid and test arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.data.changes import with_classes
from assay.data.corruption import damaged
from assay.data.dataset import CLEAN, ID, SOURCE, TARGET, Dataset
from assay.data.options import DatasetOptions, Owners, Preprocess
from assay.data.owners import assign_sources
from assay.data.publication import facts_of
from assay.data.records import Arrays, PreparedData
from assay.data.split import PARTS, Division
from assay.data.table import table_of
from assay.errors import AssayError, InputError

if TYPE_CHECKING:
    import numpy as np

    from assay.arrays import Floats, Integers
    from assay.data.encoding.encoded import EncodedRows
    from assay.data.neighbours import Change


def prepare(
    options: DatasetOptions,
    *,
    data_dir: Path,
    generator: Callable[[str], np.random.Generator],
    blind: bool = False,
    change: Change | None = None,
) -> PreparedData:
    """Load a dataset, subsample, split, encode, corrupt train and divide it into sources; all draws from `generator`.

    `generator` gives the stream of a purpose from its start: "rows", "split", "corruption" and "sources". Everything that
    is fitted (standardisation, principal components, the scale of a regression target, categories that a dataset does
    not declare) is fitted on the valid rows alone: valid is public by assumption, so that private rows go through a fixed
    map. Labels and feature noise are applied to train alone; noise is added before standardisation.
    An encoder is a public network, fixed beforehand, that reads one row at a time.

    With `blind`, for a run that protects rows, rows are subsampled and divided by position, without strata, and types,
    categories and classes come from declarations or from the valid rows: a change of a private cell changes its own row
    of the result and nothing else. `public_facts` lists what is still taken for public.
    `change` makes it the neighbouring table, as an audit reads it.
    Raises InputError for what a user can mend; with `blind` for nothing that depends on a private cell.
    """
    split = Division(options, generator, blind)
    if blind:
        options.check_private()
        dataset = options.load_blind(Path(data_dir), lambda rows, partition: split.of_rows(rows, partition)[1], change)
    else:
        dataset = options.load(Path(data_dir))
    store = _store(options.name, options.preprocess, Path(data_dir))
    return arrays_of(with_classes(dataset, options.classes), options, generator, blind=blind, store=store)


def _store(name: str, preprocess: Preprocess, data_dir: Path) -> EncodedRows | None:
    """The store of the rows of a dataset as the chosen encoder sees them."""
    if preprocess.encoder is None:
        return None
    from assay.data.encoding.encoded import EncodedRows
    from assay.data.encoding.encoders import encoder_of

    return EncodedRows(name, encoder_of(preprocess.encoder), data_dir)


def arrays_of(
    dataset: Dataset,
    options: DatasetOptions,
    generator: Callable[[str], np.random.Generator],
    *,
    blind: bool = False,
    store: EncodedRows | None = None,
) -> PreparedData:
    """The part of `prepare` that follows loading."""
    import numpy as np

    from assay.data.encoding.features import encode, fit_map, pixel_channels, vocabularies
    from assay.data.encoding.tokens import encode_tokens

    parts = Division(options, generator, blind).of(dataset)
    preprocess = options.preprocess
    categories = vocabularies(dataset, parts[1])
    encoded = {} if store is None else store.columns(dataset, np.concatenate(parts))
    pairs: list[tuple[Any, list[str]]]
    if preprocess.tokens is None:
        pairs = [encode(dataset, part, categories, preprocess.buckets, encoded) for part in parts]
    else:
        pairs = [encode_tokens(dataset, part, preprocess.tokens, preprocess.buckets) for part in parts]
    matrices, names = [matrix for matrix, _ in pairs], pairs[0][1]
    population = dataset.population if preprocess.leaves_columns else None
    targets = _targets(dataset, parts, population is not None, blind)
    groups = None if encoded else pixel_channels(dataset)
    mapping: Callable[[Any], Any] = (
        fit_map(matrices[1], preprocess.standardize, preprocess.components, preprocess.norm, groups)
        if preprocess.tokens is None
        else lambda ids: ids
    )
    owners = _owners(dataset, parts, targets[0], options.sources, generator)
    flags = _flags(dataset, parts)
    matrices[0], targets[0], clean = damaged(
        matrices[0], targets[0], dataset, options.corruption, generator("corruption"), owners[0]
    )
    flags[0] = clean & flags[0]
    train, valid, test = (
        Arrays(mapping(matrices[i]), targets[i], dataset.numbers(ID, parts[i]), flags[i], owners[i]) for i in range(3)
    )
    width = preprocess.components
    return PreparedData(
        train=train,
        valid=valid,
        test=test,
        kind=dataset.kind,
        classes=dataset.classes,
        feature_names=tuple(names) if width is None else tuple(f"component_{i + 1}" for i in range(width)),
        modality="tokens" if preprocess.tokens else "table" if encoded else dataset.modality,
        vocabulary=0 if preprocess.tokens is None else preprocess.buckets + 1,
        provenance=dataset.provenance,
        source_names=() if options.sources.count else dataset.source_names,
        description=dataset.description,
        population=population,
        table=table_of(dataset, categories, parts[1]),
        positions=dict(zip(PARTS, parts, strict=True)),
        taken_as_public=tuple(facts_of(options, dataset, parts)) if blind else (),
    )


def _targets(dataset: Dataset, parts: list[Integers], known: bool, blind: bool) -> list[Any]:
    """Targets of the parts: class indices, numbers of a known population, else numbers in units of valid's spread."""
    import numpy as np

    targets: list[Any] = [np.asarray(dataset.numbers(TARGET, part)) for part in parts]
    if dataset.kind == "regression":
        return targets if known else _standardised(targets)
    if not blind and len(np.unique(targets[0])) < 2:
        raise InputError("dataset.split.train", len(parts[0]), "train rows of one class only", "use more rows")
    return targets


def _standardised(targets: list[Floats]) -> list[Floats]:
    """Targets in standard deviations from the mean, both of valid (the second of the three)."""
    centre, scale = float(targets[1].mean()), float(targets[1].std())
    if not scale > 0:
        raise AssayError("the target is constant on valid: give dataset.split.valid more rows")
    return [(values - centre) / scale for values in targets]


def _flags(dataset: Dataset, parts: list[Integers]) -> list[Any]:
    """The mark `clean` of the dataset, True where it has none."""
    import numpy as np

    if dataset.has(CLEAN):
        return [np.asarray(dataset.numbers(CLEAN, part), dtype=bool) for part in parts]
    return [np.ones(len(part), dtype=bool) for part in parts]


def _owners(
    dataset: Dataset,
    parts: list[Integers],
    target: Floats | Integers,
    settings: Owners,
    generator: Callable[[str], np.random.Generator],
) -> list[Integers | None]:
    """Sources of each part: drawn for train when asked for, else those of the dataset."""
    import numpy as np

    if not settings.count:
        if not dataset.has(SOURCE):
            return [None, None, None]
        return [np.asarray(dataset.numbers(SOURCE, part)) for part in parts]
    labels = np.asarray(target, dtype=np.int64)
    if dataset.kind == "regression":
        labels = np.searchsorted(np.quantile(target, np.linspace(0.1, 0.9, 9)), target).astype(np.int64)
    return [assign_sources(labels, settings, generator("sources")), None, None]
