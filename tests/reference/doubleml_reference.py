"""Write `doubleml.csv`: `python tests/reference/doubleml_reference.py`.

Needs DoubleML (0.11.4 was used, with scikit-learn 1.9.1); the tests need the table only. The
persons are made from Weyl sequences, not from a random generator, so that they are the same
with every version of numpy. Simulated, no real persons.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

N, FOLDS = 900, 5
CLIP = 0.01
CLUSTERS = 45  # nine in each fold


@dataclass(frozen=True)
class Persons:
    y: np.ndarray  # earnings, and a column of 0 and 1
    treated: np.ndarray
    x: np.ndarray
    women: np.ndarray
    fold: np.ndarray
    cluster: np.ndarray


def weyl(root: float, n: int = N) -> np.ndarray:
    """Return numbers spread evenly over 0 to 1, in no visible order."""
    return np.mod(np.arange(1, n + 1) * np.sqrt(root), 1)


def draw() -> Persons:
    x = norm.ppf(np.column_stack([weyl(r) for r in (2, 3, 5, 7)]))
    women = weyl(11) < 0.5
    x = np.column_stack([x, women])
    treated = weyl(13) < expit(0.5 * x[:, 0] - 0.4 * x[:, 1] + 0.3 * women - 0.5)
    earnings = 10 + x[:, :4] @ [2, 1, -1, 0.5] + treated * (1 + x[:, 0] + women)
    earnings = earnings + 2 * norm.ppf(weyl(17)) + 0.7 * x[:, 0] ** 2
    works = weyl(19) < expit(0.6 * x[:, 0] - 0.5 * x[:, 2] + 0.5 * treated)
    cluster = (weyl(23) * CLUSTERS).astype(int)
    fold = (weyl(29) * FOLDS).astype(int)
    return Persons(np.column_stack([earnings, works]), treated, x, women, fold, cluster)


def fitted(persons: Persons, column: int, score: str, **settings: object):
    import doubleml
    from sklearn.linear_model import LinearRegression, LogisticRegression

    frame = pd.DataFrame(persons.x, columns=[f"x{i}" for i in range(persons.x.shape[1])])
    frame = frame.assign(y=persons.y[:, column], d=persons.treated.astype(float))
    fold = persons.fold
    clusters = {}
    if settings.pop("clustered", False):
        frame, clusters = frame.assign(c=persons.cluster), {"cluster_cols": "c"}
        fold = persons.cluster % FOLDS
    data = doubleml.DoubleMLData(
        frame, "y", "d", [c for c in frame if c.startswith("x")], **clusters
    )
    exact = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=500)
    model = doubleml.DoubleMLIRM(
        data,
        exact if column == 1 else LinearRegression(),
        exact,
        n_folds=FOLDS,
        score=score,
        draw_sample_splitting=False,
        ps_processor_config=doubleml.utils.PSProcessorConfig(clipping_threshold=CLIP),
        **settings,
    )
    everyone = np.arange(N)
    splits = [(everyone[fold != f], everyone[fold == f]) for f in range(FOLDS)]
    whole = None
    if clusters:
        codes = np.arange(CLUSTERS)
        whole = [[([codes[codes % FOLDS != f]], [codes[codes % FOLDS == f]]) for f in range(FOLDS)]]
    model.set_sample_splitting([splits], whole)
    return model.fit()


def main() -> None:
    persons, rows = draw(), []
    groups = {"women": persons.women, "men": ~persons.women}

    def add(case: str, term: str, value: float, error: float) -> None:
        rows.append({"case": case, "term": term, "estimate": value, "std_error": error})

    for column, name in enumerate(("earnings", "works")):
        for normalise in (False, True):
            case = f"ate {name}" + " normalised" * normalise
            model = fitted(persons, column, "ATE", normalize_ipw=normalise)
            add(case, "all", model.coef[0], model.se[0])
            gate = model.gate(pd.DataFrame(groups))
            for g, value, error in zip(groups, gate.coef, gate.se, strict=True):
                add(case, g, value, error)
        model = fitted(persons, column, "ATTE")
        add(f"att {name}", "all", model.coef[0], model.se[0])
        for g, members in groups.items():
            model = fitted(persons, column, "ATTE", weights=members.astype(float))
            add(f"att {name}", g, model.coef[0], model.se[0])
        for score in ("ATE", "ATTE"):
            model = fitted(persons, column, score, clustered=True)
            case = f"{score.lower().replace('atte', 'att')} {name} clustered"
            add(case, "all", model.coef[0], model.se[0])
    table = pd.DataFrame(rows)
    table.to_csv(Path(__file__).with_name("doubleml.csv"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
