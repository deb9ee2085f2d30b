"""Files of the stage `design`: checks of the lottery, balance, what the study could find."""

from __future__ import annotations

import pandera.pandas as pa

from evaluate.schemas.columns import SHARE, count, month_column, real, table, text

DESIGN_CHECKS = table(
    "design_checks",
    check=text(),
    group=text(),
    statistic=real(),
    p_value=real(SHARE),
    verdict=text("pass", "warn", "not assessed"),
    text=text(),
    # the smallest number of persons that the text gives away: before the gate only
    least=pa.Column("Int64", pa.Check.ge(1), nullable=True, coerce=True, required=False),
)

BALANCE = table(
    "balance",
    covariate=text(),
    group=text(),
    mean_treated=real(),
    mean_control=real(),
    smd=real(),
    variance_ratio=real(pa.Check.ge(0)),
    adjusted=pa.Column("boolean", coerce=True, nullable=True),
    arm=text(),
    # by which weights of an observational study; largest difference of the distributions
    weights=text("ipw", "entropy_balancing", "matching", empty=True),
    ks=real(SHARE),
)

POWER = table(
    "power",
    outcome=text(),
    month=month_column(),
    arm=text(),
    estimator=text(),
    group=text("all", "women", "men", "women-men"),
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    p_value=real(SHARE),
    df=real(pa.Check.gt(0)),
    level=real(SHARE),
    power=real(SHARE),
    detectable=real(pa.Check.ge(0)),
    relative=real(pa.Check.ge(0)),
    ratio_to_all=real(pa.Check.ge(0)),
    n=count(),
    n_treated=count(),
    n_control=count(),
    share_treated=real(SHARE),
    unit=text(),
    note=text(empty=True),
)
