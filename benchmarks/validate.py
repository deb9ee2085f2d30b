"""Coverage of every interval and size of every test over simulated trials: docs/validation.md.

make validate
"""

import argparse
import textwrap
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from trials import COMPLIERS, DESIGNS, EVERY, MEN, WOMEN, trial  # finds the tests' trials, too

# isort: split
import attrition
import benefits
import ihdp
import markets
import panels
import projections
import selection
import simulate_paths

from evaluate.design.checks import design_checks
from evaluate.effects.batches import batches
from evaluate.effects.groups import estimands, fits_by_group
from evaluate.effects.participation import anderson_rubin
from evaluate.effects.table import effects
from evaluate.heterogeneity.equality import equality_table

TRIALS, LEVEL, SEED, DRAWS = 2_000, 0.95, 20200618, 199
OBSERVATIONAL = 1_000  # trials, at most, of designs without a lottery, which take longer
LOW, HIGH = 0.935, 0.965  # what coverage may be
FAMILIES = ("westfall_young", "romano_wolf")
CHECKED = [
    "simple, 140 persons",
    "blocks with shares 0.2 to 0.75, 260 persons",
    "70 pairs of persons",
    "three arms, 450 persons",
    "16 clusters of 4 to 16 persons",
    "three waves, 300 persons",
]
GROUPS = ("all", "women", "men", "women-men")
BY_GROUP = dict(zip(GROUPS, ("all", "women", "men", "women less men"), strict=True))
MEASURES = {
    "bias": "mean error",
    "rmse": "root mean square",
    "error": "mean standard error",
    "held": "held",
}
PATHS = {
    "12 months, 140 persons, a tenth lost": ("path", {"lost": 0.1}),
    "12 months, 30 clusters of 8": ("path", {"n": 240, "clusters": 30}),
    "first entry with exits, 400 persons in 2 blocks": ("entry", {}),
}


def coverage(name, trials):
    """Return, by estimand, estimator and group, how often the interval held the truth."""
    hits = defaultdict(list)
    wild = DESIGNS[name].get("interval") == "wild_bootstrap"
    for sequence in np.random.SeedSequence([SEED, len(name)]).spawn(trials):
        rng = np.random.default_rng(sequence)
        study, plan, truth = trial(rng, permutations=DRAWS if wild else 99, **DESIGNS[name])
        if wild:  # whose intervals are made with the rows
            for row in effects(study, plan, rng).table.itertuples():
                held = row.conf_low <= truth[row.estimand][row.group] <= row.conf_high
                hits[f"{row.estimand} {row.estimator}", row.group].append(held)
            continue
        (batch,) = batches(study, plan)
        for one in estimands(study, plan, batch):
            if one.contrast[1] == 0:
                held = one.fit.effects.covers(truth[one.estimand][one.group], LEVEL)[0]
                hits[f"{one.estimand} {one.estimator}", one.group].append(held)
        both = np.column_stack([batch.y, study.takeup])
        lead = plan.estimators[0]
        fits = fits_by_group(study, plan, lead, both, batch.observed, batch.covariates)
        for (group, contrast), fit in fits.items():
            if contrast[1] == 0 and group != "women-men":
                (found,), target = anderson_rubin(fit.effects, LEVEL), truth["late"][group]
                held = {
                    "interval": found.low <= target <= found.high,
                    "unbounded": not found.low < target < found.high,
                    "whole line": True,
                }[found.kind]
                hits["late anderson_rubin", group].append(held)
    return {key: float(np.mean(held)) for key, held in hits.items()}


def size(name, trials):
    """Return how often tests reject at 5 per cent where nobody's outcome is changed."""
    rejected = defaultdict(list)
    design = dict(DESIGNS[name])
    if not design.get("interval"):
        every = design.get("estimators", EVERY)
        adjusted = "lin" if "lin" in every and not design.get("clusters") else "ancova"
        design["estimators"] = [e for e in every if e in ("difference_in_means", adjusted)]
    for sequence in np.random.SeedSequence([SEED, len(name), 1]).spawn(trials):
        rng = np.random.default_rng(sequence)
        study, plan, _ = trial(rng, effect=0.0, permutations=DRAWS, **design)
        for row in effects(study, plan, rng).table.query("estimand == 'itt'").itertuples():
            if "-" not in row.arm and row.p_value_randomisation == row.p_value_randomisation:
                t = "wild" if design.get("interval") else "t"
                rejected[f"{t} {row.estimator}", row.group].append(row.p_value < 1 - LEVEL)
                drawn = row.p_value_randomisation <= 1 - LEVEL
                rejected[f"drawn {row.estimator}", row.group].append(drawn)
    return {key: float(np.mean(r)) for key, r in rejected.items()}


