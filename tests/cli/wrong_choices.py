"""Wrong command lines, made by kind: sweeps, choices that contradict each other, and a file of the user's."""

from __future__ import annotations

from collections.abc import Iterator

Line = list[str]

FILES = {
    "t.csv": "a,b,y\n" + "".join(f"{3 * i % 50},{i * 7 % 11},{'pos' if i * 3 % 7 > 3 else 'neg'}\n" for i in range(60)),
    "empty.csv": "",
    "schema.yaml": "columns: 3\n",
}
OWN = ["dataset=csv", "dataset.path=t.csv", "dataset.target=y"]


def of_sweeps() -> Iterator[Line]:
    """Sweeps of which one cell is wrong."""
    for cells in (
        ["seed=0,-1"],
        ["seed=0,x"],
        ["seed=0,1", "privacy=none,nonsense"],
        ["seed=0,1", "privacy=none,iid", "privacy.epsilon=1"],
        ["privacy=iid", "privacy.epsilon=1,2,0"],
        ["privacy=iid", "privacy.epsilon=1,nonsense"],
        ["model=auto,cnn"],
        ["model=auto,nonsense"],
        ["dataset=diabetes,diabtes"],
        ["task=value,party_value"],
        ["seed=range(100000)"],
        ["seed=range(0)"],
        ["seed=0,1", "sed=1"],
        ["seed=0,1", "scale=laptop,huge"],
        ["seed=0,1", "hydra.sweep.dir=x"],
        ["seed=0,1", "trainer.threads=1,1e9"],
        ["experiment=quickstart", "privacy=none,iid"],
        ["seed=0,1", "name=a,../b"],
        ["seed=0,["],
        ["trainer=cpu,nonsense"],
    ):
        yield ["run", "-m", *cells]
        yield ["run", *cells, "--multirun"]


def of_needs() -> Iterator[Line]:
    """Choices that contradict each other, and that a machine without a GPU or a network cannot serve."""
    for overrides in (
        ["model=cnn"],
        ["model=bag_of_words"],
        ["model=module"],
        ["model=sklearn"],
        ["model=logistic"],
        ["logger=lightning"],
        ["task=party_value"],
        ["task=party_uncertainty"],
        ["task=train", "privacy=iid"],
        ["task=label_noise"],
        ["task=scaling_law", "valuation=semivalue"],
        ["experiment=quickstart", "privacy=none"],
        ["privacy.epsilon=4"],
        ["privacy=iid", "privacy.epsilon=1e-20"],
        ["privacy=iid", "privacy.epsilon=inf"],
        ["privacy=iid", "privacy.delta=0"],
        ["privacy=iid", "privacy.delta=2"],
        ["privacy=iid", "privacy.total=1"],
        ["privacy=lower_triangular", "privacy.matrix=nowhere.npy"],
        ["valuation=semivalue", "privacy=iid"],
        ["task.contenders=[none]"],
        ["experiment=quickstart", 'task.contenders=["a b"]'],
        ["experiment=quickstart", "task.contenders=[]"],
        ["experiment=quickstart", "task.contenders=[none,none]"],
        ["experiment=quickstart", "task.contenders=[{a:{model:linear}}]"],
        ["dataset.rows=3"],
        ["dataset.rows=1e30"],
        ["dataset.split.train=1e9"],
        ["dataset.split.valid=0"],
        ["dataset.corruption.labels=2"],
        ["dataset.types.zip"],
        ["dataset.types.zip=nonsense"],
        ["trainer.devices=0"],
        ["trainer.accelerator=quantum"],
        ["trainer.precision=16"],
        ["trainer.accelerator=mps", "trainer.precision=64"],
        ["trainer=gpu"],
        ["trainer.accelerator=cuda"],
        ["logger=wandb", "logger.mode=online"],
        ["logger=wandb", "logger.mode=sometimes"],
        ["logger=csv", "logger.save_dir=''"],
    ):
        yield ["run", *overrides]


def of_own_data() -> Iterator[Line]:
    """A file of the user's and the keys that go with it."""
    for overrides in (
        ["dataset=csv"],
        ["dataset=csv", "dataset.path=t.csv"],
        ["dataset=csv", "dataset.path=nowhere.csv", "dataset.target=y"],
        ["dataset=csv", "dataset.path=empty.csv", "dataset.target=y"],
        ["dataset=csv", "dataset.path=.", "dataset.target=y"],
        ["dataset=parquet", "dataset.path=t.csv", "dataset.target=y"],
        ["dataset=csv", "dataset.path=t.csv", "dataset.target=z"],
        [*OWN, "dataset.features=[a,a]"],
        [*OWN, "dataset.features=[a,z]"],
        [*OWN, "dataset.features=[]"],
        [*OWN, "dataset.types.z=numeric"],
        [*OWN, "dataset.types.a=nonsense"],
        [*OWN, "dataset.schema=nowhere.yaml"],
        [*OWN, "dataset.schema=schema.yaml"],
        [*OWN, "dataset.encoding=klingon"],
        [*OWN, "dataset.missing=guess"],
        [*OWN, "dataset.kind=clustering"],
        [*OWN, "model=linear"],
        [*OWN, "model=cnn"],
        [*OWN, "model=linear", "-m", "seed=0"],
    ):
        yield ["run", *overrides]
