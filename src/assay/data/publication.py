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
        f"That a row exists and how many there are ({len(dataset)}, of which {train} are valued): ids are positions in"
        " the table, and the size of the table is no secret here.",
        "The parts: which rows are train, valid and test is drawn from the seed by position and depends on no cell.",
        f"The {valid} valid rows with all their cells: utilities are judged by them, and every map is fitted on them.",
    ]
    if test:
        facts.append(f"The {test} test rows are not protected: they are read where a task scores on them.")
    facts += _columns(options, dataset)
    if options.sources.count:
        reason = "by position" if options.sources.how == "random" else "by label"
        facts.append(f"Who owns which row: the {options.sources.count} owners are simulated, drawn {reason}.")
    elif dataset.source_names:
        facts.append("Who owns which row: the dataset says it.")
    if dataset.chosen is not None and len(dataset.chosen) < len(dataset):
        facts.append(
            "That the label of each row used is among dataset.classes: the other rows were left out beforehand."
        )
    corruption = options.corruption
    if corruption.labels or corruption.features:
        facts.append("The injected damage (dataset.corruption): the guarantee is for the table after it.")
    return facts


def _columns(options: DatasetOptions, dataset: Dataset) -> list[str]:
    schema = getattr(options, "schema", None)
    if schema is not None:
        return [f"Columns, types, categories, ranges and classes: {schema} says them, and says that it is public."]
    if dataset.description is not None:
        names = "Names of columns, and that every row of the file has as many cells: the form of the file."
        return [names, "Types of columns, categories and classes: inferred from the valid rows alone."]
    return ["Columns, types and classes: part of the published description of the dataset."]
