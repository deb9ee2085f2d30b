"""Write `doubleml_sensitivity.csv`: `python tests/reference/doubleml_sensitivity.py`.

Long-story-short bounds by DoubleML 0.11.4 (no dependency of this project) on trial.csv, with
predictions given as formulas, so that nothing random is fitted. Level 0.9, one-sided; the
robustness values are found by a bounded search, good to some 1e-6. DoubleML 0.11.4 exchanges the
standard errors of the two bounds (the test says why); the numbers are as it gives them.
"""

from pathlib import Path

import doubleml as dml
import numpy as np
import pandas as pd
from doubleml.utils.gain_statistics import gain_statistics
from sklearn.linear_model import LinearRegression, LogisticRegression

HERE = Path(__file__).parent


def predictions(d: pd.DataFrame, short: bool) -> dict[str, np.ndarray]:
    """Return propensity and outcome regressions, the short ones without education.

    The short propensities make worse use of age, too, so that their Riesz representer has the
    smaller second moment.
    """
    educ = d["educ"] - 2.5
    index = -0.2 + (0.04 if short else 0.008) * (d["age"] - 37) + (0 if short else 0.1) * educ
    base = 130 + 0.2 * d["earn0"] + 0.9 * d["age"] + (0 if short else 10) * educ
    m = 1 / (1 + np.exp(-index.to_numpy()))
    return {"ml_m": m, "ml_g0": base.to_numpy(), "ml_g1": 1.02 * base.to_numpy() + 8}


def fitted(d: pd.DataFrame, score: str, short: bool) -> dml.DoubleMLIRM:
    data = dml.DoubleMLData(d, "earn", "z", ["age", "earn0"] + ([] if short else ["educ"]))
    model = dml.DoubleMLIRM(data, LinearRegression(), LogisticRegression(), score=score)
    given = {k: v.reshape(-1, 1) for k, v in predictions(d, short).items()}
    model.fit(external_predictions={"z": given})
    return model


def main() -> None:
    trial = pd.read_csv(HERE / "trial.csv")
    d = trial[(trial["arm"] < 2) & trial["earn"].notna()].reset_index(drop=True)
    d["z"] = d["arm"].astype(float)
    found = []
    for estimand, score in (("ate", "ATE"), ("att", "ATTE")):
        model = fitted(d, score, short=False)
        model.sensitivity_analysis(cf_y=0.05, cf_d=0.08, rho=0.7, level=0.9, null_hypothesis=-10.0)
        of = model.sensitivity_params
        gains = gain_statistics(model, fitted(d, score, short=True))
        values = {
            "estimate": model.coef[0],
            "std_error": model.se[0],
            "sigma2": model.sensitivity_elements["sigma2"].item(),
            "nu2": model.sensitivity_elements["nu2"].item(),
            "rv": of["rv"][0],
            "rva": of["rva"][0],
        }
        for what in ("theta", "se", "ci"):
            for side in ("lower", "upper"):
                values[f"{what}_{side}"] = of[what][side][0]
        values |= {k: gains[k].item() for k in ("cf_y", "cf_d", "rho", "delta_theta")}
        found += [{"case": estimand, "term": k, "value": float(v)} for k, v in values.items()]
    table = pd.DataFrame(found)
    table.to_csv(HERE / "doubleml_sensitivity.csv", index=False, float_format="%.17g")


if __name__ == "__main__":
    main()