def checks(name, trials):
    """Return how often checks of the lottery and of losses, and families of tests, cry wolf."""
    cried = defaultdict(list)
    for sequence in np.random.SeedSequence([SEED, len(name), 2]).spawn(trials):
        rng = np.random.default_rng(sequence)
        design = DESIGNS[name] | {"estimators": ["fixed_effects"], "missing": 0.15, "outcomes": 4}
        study, plan, _ = trial(rng, effect=0.0, permutations=DRAWS, **design)
        for row in design_checks(study, plan, rng).dropna(subset="p_value").itertuples():
            group = "all" if row.check == "share_by_gender" else row.group
            if row.check.partition(":")[2] in ("", "y0"):
                check = row.check.partition(":")[0]
                cried[f"check: {check}", group].append(row.p_value <= 1 - LEVEL)
        found = effects(study, plan, rng)
        equal = equality_table(found.table, found.covariances, plan)
        (first, *_) = equal.query("outcome == 'y0'").itertuples()
        cried["equal effects", "all"].append(first.p_value < 1 - LEVEL)
        for method in FAMILIES:
            analysis = plan.analysis.model_copy(update={"multiplicity": method})
            chosen = plan.model_copy(update={"analysis": analysis})
            table = found.table if method == FAMILIES[0] else effects(study, chosen, rng).table
            for group, family in table.query("estimand == 'itt'").groupby("group"):
                adjusted = family["p_value_adjusted"].dropna()
                if len(adjusted):
                    cried[f"any test: {method}", group].append((adjusted <= 1 - LEVEL).any())
    return {key: float(np.mean(c)) for key, c in cried.items()}


def missing(name, trials):
    """Return how often intervals of bounds held the truth."""
    return attrition.coverage(name, trials, SEED)


def months(name, trials):
    """Return how often bands and intervals of months held the truth."""
    kind, design = PATHS[name]
    return simulate_paths.held(kind, trials, SEED, **design)


def displaced(name, trials):
    """Return how often intervals of direct effects and displacement held the truth."""
    found = markets.coverage(trials, SEED)
    return {
        (f"{effect}, share {share}", group): held for (share, effect, group), held in found.items()
    }


def selected(name, trials):
    """Return how often intervals of observational estimators held the truth."""
    return selection.coverage(name, trials, SEED)


def staggered(name, trials):
    """Return how often difference-in-differences held the truth, and how often trends failed."""
    return panels.coverage(name, trials, SEED)


def refuted(name, trials):
    """Return how often refuters warn."""
    return selection.alarms(name, trials, SEED)


def projected(name, trials):
    """Return how often intervals of group averages and projections held the truth."""
    return projections.coverage(name, trials, SEED)


def unfounded(name, trials):
    """Return how often tests find differences in effects where there are none."""
    return benefits.rejections(name, trials, SEED)


def sorted_apart(name, trials):
    """Return how often intervals of sorted groups held the truth, and tests found differences."""
    return benefits.sorted_apart(name, trials, SEED)


@dataclass
class Section:
    """A table of the page: what is simulated, how often, and what its cells may be.

    Shares of trials are given in per cent; other measures, by `columns`, as they are.
    """

    title: str
    lead: str
    simulate: object
    designs: list
    low: float = LOW
    high: float = HIGH
    columns: dict = field(default_factory=lambda: BY_GROUP)
    most: int = TRIALS
    found: dict = field(default_factory=dict)

    def lines(self, trials):
        """Write the table, with the designs that are done."""
        text = self.lead.format(trials=f"{self.trials(trials):,}")
        yield from ("", f"## {self.title}", "", textwrap.fill(text, 98), "")
        yield f"| design | what | {' | '.join(self.columns.values())} |"
        yield "|---|---" + "|---" * len(self.columns) + "|"
        for name in self.designs:
            found = self.found.get(name, {})
            for what in dict.fromkeys(key[0] for key in found):
                cells = [self._cell(what, column, found) for column in self.columns]
                yield f"| {name} | {what} | {' | '.join(cells)} |"

    def trials(self, asked):
        """Return how many trials are run where so many are asked for."""
        return min(asked, self.most)

    def _cell(self, what, column, found):
        share = found.get((what, column))
        if share is None:
            return "–"
        if column in MEASURES and column != "held":
            return f"{share:.3f}"
        low, high = self.low, self.high
        if what.startswith("test"):  # of what is not there
            low, high = 1 - high, 1 - low
        elif what.endswith(("interval given", " finds")):
            low, high = 0, 1
        return f"{100 * share:.1f}{'' if low <= share <= high else ' *'}"


