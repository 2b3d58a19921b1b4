"""Every way to ask wrongly ends in one line that names key, value, limit and remedy."""

from __future__ import annotations

import pytest

from assay.config import compose
from assay.errors import AssayError

PRIVATE = "privacy=iid"
STUDY = "task=estimation_uncertainty privacy=running_mean_burn_in dataset.corruption.labels=0.3"
TREES = "valuation=semivalue model=xgboost"

MISSPELT = [
    ("privacy=iid privacy.epslon=1", "privacy.epslon=1: unknown key (did you mean privacy.epsilon?)"),
    ("privacy=iid +privacy.epslon=1", "privacy.epslon=1: unknown key (did you mean privacy.epsilon?)"),
    ("dataset=diabtes", "dataset=diabtes: unknown option (did you mean dataset=diabetes?)"),
    ("privcy=iid", "privcy=iid: unknown key (did you mean privacy?)"),
    ("+privcy=iid", "privcy=iid: unknown key (did you mean privacy?)"),
    ("sed=1", "sed=1: unknown key (did you mean seed?)"),
    ("+sed=1", "sed=1: unknown key (did you mean seed?)"),
    ("experiment=quikstart", "experiment=quikstart: unknown option (did you mean experiment=quickstart?)"),
    (
        "experiment=estimation_uncertanty",
        "experiment=estimation_uncertanty: unknown option"
        " (did you mean experiment=private_valuation/estimation_uncertainty?)",
    ),
    ("dataset.splt.train=3", "dataset.splt.train=3: unknown key (did you mean dataset.split.train?)"),
    ("dataset.split.tran=3", "dataset.split.tran=3: unknown key (did you mean dataset.split.train?)"),
    ("+dataset.split.tran=3", "dataset.split.tran=3: unknown key (did you mean dataset.split.train?)"),
    (
        "privacy.epsilon=3",
        "privacy.epsilon=3: privacy=none has no such key (it belongs to privacy=directed and 11 others: assay list privacy)",
    ),
    (
        "privacy.epslon=1",
        "privacy.epslon=1: privacy=none has no such key (did you mean privacy.epsilon? It belongs to privacy=",
    ),
    (
        "dataset.synthetic.noise=0",
        "dataset.synthetic.noise=0: dataset=diabetes has no such key"
        " (it belongs to dataset=synthetic_classification or dataset=synthetic_regression)",
    ),
    (
        "dataset=synthetic_regression dataset.synthetic.nose=0",
        "dataset.synthetic.nose=0: unknown key (did you mean dataset.synthetic.noise?)",
    ),
    ("model.hidden=[8]", "model.hidden=[8]: model=auto has no such key (it belongs to model=mlp or model=mlp_adam)"),
    ("hydra/launcher=joblib", "hydra/launcher=joblib: unknown option (pip install 'assay[joblib]')"),
    ("valuation.semivalue=shaply", "did you mean shapley?"),
]

WRONG_TYPES = [
    (
        "valuation.evaluations=ten",
        "valuation.evaluations=ten: must be a whole number, not the text 'ten' (e.g. valuation.evaluations=10)",
    ),
    ("valuation.evaluations=1.5", "valuation.evaluations=1.5: must be a whole number"),
    ("privacy=iid privacy.epsilon=big", "privacy.epsilon=big: must be a number, not the text 'big'"),
    ("privacy=iid privacy.epsilon=true", "privacy.epsilon=true: must be a number"),
    ("privacy=iid privacy.epsilon=null", "privacy.epsilon=null: must be a number, null"),
    ("privacy=iid privacy.epsilon=nan", "privacy.epsilon=nan: must be a number"),
    ("privacy=iid privacy.secure_noise=1", "privacy.secure_noise=1: must be true or false"),
    ("model=mlp model.hidden=16", "model.hidden=16: must be a list (write model.hidden=[16])"),
    ("model=mlp model.hidden=[16,x]", "model.hidden=x: must be a whole number"),
    ("dataset.split=0.5", "dataset.split=0.5: must be a mapping (write dataset.split={train:...,valid:...,test:...})"),
    ("progress=maybe", "progress=maybe: must be true or false"),
    ("dataset=digits dataset.classes=3", "dataset.classes=3: must be a list (write dataset.classes=[3])"),
    ("dataset=rotten_tomatoes dataset.preprocess.encoder=mini", "encoder=mini: must be one of minilm, efficientnet"),
    ("seed=[1", "seed=[1: cannot be read as a value"),
    ("seed=1,2", "seed=1,2: several values (add -m for a run of each)"),
    ("model=null", "model=null: names no option (one of auto,"),
    ("model=[1,2]", "model=[1,2]: names no option (one of auto,"),
    ("+experiment=[[1]]", "+experiment=[[1]]: names no option (one of "),
    ("=3", "=3: no override (write group=option or key=value)"),
    ("=mlp", "=mlp: no override (write group=option or key=value)"),
    ("~model", "model=null: a run needs one (one of auto,"),
    ("seed=${nowhere}", "seed: Interpolation key 'nowhere' not found"),
]

