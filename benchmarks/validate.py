"""Coverage of every interval and size of every test over simulated trials: docs/validation.md.

make validate
"""

import argparse
import textwrap
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from trials import COMPLIERS, DESIGNS, MEN, WOMEN, trial

from evaluate.effects.participation import participation
from evaluate.effects.table import effects

TRIALS, LEVEL, SEED, DRAWS = 2_000, 0.95, 20200618, 499
LOW, HIGH = 0.935, 0.965  # what coverage may be
GROUPS = ("all", "women", "men", "women-men")


def coverage(name, trials):
    """Return, by estimand, estimator and group, how often the interval held the truth."""
    hits = defaultdict(list)
    wild = DESIGNS[name].get("interval") == "wild_bootstrap"
    for sequence in np.random.SeedSequence([SEED, len(name)]).spawn(trials):
        rng = np.random.default_rng(sequence)
        study, plan, truth = trial(rng, permutations=DRAWS if wild else 99, **DESIGNS[name])
        found = effects(study, plan)
        if wild:  # the bootstrap draws its signs from the stage's source
            found = effects(study, plan, rng)
        for row in found.table.itertuples():
            if "-" not in row.arm:
                target = truth[row.estimand][row.group]
                held = row.conf_low <= target <= row.conf_high
                hits[row.estimand, row.estimator, row.group].append(held)
        for row in participation(study, plan).itertuples():
            if "-" not in row.arm and row.group != "women-men":
                target = truth["late"][row.group]
                held = {
                    "interval": row.ar_low <= target <= row.ar_high,
                    "unbounded": not row.ar_low < target < row.ar_high,
                    "whole line": True,
                }[row.ar_set]
                hits["late", "anderson_rubin", row.group].append(held)
    return {key: (np.mean(held), len(held)) for key, held in hits.items()}


def size(name, trials):
    """Return how often tests of no effect reject at 5 per cent where there is none."""
    rejected = defaultdict(list)
    for sequence in np.random.SeedSequence([SEED, len(name), 1]).spawn(trials):
        rng = np.random.default_rng(sequence)
        study, plan, _ = trial(rng, effect=0.0, permutations=DRAWS, **DESIGNS[name])
        for row in effects(study, plan, rng).table.query("estimand == 'itt'").itertuples():
            if "-" not in row.arm and row.p_value_randomisation == row.p_value_randomisation:
                key = (row.estimator, row.group)
                rejected["t", *key].append(row.p_value < 1 - LEVEL)
                rejected["randomisation", *key].append(row.p_value_randomisation <= 1 - LEVEL)
    return {key: (np.mean(r), len(r)) for key, r in rejected.items()}


def marked(share, low, high):
    """Write a share as per cent, with an asterisk outside its bounds."""
    return f"{100 * share:.1f}{'' if low <= share <= high else ' *'}"


def table(found, keys, low, high, empty="–"):
    """Write one row for each key, one cell for each group."""
    for key in dict.fromkeys(keys):
        cells = [
            marked(found[*key, g][0], low, high) if (*key, g) in found else empty for g in GROUPS
        ]
        yield key, " | ".join(cells)


def main():
    """Write the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=TRIALS)
    options.add_argument("--only", help="designs whose name holds this; nothing is written")
    chosen = options.parse_args()
    names = [n for n in DESIGNS if chosen.only is None or chosen.only in n]
    chance = 100 * np.sqrt(LEVEL * (1 - LEVEL) / chosen.trials)
    lead = (
        f"Made by `make validate`: {chosen.trials:,} simulated trials for each design, effects "
        f"known by construction, {LEVEL:.0%} intervals. {COMPLIERS:.0%} of those offered take "
        f"part; women gain {WOMEN:g} and men {MEN:g} by it (a tenth of that where the outcome is "
        "0 or 1). With three arms both contrasts with control are counted. Numbers are per cent "
        f"of intervals that held the truth; those outside {LOW:.1%} to {HIGH:.1%} are marked with "
        f"an asterisk. By chance alone a true {100 * LEVEL:g} has a standard error of "
        f"{chance:.1f}. Trials of clusters have the error CR2 with Satterthwaite's degrees of "
        "freedom, those of persons HC2 or Neyman's."
    )
    lines = ["# Validation", "", textwrap.fill(lead, 98), "", "## Coverage", ""]
    lines += ["| design | effect | estimator | all | women | men | women less men |"]
    lines += ["|---|---|---|---|---|---|---|"]
    sizes = []
    with ProcessPoolExecutor(2) as pool:
        covered = {n: pool.submit(coverage, n, chosen.trials) for n in names}
        tested = {n: pool.submit(size, n, chosen.trials) for n in names}
        for name in names:
            found = covered[name].result()
            for (estimand, estimator), cells in table(found, (k[:2] for k in found), LOW, HIGH):
                effect = "offer" if estimand == "itt" else "taking part"
                lines.append(f"| {name} | {effect} | {estimator} | {cells} |")
            found = tested[name].result()
            for (test, estimator), cells in table(found, (k[:2] for k in found), 0.035, 0.065):
                sizes.append(f"| {name} | {test} | {estimator} | {cells} |")
            print(name, flush=True)
    lead = (
        f"Per cent of {chosen.trials:,} trials without any effect in which the test rejects at 5 "
        f"per cent; {DRAWS} assignments drawn for each. Outside 3.5 to 6.5 an asterisk."
    )
    lines += ["", "## Size of tests", "", textwrap.fill(lead, 98), ""]
    lines += ["| design | test | estimator | all | women | men | women less men |"]
    lines += ["|---|---|---|---|---|---|---|", *sizes]
    if chosen.only is not None:
        print("\n".join(lines))
        return
    path = Path(__file__).parents[1] / "docs" / "validation.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