def sections():
    """Return the tables of the page."""
    names = list(DESIGNS)
    return [
        Section(
            "Coverage",
            "{trials} trials for each design. "
            f"{COMPLIERS:.0%} of those offered take part; women gain {WOMEN:g} and men {MEN:g} by "
            "it (a tenth of that where the outcome is 0 or 1). `itt` are effects of the offer, "
            "`late` of taking part. With three arms both contrasts with control are counted. "
            "Trials of clusters and of waves have the error CR2 with Satterthwaite's degrees of "
            "freedom, those of persons HC2 or Neyman's.",
            coverage,
            names,
        ),
        Section(
            "Size of tests",
            "Per cent of {trials} trials without any effect in which a test rejects at 5 per cent, "
            f"by t or the wild bootstrap and by {DRAWS} assignments drawn anew. Outside 3.5 to "
            "6.5 an asterisk; of some 220 cells one or two are there by chance (50 clusters, all: "
            "8,000 other trials rejected in 5.0 per cent).",
            size,
            names,
            low=0.035,
            high=0.065,
        ),
        Section(
            "Size of checks and of families",
            "Per cent of {trials} trials without any effect, 15 per cent of outcomes missing at "
            "random, in which a check of the lottery or of losses rejects at 5 per cent, a test of "
            "equal effects of women and men does, or any test of four outcomes after adjustment. "
            "Above 6.5 an asterisk; checks of counts cannot come closer to 5 from below.",
            checks,
            CHECKED,
            low=0.0,
            high=0.065,
        ),
        Section(
            "Missing outcomes",
            "{trials} trials for each design in which outcomes are missing by a known rule. "
            "Intervals of Imbens and Manski: a bound may hold the truth more often than 95 per "
            "cent, and does where the truth is far inside, as that of the gap. Women and men are "
            "half of the persons: trimmed within cells of 10 to 20 persons an arm, intervals of "
            "so few are about a point short. Weights by response (`ipw`) hold where outcomes "
            "are missing at random given covariates and in no other design: how they fail there "
            "is shown.",
            missing,
            list(attrition.DESIGNS),
            high=1.0,
        ),
        Section(
            "Months",
            "{trials} trials for each design: the interval of one month, the band over all "
            "months at once, the interval of the sum over months or of the time lost.",
            months,
            list(PATHS),
        ),
        Section(
            "Displacement",
            "{trials} trials of 36 labour markets, drawn a share each. Over all shares together "
            "(`share all`) the error counts what differs between shares as chance, although how "
            "many markets each share has is fixed: those intervals are rather too wide.",
            displaced,
            ["36 markets of 24 persons"],
        ),
        Section(
            "Observational: selection on what is measured",
            "{trials} trials (trees: a fifth of them) of "
            f"{selection.PERSONS:,} persons, a third of them treated, who were selected by the "
            "covariates with log odds of standard deviation 0.5 (good overlap), 1 (moderate), 1.75 "
            "(poor) or 2.5 (hardly any). Nobody is trimmed. `works` is 0 or 1. Where more than one "
            "in a hundred (ATE: two hundred) of those the effect is about have no like, the "
            "product gives no interval: intervals that are given are counted, and how often they "
            "are. `regression` "
            "is held against its own coefficient in the population, which is no average effect "
            "where effects differ, and which a confounder left out moves along. Asterisks of "
            "`difference_in_means`, of poor overlap, of a confounder left out and of models that "
            "are straight where the truth is bent are failures that no method here can mend: they "
            "are shown, not hidden.",
            selected,
            list(selection.DESIGNS),
            most=OBSERVATIONAL,
        ),
        Section(
            "Observational: staggered starts",
            "{trials} trials of difference-in-differences: three months of start, a drift of the "
            "outcome that the covariate tells. The band is over all months before and since the "
            "start. The test of trends before the start should reject in 5 per cent; with the "
            "drift left out trends are not parallel, intervals fail, and the test seldom sees it.",
            staggered,
            list(panels.DESIGNS),
            most=OBSERVATIONAL,
        ),
        Section(
            "Observational: refuters",
            "Per cent of {trials} trials of 400 persons in which a refuter of the regression "
            "warns at 5 per cent. With all confounders measured a warning is false; with one left "
            "out the estimate is wrong, and that refuters pass tells nothing of it.",
            refuted,
            list(selection.REFUTED),
            low=0.0,
            high=0.065,
            columns={"all": "warns"},
            most=OBSERVATIONAL,
        ),
        Section(
            "Observational: real covariates",
            "{trials} draws of Hill's two response surfaces on the 747 children of the Infant "
            "Health and Development Program, 139 of them treated (trees: the first "
            f"{ihdp.BOOSTED}). Surface A is linear with an effect of 4; B is exponential without "
            "treatment, 4 on average for the treated. Children and treatment are the same in all "
            "draws, so that intervals for a population of children hold the effect on these more "
            "often than 95 per cent; matching's, which count a variance within every pair, most.",
            ihdp.coverage,
            [f"surface {s}, {e}" for s in ihdp.SURFACES for e in ("att", "ate")],
            high=1.0,
            columns=MEASURES,
            most=OBSERVATIONAL,
        ),
        Section(
            "Benefits: averages and projections",
            "{trials} trials (lotteries of fewer than 1,000 persons: four times as many) of "
            "simulated programmes whose effects differ along two covariates and by gender, with "
            "the given standard deviation over that of the outcome, or not at all; scores with "
            "estimated nuisances. `test of all slopes` rejects where there are none, at 5 per "
            "cent. By chance a true 95 has a standard error of 1.0 over 500 trials.",
            projected,
            list(projections.DESIGNS),
            most=OBSERVATIONAL // 2,
        ),
        Section(
            "Benefits: size of tests",
            "Per cent of {trials} trials (lotteries of fewer than 1,000 persons: four times as "
            "many; boosted trees: half, the forest: twice as many) in which a test over honest "
            "splits finds differences in effects at 5 per cent where there are none. A true 5 has "
            "a standard error of 1.0 over 500 trials.",
            unfounded,
            list(benefits.DESIGNS),
            low=0.035,
            high=0.065,
            columns={"all": "rejects"},
            most=OBSERVATIONAL,
        ),
        Section(
            "Benefits: sorted groups",
            "{trials} trials (500 persons: four times as many; boosted trees: half): how often the "
            "interval of the effect in a group of predicted effect holds the median over the "
            "splits of the true effects in it. Above 96.5 it is wider than need be, where splits "
            "disagree on who is in it. `finds` is how often a test finds differences at 5 per "
            "cent: its power where there are some. By chance a true 95 has a standard error of "
            "1.3 over 300 trials: of some 240 cells several are outside by that (the lowest, men "
            "in group 5 of outcomes 0 or 1: 95.5 in 400 other trials).",
            sorted_apart,
            list(benefits.SPREAD),
            high=1.0,
            most=OBSERVATIONAL // 2,
        ),
    ]  # fmt: skip


