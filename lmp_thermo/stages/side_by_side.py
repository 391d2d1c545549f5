"""Trainings from the pool, as many at a time as there are cores."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lmp_thermo.comparison import Arm
from lmp_thermo.errors import TrainingError
from lmp_thermo.frames import Frame
from lmp_thermo.products import Product
from lmp_thermo.stages import train
from lmp_thermo.stages.context import Context, versions
from lmp_thermo.study import seed_for
from lmp_thermo.training.recipe import LossWeights, TrainingPlan
from lmp_thermo.training.runner import Progress


@dataclass(frozen=True)
class Training:
    """One of several: its name for people, the model to make, frames and plan.

    `references`: energy of each species alone, where they are not those that the study asks for.
    """

    name: str
    product: Product
    frames: list[Frame]
    plan: TrainingPlan
    references: dict[str, float] | None = None


def plan_sources(context: Context, updates: int | None = None) -> dict[str, Any]:
    """What every model of the comparison depends on beside frames, loss and seed.

    Args:
        context: of the study.
        updates: as for `arm_plan`.
    """
    training = context.study.training.model_dump(exclude={"device"})
    training["updates"] = training["updates"][-1]  # not minutes: the study file is checked
    if updates is not None:
        training["updates"] = updates
    return {
        "training": training,
        "species": list(context.species),
        "versions": versions("nequip", "torch", "lmp-thermo"),
    }


def arm_plan(
    context: Context, arm: Arm, updates: int | None = None, member: int = 0
) -> TrainingPlan:
    """The training of an arm; the same for all designs of one loss and seed.

    Args:
        context: of the study.
        arm: what is trained.
        updates: instead of the study's.
        member: of a committee.
    """
    plan = train.training_plan(context.study, context.last_round)
    if arm.loss == "plain":
        weights = LossWeights(
            energy=plan.loss.energy, force=plan.loss.force, stress=plan.loss.stress
        )
        plan = replace(plan, loss=weights, apart_share=0.0)
    if updates is not None:
        plan = replace(plan, limit=replace(plan.limit, updates=updates))
    seed = seed_for(context.study.seed, "arm", arm.seed, member)
    return replace(plan, recipe="scratch", seed=seed)


def carry_out(context: Context, title: str, trainings: Sequence[Training]) -> None:
    """Carry out trainings side by side; each goes on from its own checkpoint after a kill.

    Args:
        context: of the study.
        title: for the progress bar.
        trainings: those that are current are left as they are.

    Raises:
        TrainingError: one failed; the others that run are ended and go on later.
    """
    todo = [one for one in trainings if one.product.state != "current"]
    if not todo:
        return
    shares: dict[str, float] = {}
    stop, talk, preparing = threading.Event(), threading.Lock(), threading.Lock()
    with context.progress.task(title, len(todo)) as task:

        def report(name: str, share: float, note: str) -> None:
            with talk:
                shares[name] = share
                task.reach(sum(shares.values()), f"{name}: {note}")

        def go_on() -> None:
            if stop.is_set():
                raise TrainingError("ended with the others; run the same command again")

        def work(one: Training) -> None:
            def prepare(folder: Path) -> None:
                with preparing:  # a reference is not for several threads
                    train.prepare_training(
                        context, folder, one.frames, one.plan, None, one.references
                    )

            go_on()
            train.train_to(one.product, prepare, teller(one.name), context.workspace.compiled)
            report(one.name, 1.0, "done")

        def teller(name: str) -> Callable[[Progress], None]:
            def tell(progress: Progress) -> None:
                go_on()
                report(name, progress.share, f"update {progress.update}")

            return tell

        workers = max(1, context.cores // context.study.training.threads)
        with ThreadPoolExecutor(workers) as executor:
            try:
                for future in as_completed([executor.submit(work, one) for one in todo]):
                    future.result()
            except BaseException:
                stop.set()
                executor.shutdown(wait=True, cancel_futures=True)
                raise
