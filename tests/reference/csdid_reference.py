"""Reference effects of difference-in-differences from csdid, a port of R's did.

Run in this folder with csdid 0.4.3 (and drdid 1.1.7): python csdid_reference.py. Reads
did_panel.csv (drawn by did.R), writes csdid.csv in the rows of did.csv. Analytic
standard errors, from influence functions whose squares divide by n.
"""

import csv
import warnings

import numpy as np
import pandas as pd
from csdid.att_gt import ATTgt

METHODS = {"doubly_robust": "dr", "regression": "reg", "ipw": "ipw"}
CONTROLS = {"not_yet_treated": "notyettreated", "never_treated": "nevertreated"}
AVERAGES = {"dynamic": "event", "group": "cohort", "calendar": "month"}

warnings.filterwarnings("ignore")
panel = pd.read_csv("did_panel.csv").reset_index(names="person")
long = panel.melt(
    ["person", "cohort", "age", "urban", "w"], [f"y{t}" for t in range(1, 8)], "month", "y"
)
long["month"] = long["month"].str[1:].astype(int)
rows = []


def run(method, controls, base, anticipation, weighted):
    case = f"{method} {controls} {base} {anticipation}" + (" weighted" if weighted else "")
    fit = ATTgt(
        yname="y", tname="month", idname="person", gname="cohort", data=long.copy(),
        control_group=CONTROLS[controls], xformla="y ~ age + urban", anticipation=anticipation,
        weights_name="w" if weighted else None,
    ).fit(METHODS[method], base_period=base, bstrap=False)  # fmt: skip
    of = fit.results
    for g, t, att, se in zip(of["group"], of["year"], of["att"], of["se"], strict=True):
        if base == "varying" or t != g - anticipation - 1:
            rows.append((case, f"cell {g:.0f} {t:.0f}", att, se))
    for kind, label in AVERAGES.items():
        a = fit.aggte(kind, bstrap=False, cband=False).atte
        for at, att, se in zip(a["egt"], a["att_egt"], np.ravel(a["se_egt"]), strict=True):
            if not (kind == "dynamic" and base == "universal" and at == -1 - anticipation):
                rows.append((case, f"{label} {at:.0f}", att, se))
        rows.append((case, f"{label} overall", a["overall_att"], a["overall_se"]))
    a = fit.aggte("simple", bstrap=False, cband=False).atte
    rows.append((case, "overall", a["overall_att"], a["overall_se"]))
    before = sum(t < g - anticipation for g, t in zip(of["group"], of["year"], strict=True))
    df = before - 3 * (base == "universal")  # the base itself is among them, by cohort
    rows.append((case, "wald", fit.MP["W"], df))


for method in METHODS:
    for controls in CONTROLS:
        for base in ("universal", "varying"):
            run(method, controls, base, 0, weighted=False)
    run(method, "not_yet_treated", "universal", 1, weighted=False)
    run(method, "not_yet_treated", "varying", 1, weighted=True)
with open("csdid.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["case", "term", "estimate", "std_error"])
    for case, term, value, error in rows:
        writer.writerow([case, term, repr(float(value)), repr(float(error))])
