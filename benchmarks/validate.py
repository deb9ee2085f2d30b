"""Coverage of every interval over simulated trials with known effects: docs/validation.md.

make validate
"""

import sys
import textwrap
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulate import draw_within, plan_of, study_from  # the tests' own trials

from evaluate.effects.table import effects

TRIALS, LEVEL, SEED = 2_000, 0.95, 20200618
LOW, HIGH = 0.935, 0.965  # what coverage may be
WOMEN, MEN, COMPLIERS = 2.0, 1.0, 0.7  # effect of taking part by gender; share who take up
ALL = ["difference_in_means", "lin", "fixed_effects", "ancova"]

DESIGNS = {
    "simple, 140 persons": {"n": 140},
    "simple, a quarter offered, 400 persons": {"n": 400, "share": 0.25},
    "blocks with shares 0.2 to 0.75, 260 persons": {"n": 260, "blocks": (0.2, 0.35, 0.5, 0.75)},
    "three arms, 450 persons": {"n": 450, "arms": 3},
    "weights 0.5 to 3, 400 persons": {"n": 400, "weighted": True},
    "slopes of women and men shared, 240 persons": {"n": 240, "slopes": "shared"},
    "outcome 0 or 1, 400 persons": {"n": 400, "binary": True},
}


def trial(rng, n, share=0.5, blocks=(), arms=2, weighted=False, slopes="apart", binary=False):
    """Draw a trial; return its study, its plan, and the true effects by estimand and group."""
    women = np.arange(n) % 2 == 0
    block = np.arange(n) // 2 % max(len(blocks), 1)
    if arms == 2:
        arm = draw_within(rng, block, np.array(blocks or (share,)))
    else:
        arm = rng.permutation(np.arange(n) % arms)
    x = rng.normal(size=(n, 2))
    took = (arm > 0) & (rng.random(n) < COMPLIERS)
    gain = np.where(women, WOMEN, MEN)
    if binary:
        gain = gain / 10  # percentage points, constant: 0.3 of control are 1
        y = (rng.random(n) < 0.3 + 0.1 * np.tanh(x[:, 0]) + gain * took).astype(float)
    else:
        noise = np.where(arm > 0, 2.0, 1.0) * rng.normal(size=n)
        y = 0.8 * block + x @ [1.0, -0.5] + gain * took + noise
    weight = rng.uniform(0.5, 3, n) if weighted else None
    groups = {"all": np.ones(n, dtype=bool), "women": women, "men": ~women}
    late = {g: np.average(gain[m], weights=None if weight is None else weight[m])
            for g, m in groups.items()}  # fmt: skip
    late["women-men"] = late["women"] - late["men"]
    study = study_from(
        y[:, None], arm, women, x, block if blocks else None, weight, took.astype(float)
    )
    columns = {"takeup": {"column": "t", "taken": 1}}
    columns |= {"blocks": ["b"]} if blocks else {}
    columns |= {"weight": "w"} if weighted else {}
    estimators = ["lin"] if slopes == "shared" else ALL
    plan = plan_of(
        study.y,
        columns=columns,
        covariates=["x0", "x1"],
        analysis={"estimators": estimators, "slopes": slopes},
    )
    itt = {group: COMPLIERS * effect for group, effect in late.items()}
    return study, plan, {"itt": itt, "late": late}


def coverage(name):
    """Return, by estimand, estimator and group, how often the interval held the truth."""
    hits = defaultdict(list)
    for sequence in np.random.SeedSequence([SEED, len(name)]).spawn(TRIALS):
        study, plan, truth = trial(np.random.default_rng(sequence), **DESIGNS[name])
        for row in effects(study, plan).table.itertuples():
            if "-" not in row.arm:
                target = truth[row.estimand][row.group]
                held = row.conf_low <= target <= row.conf_high
                hits[row.estimand, row.estimator, row.group].append(held)
    return name, {key: (np.mean(held), len(held)) for key, held in hits.items()}


def main():
    """Write the table."""
    chance = 100 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)
    lead = (
        f"Made by `make validate`: {TRIALS:,} simulated trials for each design, effects known by "
        f"construction, {LEVEL:.0%} intervals. {COMPLIERS:.0%} of those offered take part; women "
        f"gain {WOMEN:g} and men {MEN:g} by it (a tenth of that where the outcome is 0 or 1). With "
        "three arms both contrasts with control are counted. The effect of taking part follows "
        "the difference in means, with shared slopes Lin's regression. Numbers are per cent of "
        f"intervals that held the truth; those outside {LOW:.1%} to {HIGH:.1%} are marked with an "
        f"asterisk. By chance alone a true {100 * LEVEL:g} has a standard error of {chance:.1f}."
    )
    lines = [
        "# Validation",
        "",
        textwrap.fill(lead, 98),
        "",
        "| design | effect | estimator | all | women | men | women less men |",
        "|---|---|---|---|---|---|---|",
    ]
    with ProcessPoolExecutor(2) as pool:
        for name, found in pool.map(coverage, DESIGNS):
            for estimand, estimator in dict.fromkeys(key[:2] for key in found):
                cells = []
                for group in ("all", "women", "men", "women-men"):
                    share, _ = found[estimand, estimator, group]
                    cells.append(f"{100 * share:.1f}{'' if LOW <= share <= HIGH else ' *'}")
                effect = "offer" if estimand == "itt" else "taking part"
                lines.append(f"| {name} | {effect} | {estimator} | {' | '.join(cells)} |")
            print(name, flush=True)
    path = Path(__file__).parents[1] / "docs" / "validation.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
