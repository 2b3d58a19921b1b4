"""Text that `--help` prints."""

from __future__ import annotations

PROGRAM = """\
assay tells what each training example is worth.

  assay run [OVERRIDE...] [-m]       carry out one experiment, or a sweep with -m
  assay list [GROUP|experiments]     what there is to choose from
  assay explain GROUP=OPTION         its keys, limits, cost and source
  assay results [DIR...]             one table over finished runs
  assay report [DIR...]              turn finished runs into an HTML report
  assay data list|fetch|verify|schema
                                     which data there is, and get it; a schema for your own
  assay reproduce PAPER              carry out a paper's claims and judge them

  assay COMMAND --help               more on one command
  assay --version

Start with: assay run experiment=quickstart
"""

RUN = """\
assay run [OVERRIDE...] [HYDRA FLAG...]

Composes a config, carries it out once and ends with `run: DIRECTORY`. The same command again returns the finished run;
after a kill it goes on.

  assay run experiment=quickstart
  assay run task=value dataset=csv dataset.path=my.csv dataset.target=price
  assay run privacy=iid privacy.epsilon=1 seed=3
  assay run -m seed=0,1,2 privacy=none,iid          a run for each combination
  assay run -m seed=0,1,2 hydra/launcher=joblib     several at a time

Overrides are hydra's: group=option (see `assay list`), key.below=value, +new.key=value, ~key. The type of a column
needs no `+`, whatever its name: dataset.types.zip=categorical, "dataset.types.Age (years)=ignore".
  --cfg job [--resolve]   print the composed config and stop
  --config-dir DIR        a folder with options of your own
  -m, --multirun          sweep
  --hydra-help            hydra's other flags (--info, --shell-completion, ...)
A failed or mistyped run ends in one line; HYDRA_FULL_ERROR=1 shows the traceback.
"""

LIST = """\
assay list [GROUP|experiments]

Prints every option of every group, or those of one group, with a line on each. `*` marks the default.
"""

RESULTS = """\
assay results [DIR...] [--name EXPERIMENT] [--by KEY,...] [--metrics NAME,...]
              [--sql QUERY] [--json | --csv] [--outputs FOLDER]

Prints what the finished runs in or below DIR (default: FOLDER/runs) measured: a table for each experiment, a row for
each setting, means over seeds with their 95 % intervals.

  --name     runs of one experiment
  --by       means over the runs that agree in these keys: --by dataset.name,privacy.epsilon
  --metrics  the metrics that are shown (default: those that the runs show)
  --sql      a question to DuckDB; tables: runs, and each table of the runs by its name:
             --sql 'SELECT id, avg(value) FROM "values" GROUP BY id ORDER BY 2'
  --json     a list of rows; --csv: one table with its bounds
"""

EXPLAIN = """\
assay explain GROUP=OPTION | GROUP | KEY | experiment=NAME

Prints what an option is, its keys with types, limits and defaults, and where it comes from.

  assay explain valuation=scaling_law
  assay explain privacy.epsilon        a key of every option that has it
  assay explain experiment=quickstart  the choices that it makes
"""

REPORT = """\
assay report [DIR...] [--outputs FOLDER]

Builds a self-contained HTML report for each experiment among the runs in or below DIR (default: FOLDER/runs) and ends
with `report: FILE` for each.

  --outputs FOLDER   where runs and reports are (default: $ASSAY_OUTPUTS or outputs)
"""

DATA = """\
assay data list | fetch NAME... | verify   [--data FOLDER] [--config-dir FOLDER]
assay data schema FILE [--target COLUMN] [--out schema.yaml] [--encoding NAME]

  list      every dataset and encoder: kind, shape, source, whether it is here
  fetch     get datasets and encoders by name
  verify    check what is here against its checksums
  schema    draft the schema of a csv or parquet file, to be edited before it is public (dataset.schema)

  --data FOLDER         where downloaded data lies (default: $ASSAY_DATA or ~/.cache/assay)
  --config-dir FOLDER   options of your own; the files in its folder dataset are datasets too
"""

REPRODUCE = """\
assay reproduce PAPER [--scale smoke|laptop|paper] [--seeds N] [--claims ID...]
                      [--workers N] [--fetch] [--outputs FOLDER] [--data FOLDER]

Carries out the runs that a paper's claims need, judges each claim and writes a report and claims.csv.

  --scale     smoke: seconds, laptop: minutes (default), paper: the paper's own size
  --seeds     how many seeds the intervals are taken over (default: the scale's)
  --claims    only these claims
  --workers   runs carried out at the same time (default: as many as there are processors)
  --fetch     first fetch the datasets and encoders that are not here
  --outputs   where runs and reports go (default: $ASSAY_OUTPUTS or outputs)
"""

PAGES = {
    "run": RUN,
    "list": LIST,
    "explain": EXPLAIN,
    "results": RESULTS,
    "report": REPORT,
    "data": DATA,
    "reproduce": REPRODUCE,
}