def main():
    """Write the tables, anew with each design that is done."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=TRIALS)
    options.add_argument("--only", default="", help="sections whose title holds this")
    options.add_argument("--design", default="", help="designs whose name holds this")
    options.add_argument("--to", default=str(Path(__file__).parents[1] / "docs" / "validation.md"))
    chosen = options.parse_args()
    pages = [s for s in sections() if chosen.only in s.title]
    chance = 100 * np.sqrt(LEVEL * (1 - LEVEL) / chosen.trials)
    lead = (
        "Made by `make validate`: simulated trials with effects known by construction. Numbers are "
        f"per cent of {LEVEL:.0%} intervals that held the truth; those outside {LOW:.1%} to "
        f"{HIGH:.1%} are marked with an asterisk. By chance alone a true {100 * LEVEL:g} has a "
        f"standard error of {chance:.1f} over {chosen.trials:,} trials."
    )
    with ProcessPoolExecutor(2) as pool:
        waiting = {
            pool.submit(s.simulate, name, s.trials(chosen.trials)): (s, name)
            for s in pages
            for name in s.designs
            if chosen.design in name
        }
        for done in as_completed(waiting):
            section, name = waiting[done]
            section.found[name] = done.result()
            lines = ["# Validation", "", textwrap.fill(lead, 98)]
            for s in pages:
                lines += s.lines(chosen.trials)
            Path(chosen.to).write_text("\n".join(lines) + "\n", encoding="utf-8")
            print(f"{section.title}: {name}", flush=True)


if __name__ == "__main__":
    main()
