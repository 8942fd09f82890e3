"""Which configurations are tried: all of a grid, draws, or what optuna proposes from the results so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from models_ml.core import spaces
from models_ml.models.optimizations import OptimizationRun, Trial
from models_ml.services import asking, trials
from sensequant.lib.errors import BadInput
from trading.core.errors import Invalid

GENERATION = 20  # proposals made together, so that the answer does not depend on how many work on them
PATIENCE = 50  # proposals in a row that are doubles or contradictions, until a search has seen all there is
BATCH = 500

Params = dict[str, float]
Candidate = tuple[str, Params]  # its digest and its parameters


def candidates(asked: asking.Asked) -> list[Candidate]:
    """Return the configurations of a grid or random search, in their order, each once, contradictions left out.

    BadInput when none is left.
    """
    spec, space = asked.spec, asking.space_of(asked.spec)
    if spec.search == "grid":
        proposed: Iterator[Params] = spaces.grid(
            space, asking.usual(asked.order, asked.wanted), spec.max_configs, spec.seed
        )
    else:
        proposed = spaces.draws(space, spec.seed)
    found = dict(islice(fresh(asked, proposed, set()), spec.max_configs))
    if not found:
        raise BadInput("every configuration of the grid contradicts itself", fix="widen it, e.g. fast below slow")
    return list(found.items())


def fresh(asked: asking.Asked, proposed: Iterable[Params], known: set[str]) -> Iterator[Candidate]:
    """Yield the proposals that are neither doubles nor contradictions, until too many in a row were."""
    vain, patience = 0, max(PATIENCE, 2 * asked.spec.max_configs)
    for params in proposed:
        digest = _digest(asked, params)
        if digest is None or digest in known:
            vain += 1
            if vain > patience:
                return
            continue
        vain = 0
        known.add(digest)
        yield digest, params


def _digest(asked: asking.Asked, params: Mapping[str, float]) -> str | None:
    try:
        return trials.identity(asked.order, params, asked.wanted)
    except Invalid:
        return None


def keep(run: OptimizationRun, found: Iterable[Candidate], first: int) -> list[int]:
    """Keep candidates as waiting trials numbered from ``first`` and return their ids; those already kept stay."""
    whole = {choice["name"] for choice in run.spec["space"] if choice["whole"]}
    rows = [
        Trial(run=run, number=first + k, digest=d, params={n: int(v) if n in whole else v for n, v in p.items()})
        for k, (d, p) in enumerate(found)
    ]
    Trial.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    numbers = [row.number for row in rows]
    return list(run.trials.filter(number__in=numbers, role="config").order_by("number").values_list("pk", flat=True))


def adaptive(run: OptimizationRun, asked: asking.Asked, work: Callable[[list[int]], bool]) -> bool:
    """Propose and try generation after generation; return False when stopped.

    The study lives in memory and is told from the rows, so a run that goes on makes the same proposals again.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    spec = asked.spec
    sampler = optuna.samplers.TPESampler(seed=spec.seed, n_startup_trials=GENERATION, multivariate=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    space, known, number = asking.space_of(spec), set[str](), 1
    vain = 0
    while number <= spec.max_configs and vain < PATIENCE:
        opened = [study.ask() for _ in range(min(GENERATION, spec.max_configs - number + 1))]
        proposals = [(each, _params(each, space)) for each in opened]
        told = [(each, _digest(asked, params), params) for each, params in proposals]
        new: dict[str, Params] = {d: p for _, d, p in told if d is not None and d not in known}
        vain = 0 if new else vain + 1
        if new and not work(keep(run, new.items(), number)):
            return False
        known.update(new)
        number += len(new)
        _tell(study, run, told)
    return True


def _params(opened: Any, space: spaces.Space) -> Params:
    found = {}
    for choice in space:
        if choice.values or choice.step:
            found[choice.name] = opened.suggest_categorical(choice.name, spaces.levels(choice))
        elif choice.whole:
            wide = choice.low > 0 and choice.high / choice.low >= spaces.WIDE
            found[choice.name] = float(opened.suggest_int(choice.name, int(choice.low), int(choice.high), log=wide))
        else:
            wide = choice.low > 0 and choice.high / choice.low >= spaces.WIDE
            found[choice.name] = round(opened.suggest_float(choice.name, choice.low, choice.high, log=wide), 10)
    return found


def _tell(study: Any, run: OptimizationRun, told: list[tuple[Any, str | None, Params]]) -> None:
    """Tell every proposal's score: that of its row, a double's again; a contradiction or a failure has none."""
    import optuna

    digests = [digest for _, digest, _ in told if digest]
    rows = run.trials.filter(role="config", digest__in=digests).values_list("digest", "score", "feasible")
    scores = {digest: score for digest, score, feasible in rows if score is not None and feasible}
    for opened, digest, _ in told:
        if digest in scores:
            study.tell(opened, scores[digest])
        else:
            study.tell(opened, state=optuna.trial.TrialState.FAIL)
