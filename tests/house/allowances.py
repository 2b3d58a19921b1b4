"""Breaches of the rules of the house that older code still has; a number may only fall."""

from __future__ import annotations

<<<<<<< HEAD
LONG_FILES: set[str] = {"tests/tasks/test_tasks_scaling.py", "tests/valuation/test_valuation_directed.py"}
CIRCLES: set[str] = {"assay.data.dataset", "assay.tasks.train", "assay.valuation.gradient.directed"}
=======
LONG_FILES: set[str] = {
    "tests/runs/test_runs_execute.py",
    "tests/tasks/test_tasks_scaling.py",
    "tests/valuation/test_valuation_directed.py",
}
CIRCLES: set[str] = {
    "assay.config.compose",
    "assay.data.dataset",
    "assay.tasks.train",
}
>>>>>>> ffa3560 (Mechanisms as option classes; the estimator follows from what a mechanism releases; plan of a private training)
HEAVY_TARGETS: set[str] = {
    "assay.tasks.audit.AuditRelease",
    "assay.tasks.estimation_uncertainty.EstimationUncertainty",
    "assay.tasks.federated.Federated",
    "assay.tasks.label_noise.LabelNoise",
    "assay.tasks.law_estimators.LawEstimators",
    "assay.tasks.law_theory.LawTheory",
    "assay.tasks.learning_curve.LearningCurve",
    "assay.tasks.membership.Membership",
    "assay.tasks.party_uncertainty.PartyUncertainty",
    "assay.tasks.party_value.PartyValue",
    "assay.tasks.point_addition.PointAddition",
    "assay.tasks.scaling_law.ScalingLawTask",
    "assay.tasks.selection_curve.SelectionCurve",
    "assay.tasks.value.Value",
    "assay.tasks.value_at.ValueAt",
    "assay.valuation.laws.scaling_law.ScalingLaw",
    "assay.valuation.library.semivalue.Semivalue",
    "pytorch_lightning.loggers.CSVLogger",
    "pytorch_lightning.loggers.TensorBoardLogger",
    "pytorch_lightning.loggers.WandbLogger",
}
OTHER_DEFAULTS: set[str] = {
    "dataset=adult",
    "dataset=bank_marketing",
    "dataset=breast_cancer",
    "dataset=cifar10",
    "dataset=covertype",
    "dataset=credit_default",
    "dataset=csv",
    "dataset=diabetes",
    "dataset=digits",
    "dataset=fashion_mnist",
    "dataset=huggingface",
    "dataset=imdb",
    "dataset=iot23",
    "dataset=letter",
    "dataset=magic",
    "dataset=miniboone",
    "dataset=mnist",
    "dataset=newsgroups",
    "dataset=optdigits",
    "dataset=parquet",
    "dataset=photo_patches",
    "dataset=pima",
    "dataset=rotten_tomatoes",
    "dataset=sentiment",
    "dataset=sentiment_editorials",
    "dataset=sentiment_movies",
    "dataset=sentiment_products",
    "dataset=sentiment_tweets",
    "dataset=shuttle",
    "dataset=spambase",
    "dataset=synthetic_classification",
    "dataset=synthetic_regression",
    "dataset=wine",
    "dataset=wine_quality_red",
    "logger=csv",
    "logger=none",
    "logger=tensorboard",
    "logger=wandb",
    "paths=default",
}
ENGLISH: dict[str, int] = {
    "experiments/private_valuation": 10,
    "experiments/scaling_laws": 7,
    "experiments/tables.py": 2,
    "src/assay/cli": 9,
    "src/assay/config": 76,
    "src/assay/data": 52,
    "src/assay/experiment.py": 1,
    "src/assay/figures": 6,
    "src/assay/learning": 24,
<<<<<<< HEAD
    "src/assay/privacy": 55,
    "src/assay/report": 23,
=======
    "src/assay/privacy": 36,
    "src/assay/report": 26,
>>>>>>> ffa3560 (Mechanisms as option classes; the estimator follows from what a mechanism releases; plan of a private training)
    "src/assay/runs": 18,
    "src/assay/selection": 5,
    "src/assay/tasks": 88,
    "src/assay/valuation": 120,
    "tests/cli": 12,
    "tests/config": 3,
    "tests/contracts": 1,
    "tests/data": 21,
    "tests/learning": 19,
    "tests/privacy": 29,
    "tests/report": 13,
    "tests/runs": 7,
    "tests/tasks": 19,
    "tests/valuation": 120,
}
LITERALS: dict[str, int] = {
    "src/assay/config/checks.py": 67,
    "src/assay/config/checks_of_scaling.py": 26,
    "src/assay/config/choices.py": 1,
    "src/assay/config/schemas.py": 33,
    "src/assay/data/loaders/bundled.py": 5,
    "src/assay/data/loaders/tables.py": 5,
    "src/assay/data/sources/catalogue.py": 37,
    "src/assay/data/sources/origins.py": 1,
    "src/assay/data/sources/providers.py": 4,
    "src/assay/experiment.py": 1,
    "src/assay/figures/values.py": 11,
<<<<<<< HEAD
    "src/assay/privacy/rows/mechanisms.py": 11,
=======
    "src/assay/report/facts.py": 1,
>>>>>>> ffa3560 (Mechanisms as option classes; the estimator follows from what a mechanism releases; plan of a private training)
    "src/assay/tasks/party_comparison.py": 1,
}
