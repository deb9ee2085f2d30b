# Reference results for effects on participants: two-stage least squares, its first stage, and
# the Anderson-Rubin test, with assignment as the instrument of attendance.
# Run in this folder: Rscript instruments.R. Reads trial.csv and clustered.csv (simulated),
# writes instruments.csv (trial.csv alone; clusters.R has those of clustered.csv) and
# anderson_rubin.csv. Written with R 4.2.2, estimatr 1.0.0, sandwich 3.0-2, AER 1.2-10.
#
# instruments.csv, case: iv | aer iv | first stage | iv beside | iv joint, estimator,
#   [weighted], kind. iv and first stage: the arm and control only. iv beside: all three arms,
#   the indicator of the other arm among the covariates, so that the estimate is the ratio of
#   two coefficients of the regressions with all arms. iv joint: attendance of each arm with an
#   effect of its own.
#   First-stage F is the squared t of a row `first stage`. The df of AER's rows are n - k.
# anderson_rubin.csv, case: test | interval | weak test, estimator, kind; CR2 means
#   clustered.csv, the others trial.csv. The row has the regression of y - null * attended on
#   assignment and the test that its effect is zero; in `interval` null is an end, found by
#   root search, at which p is 0.05. In `weak test` the participants are those with educ 3 or
#   4, whom assignment does not move.
suppressMessages({
  library(estimatr)
  library(sandwich)
  library(AER)
})
source("common.R")

kinds <- c("classical", "HC0", "HC1", "HC2", "HC3")
adjustments <- c(means = "", "fixed effects" = "+ block", ancova = "+ block + age + educ + earn0")
outcomes <- list(work = c(-1, -0.2, 0, 0.3, 1, 3), earn = c(-100, 0, 20, 40, 60, 200))
maybe <- function(weighted, f, ...) if (weighted) f(..., weights = w) else f(...)
keep_fit <- function(case, term, fit, name) {
  add(case, term, coef(fit)[[name]], fit$std.error[[name]], fit$df[[name]])
}
trial <- read.csv("trial.csv")
trial$block <- factor(trial$site)

for (y in names(outcomes)) for (weighted in c(FALSE, TRUE)) for (estimator in names(adjustments)) {
  known <- trial[!is.na(trial[[y]]), ]
  more <- adjustments[[estimator]]
  case <- function(what, kind) {
    paste(c(what, estimator, if (weighted) "weighted", kind), collapse = " ")
  }
  for (arm in 1:2) for (group in groups) {
    d <- members(known[known$arm %in% c(0, arm), ], group)
    d$z <- as.numeric(d$arm == arm)
    term <- paste(y, arm, group)
    f <- as.formula(paste(y, "~ attended", more, "| z", more))
    m <- maybe(weighted, ivreg, f, data = d)
    covariance <- list(
      classical = vcov(m), HC0 = vcovHC(m, type = "HC0"), HC1 = vcovHC(m, type = "HC1")
    )
    for (kind in kinds) {
      keep_fit(case("iv", kind), term, maybe(weighted, iv_robust, f, d, se_type = kind), "attended")
      first <- as.formula(paste("attended ~ z", more))
      fit <- maybe(weighted, lm_robust, first, d, se_type = kind)
      keep_fit(case("first stage", kind), term, fit, "z")
    }
    for (kind in names(covariance)) {
      add(case("aer iv", kind), term, coef(m)[["attended"]],
          sqrt(covariance[[kind]]["attended", "attended"]), m$df.residual)
    }
  }
  for (group in groups) for (kind in kinds) {
    d <- members(known, group)
    d$z1 <- as.numeric(d$arm == 1)
    d$z2 <- as.numeric(d$arm == 2)
    d$d1 <- d$attended * d$z1
    d$d2 <- d$attended * d$z2
    joint <- function(left) {
      f <- as.formula(paste(y, "~", left, more, "| z1 + z2", more))
      maybe(weighted, iv_robust, f, d, se_type = kind)
    }
    keep_fit(case("iv beside", kind), paste(y, 1, group), joint("attended + z2"), "attended")
    keep_fit(case("iv beside", kind), paste(y, 2, group), joint("attended + z1"), "attended")
    named <- function(label) paste(y, label, group)
    keep_fit(case("iv joint", kind), named("1"), joint("d1 + d2"), "d1")
    keep_fit(case("iv joint", kind), named("2"), joint("d1 + d2"), "d2")
    keep_fit(case("iv joint", kind), named("1-2"), joint("d1 + attended"), "d1")
  }
}
save_as("instruments.csv")

found <- list()
anderson_rubin <- function(what, y, data, nulls, estimator, kind, term) {
  more <- adjustments[[estimator]]
  at <- function(null) {
    data$left <- data[[y]] - null * data$attended
    f <- as.formula(paste("left ~ z", more))
    fit <- if (kind == "CR2") lm_robust(f, data, clusters = cluster, se_type = kind) else
      lm_robust(f, data, se_type = kind)
    lapply(list(estimate = coef(fit), std_error = fit$std.error, df = fit$df,
                p_value = fit$p.value), function(x) x[["z"]])
  }
  row <- function(what, null) {
    keep(case = paste(what, estimator, kind), term = term, null = digits(null),
         lapply(at(null), digits))
  }
  for (null in nulls) row(what, null)
  if (what == "test") {
    # p is 1 at the two-stage estimate and falls on both sides
    centre <- at(0)$estimate / (at(0)$estimate - at(1)$estimate)
    reach <- diff(range(nulls))
    end <- function(sign) {
      uniroot(function(null) at(null)$p_value - 0.05, sort(c(centre, centre + sign * 3 * reach)),
              tol = 1e-12 * reach)$root
    }
    row("interval", end(-1))
    row("interval", end(1))
  }
}
clustered <- read.csv("clustered.csv")
clustered$block <- factor(clustered$block)
for (y in names(outcomes)) for (estimator in names(adjustments)) for (group in groups) {
  for (kind in c("classical", "HC1", "HC2", "CR2")) {
    all <- if (kind == "CR2") clustered else trial
    d <- members(all[all$arm %in% 0:1 & !is.na(all[[y]]), ], group)
    d$z <- as.numeric(d$arm == 1)
    term <- paste(y, 1, group)
    anderson_rubin("test", y, d, outcomes[[y]], estimator, kind, term)
    d$attended <- as.numeric(d$educ > 2)
    anderson_rubin("weak test", y, d, outcomes[[y]], estimator, kind, term)
  }
}
save_as("anderson_rubin.csv")