IMPOSSIBLE = [
    ("privacy=iid privacy.epsilon=-1", "privacy.epsilon=-1: must be > 0 (use privacy=none for a run without privacy)"),
    ("privacy=iid privacy.epsilon=0", "privacy.epsilon=0: must be > 0"),
    ("privacy=iid privacy.epsilon=inf", "privacy.epsilon=inf: must be > 0"),
    ("privacy=iid privacy.delta=0", "privacy.delta=0: must be between 0 and 1, both excluded"),
    ("privacy=iid privacy.delta=1", "privacy.delta=1: must be between 0 and 1, both excluded"),
    ("privacy=iid privacy.max_grad_norm=0", "privacy.max_grad_norm=0: must be > 0"),
    ("privacy=running_mean_burn_in privacy.burn_in=-0.1", "privacy.burn_in=-0.1: must be >= 0"),
    (
        "privacy=running_mean_burn_in privacy.burn_in=40 task=value valuation.evaluations=40",
        "privacy.burn_in=40: must be below every number of evaluations, and valuation.evaluations has 40"
        " (a share below 1 fits every number, e.g. privacy.burn_in=0.5)",
    ),
    (f"{STUDY} privacy.burn_in=10", "below every number of evaluations, and task.evaluations has 10"),
    ("privacy=front_loaded privacy.first_share=1", "privacy.first_share=1: must be between 0 and 1, both excluded"),
    ("privacy=lower_triangular", "privacy.matrix=null: privacy=lower_triangular needs the matrix (add privacy.matrix="),
    ("privacy=lower_triangular privacy.matrix=no.csv", "privacy.matrix=no.csv: there is no such file"),
    ("privacy=lower_triangular privacy.matrix=no.mat", "privacy.matrix=no.mat: must be a .csv or .npy file"),
    ("privacy=public_clip privacy.clip_quantile=1.1", "privacy.clip_quantile=1.1: must be a share from 0 to 1"),
    ("privacy=public_clip privacy.max_grad_norm=1", "privacy.max_grad_norm=1: privacy=public_clip has no such key"),
    ("privacy=public_clip privacy.burn_in=40 task=value valuation.evaluations=40", "privacy.burn_in=40: must be below"),
    ("valuation.permutations=mirrored", "valuation.permutations=mirrored: must be one of plain, antithetic"),
    ("valuation.wave=0", "valuation.wave=0: must be >= 1"),
    ("privacy=vector_release valuation.wave=2", "valuation.wave=2: privacy=vector_release makes one release"),
    ("privacy=running_mean_burn_in privacy.burn_in=2.5", "privacy.burn_in=2.5: must be a whole number"),
    (f"{PRIVATE} privacy.relation=add", "privacy.relation=add: must be one of zero_out, replace_one, add_remove"),
    (
        f"{PRIVATE} privacy.relation=add_remove",
        "privacy.relation=add_remove: a release of a row shows that the row is there",
    ),
    (
        "valuation=private_semivalue privacy=none",
        "privacy=none: values for publication need a privacy mechanism",
    ),
    (
        f"{STUDY} valuation=private_semivalue",
        "publication and task=estimation_uncertainty is for research (use task=value",
    ),
    ("privacy=directed privacy.paths=0", "privacy.paths=0: must be >= 1"),
    ("privacy=directed privacy.clip=0", "privacy.clip=0: must be > 0 (null lets public rows choose)"),
    ("privacy=directed_subspace privacy.dimensions=0", "privacy.dimensions=0: must be >= 1"),
    (
        "privacy=directed privacy.law=gauss",
        "privacy.law=gauss: must be one of auto, laplace, randomized_response, piecewise",
    ),
    (
        "privacy=directed_private_path privacy.path_share=1",
        "privacy.path_share=1: must be between 0 and 1, both excluded",
    ),
    (
        "privacy=directed privacy.relation=add_remove",
        "privacy.relation=add_remove: a release of a row shows that the row is there",
    ),
    ("valuation.semivalue=owen", "valuation.semivalue=owen: must be one of shapley, beta, banzhaf"),
    ("valuation.utility=f1", "valuation.utility=f1: must be one of negative_loss, accuracy"),
    ("valuation.initialisation=ones", "valuation.initialisation=ones: must be one of "),
    ("valuation.evaluations=0", "valuation.evaluations=0: must be >= 1"),
    ("valuation.learning_rate=0", "valuation.learning_rate=0: must be > 0"),
    ("valuation.alpha=0", "valuation.alpha=0: must be > 0"),
    (f"{STUDY} task.replicates=0", "task.replicates=0: must be >= 2"),
    (f"{STUDY} task.evaluations=[4,0]", "task.evaluations=0: must be >= 1"),
    (f"{STUDY} task.evaluations=[]", "task.evaluations=[]: must not be empty"),
    ("seed=-1", "seed=-1: must be from 0 to 2^63 - 1"),
    ("workers=0", "workers=0: must be from 1 to 1024 (1 is this process alone)"),
    ("name=../up", "name=../up: must be a folder name"),
    ("name=/root", "name=/root: must be a folder name"),
    ("name=.hidden", "name=.hidden: must be a folder name"),
    (
        "dataset.split.train=0.8",
        "dataset.split={train:0.8,valid:0.2,test:0.2}: the shares sum to 1.2, above 1 (lower one of them)",
    ),
    ("dataset.split.valid=-3", "dataset.split.valid=-3: must be >= 0"),
    ("dataset.split.train=0", "dataset.split.train=0: must be > 0"),
    ("dataset.split.train=10.5", "dataset.split.train=10.5: a number of rows is whole"),
    (
        "dataset.rows=50 dataset.split={train:40,valid:10,test:10}",
        "needs 60 rows and dataset.rows=50 leaves 50 (raise dataset.rows or lower the split)",
    ),
    ("dataset.rows=50 dataset.split={train:40,valid:0.3,test:0}", "needs 55 rows and dataset.rows=50 leaves 50"),
    ("dataset.rows=0", "dataset.rows=0: must be >= 1"),
    ("dataset.corruption.labels=1.5", "dataset.corruption.labels=1.5: must be a share from 0 to 1 (0.3 is 30 %)"),
    ("dataset.corruption.features=-0.1", "dataset.corruption.features=-0.1: must be a share from 0 to 1"),
    ("dataset.preprocess.components=0", "dataset.preprocess.components=0: must be >= 1"),
    ("dataset=digits dataset.classes=[]", "dataset.classes=[]: must not be empty (null keeps every class)"),
    ("dataset=synthetic_regression dataset.synthetic.dimension=0", "dataset.synthetic.dimension=0: must be >= 1"),
    ("dataset=synthetic_classification dataset.synthetic.flips=2", "synthetic.flips=2: must be a share from 0 to 1"),
    ("trainer.precision=16", "trainer.precision=16: must be one of 32, 64"),
    ("model=mlp model.hidden=[0]", "model.hidden=0: must be >= 1"),
    ("model=mlp model.hidden=[]", "model.hidden=[]: must not be empty"),
    ("model=mlp model.activation=relo", "model.activation=relo: must be one of tanh, relu (did you mean relu?)"),
    ("dataset=csv", "dataset.path=null: dataset=csv needs your file or folder (add dataset.path=...)"),
    ("dataset=csv dataset.path=x.csv", "dataset.target=null: dataset=csv needs the column to predict"),
    ("model.name=mlp", "model.name=mlp: names the option auto (choose with model=...)"),
]

