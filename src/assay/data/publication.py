"""Facts that a private run takes for public, and the reason for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.dataset import Dataset
from assay.data.options import DatasetOptions

if TYPE_CHECKING:
    from assay.arrays import Integers
    from assay.data.records import PreparedData


def public_facts(data: PreparedData) -> list[str]:
    """Sentences on what is taken for public of data that were prepared blind; none of other data."""
    return list(data.taken_as_public)


def facts_of(options: DatasetOptions, dataset: Dataset, parts: list[Integers]) -> list[str]:
    """Sentences on what is taken for public: rows, their parts, columns, and what the options simulate."""
    train, valid, test = (len(part) for part in parts)
    facts = [
        f"That a row exists, and how many there are ({len(dataset)}, of which {train} are valued): an id is a position in the"
        " table.",
        "The parts of the table (train, valid, test): rows are drawn by their position and the seed, whatever their cells.",
        f"The cells of the {valid} valid rows: they judge the others, and every map of the features is fitted on them.",
    ]
    if test:
        facts.append(f"The cells of the {test} test rows, where a task scores on them.")
    facts += _columns(options, dataset)
    if options.sources.count:
        reason = "by position" if options.sources.how == "random" else "by label"
        facts.append(f"The owner of each row: {options.sources.count} owners are simulated, drawn {reason}.")
    elif dataset.source_names:
        facts.append("The owner of each row, which the dataset states.")
    if dataset.chosen is not None and len(dataset.chosen) < len(dataset):
        facts.append("That the label of each row is among dataset.classes: other rows were left out beforehand.")
    corruption = options.corruption
    if corruption.labels or corruption.features:
        facts.append("The injected damage (dataset.corruption): the guarantee is for the table after it.")
    return facts


def _columns(options: DatasetOptions, dataset: Dataset) -> list[str]:
    if dataset.description is None:
        return ["Columns, types and classes: the dataset is published with them."]
    form = "The form of the file: the names of its columns, and that each row has as many cells."
    schema = getattr(options, "schema", None)
    if schema is None:
        return [form, "Types of the columns, categories and classes: read off the valid rows alone."]
    return [form, f"Types of the columns, categories, ranges and classes: {schema} states them, and that it is public."]
