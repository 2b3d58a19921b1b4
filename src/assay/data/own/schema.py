"""A schema: what a user says of the columns of a table, so that nothing need be read off its rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay.config.typed import built, shown, typed
from assay.errors import InputError

KEY = "dataset.schema"


@dataclass(frozen=True)
class ColumnSchema:
    """Type of a column; the categories of a categorical one, lowest and highest value of a numeric one."""

    type: Literal["numeric", "categorical", "text", "ignore"]
    categories: list[str] | None = None
    range: list[float] | None = None


@dataclass(frozen=True)
class Schema:
    """Columns of a table by name, the target among them: classes where it is categorical, else a quantity.

    `public` is the user's word that the schema would be the same, whatever stands in a private row.
    """

    columns: dict[str, ColumnSchema]
    public: bool = False
    target: str | None = None

    def check_table(self, names: list[str], target: str, file: str) -> None:
        """Raises InputError when the schema is not one of a table with these columns and this target."""
        for name in names:
            if name not in self.columns:
                raise _refusal(file, "columns", f"has no column {name!r} of the table", "add it, e.g. {type: ignore}")
        for name in self.columns:
            if name not in names:
                raise _refusal(file, f"columns.{name}", "is no column of the table", "leave it out")
        if self.target not in (None, target):
            raise _refusal(file, "target", f"is {self.target!r} and dataset.target={target}", "make them the same")
        if self.columns[target].type not in ("numeric", "categorical"):
            raise _refusal(
                file, f"columns.{target}.type", "is neither numeric nor categorical", "the target is one of them"
            )

    def check_facts(self, file: str) -> None:
        """Raises InputError for a categorical column without categories, or a range that is none."""
        for name, column in self.columns.items():
            key = f"columns.{name}"
            categories, bounds = column.categories, column.range
            if column.type == "categorical":
                if not categories or len(set(categories)) != len(categories):
                    raise _refusal(file, f"{key}.categories", "must name each category once", "e.g. [red, blue]")
                if name == self.target and len(categories) < 2:
                    raise _refusal(file, f"{key}.categories", "needs two classes or more", "e.g. [no, yes]")
            elif categories is not None:
                raise _refusal(file, f"{key}.categories", f"is for a categorical column and {name!r} is {column.type}")
            if bounds is not None and (column.type != "numeric" or len(bounds) != 2 or not bounds[0] < bounds[1]):
                raise _refusal(
                    file, f"{key}.range", f"is {shown(bounds)}", "lowest and highest number of a numeric column"
                )


def _refusal(file: str, where: str, limit: str, remedy: str = "leave it out") -> InputError:
    return InputError(KEY, file, f"{where} {limit}", remedy)


def read_schema(path: str) -> Schema:
    """The schema of a YAML file; InputError in one line for a file that is none."""
    import yaml

    file = Path(path).expanduser()
    if not file.is_file():
        raise InputError(KEY, path, "no such file", "`assay data schema FILE --out schema.yaml` writes a draft")
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(KEY, path, f"is no YAML: {' '.join(str(error).split())}", "see `assay data schema`") from error
    if not isinstance(values, dict):
        raise InputError(KEY, path, "is no mapping", "it needs `columns:` and `public:`, see `assay data schema`")
    checked = typed(Schema, values, f"{file.name}: ")
    schema: Schema = built(Schema, checked)
    schema.check_facts(path)
    return schema