POINTLESS = [
    ("privacy=white", "privacy=white: valuation=gradient_semivalue accounts for row_gradient"),
    ("task=train privacy=public_clip", "privacy=public_clip: task=train accounts for batch_sum"),
    ("task=train privacy=iid", "privacy=iid: task=train accounts for batch_sum, and this releases row_gradient"),
    ("model=cnn", "model=cnn: reads images and dataset=diabetes is a dataset of tables (use model=auto)"),
    ("model=sklearn", "model.estimator=null: must name a class (e.g. model.estimator=sklearn.ensemble."),
    (
        "trainer=gpu trainer.accelerator=mps trainer.precision=64",
        "trainer.precision=64: trainer.accelerator=mps has no",
    ),
    ("trainer.threads=1000000000", "trainer.threads=1000000000: must be from 1 to 1024"),
    ("trainer.accelerator=tpu", "trainer.accelerator=tpu: must be one of cpu, gpu, cuda, mps"),
    ("task=train model=xgboost", "model=xgboost: is not trained by gradients"),
    ("model=cnn dataset=digits valuation=semivalue", "model=cnn: is trained by gradients and valuation=semivalue"),
    ("task=train privacy=white privacy.relation=replace_one", "privacy.relation=replace_one: must be one of"),
    (
        "task=train privacy=white privacy.clipping=layer",
        "privacy.clipping=layer: must be one of flat, per_layer, automatic",
    ),
    ("task=train privacy=white task.statistics=true", "task.statistics=true: reads single rows outside the account"),
    ("task=train task.epochs=0", "task.epochs=0: must be > 0"),
    (
        f"{PRIVATE} privacy.secure_noise=true trainer.precision=32",
        "privacy.secure_noise=true: single precision leaves gaps in the noise",
    ),
    (f"{TREES} privacy=iid", "privacy=iid: valuation=semivalue accounts for no release of this kind"),
    ("valuation=semivalue privacy=iid", "privacy=iid: valuation=semivalue accounts for no release of this kind"),
    ("model=xgboost", "valuation=gradient_semivalue: follows gradients and model=xgboost has none"),
    ("model=mlp_adam", "valuation=gradient_semivalue: follows gradients and model=mlp_adam has none"),
    (
        "model=svm dataset=wine",
        "valuation=gradient_semivalue: follows gradients and model=svm has none",
    ),
    ("model=svm valuation=semivalue", "model=svm: fits classes and dataset=diabetes is a regression dataset"),
    ("task=train model=svm dataset=wine", "model=svm: is not trained by gradients"),
    (
        "model=mlp_adam valuation=semivalue privacy=iid",
        "privacy=iid: valuation=semivalue accounts for no release of this kind",
    ),
    ("model=svm valuation=semivalue dataset=rotten_tomatoes", "model=svm: reads columns of numbers and dataset="),
    ("model=logistic", "model=logistic: fits classes and dataset=diabetes is a regression dataset (use model=auto"),
    (
        "model=linear dataset=wine",
        "model=linear: fits numbers and dataset=wine is a classification dataset (use model=auto)",
    ),
    (
        "dataset=digits dataset.preprocess.encoder=minilm",
        "dataset.preprocess.encoder=minilm: reads a column of type text and dataset=digits is a dataset of images"
        " (use efficientnet_lite0)",
    ),
    ("dataset=adult dataset.preprocess.encoder=minilm", "dataset=adult is a dataset of tables (leave it null)"),
    (
        "dataset=rotten_tomatoes dataset.preprocess.encoder=minilm model=bag_of_words",
        "model=bag_of_words: reads text and dataset.preprocess.encoder=minilm makes numbers of it (use model=auto)",
    ),
    ("dataset.classes=[a,b]", "dataset.classes=[a,b]: the target is a quantity, not a class (leave it null)"),
    (
        "dataset=synthetic_regression dataset.synthetic.flips=0.1",
        "dataset.synthetic.flips=0.1: dataset=synthetic_regression has no such key (it belongs to dataset=synthetic_cl",
    ),
    ("valuation.utility=accuracy", "valuation.utility=accuracy: counts right classes and dataset=diabetes is"),
    ("model=bag_of_words", "model=bag_of_words: reads text and dataset=diabetes is a dataset of tables"),
    ("model=logistic dataset=rotten_tomatoes", "model=logistic: reads columns of numbers and dataset=rotten_tomatoes"),
    (
        f"{STUDY} valuation=semivalue privacy=none",
        "privacy=iid: valuation=semivalue accounts for no release of this kind",
    ),
    (f"{STUDY} task.replicates=1", "task.replicates=1: must be >= 2 (a variance needs two)"),
    ("task=label_noise privacy=running_mean_burn_in task.burn_ins=[0,1]", "must be a share from 0 to below 1"),
    ("task=selection_curve privacy=running_mean_burn_in task.replicates=1", "task.replicates=1: must be >= 2"),
    ("task=selection_curve privacy=running_mean_burn_in task.shares=[0.5,1.0]", "must be between 0 and 1"),
    (
        "task=selection_curve privacy=running_mean_burn_in dataset.split.test=0",
        "dataset.split.test=0: task=selection_curve scores on the test split",
    ),
    ("task=membership privacy=running_mean_burn_in task.tables=3", "half of them are shadows"),
    (
        "task=membership privacy=running_mean_burn_in valuation=semivalue privacy=none",
        "task.contenders=iid: releases nothing for a row that is not there",
    ),
    (
        f"{STUDY} task.contenders=[none,idd]",
        "task.contenders=idd: names no option of privacy or valuation (did you mean iid?)",
    ),
]


@pytest.mark.parametrize(("overrides", "message"), [*MISSPELT, *WRONG_TYPES, *IMPOSSIBLE, *POINTLESS])
def test_asking_wrongly_is_one_line(overrides: str, message: str) -> None:
    with pytest.raises(AssayError) as caught:
        compose(overrides.split())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(")")
