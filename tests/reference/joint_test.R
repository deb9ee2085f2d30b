# Reference results for tests/heterogeneity/test_joint_test.py and test_leverage.py.
# Run in this folder: Rscript joint_test.R. Reads policy_persons.csv and projection_persons.csv
# (simulated), writes joint_test.csv. Written with R 4.2.2, sandwich 3.0-2, clubSandwich.
#
# Residuals of the outcome are regressed on the covariates in either arm, with the weights times
# inverse probabilities. "F" is Wald's statistic that slopes are the same over their number, by
# sandwich (HC0, or by cluster without factors); "p" the part of 3,999 draws whose statistic is as
# large, where residuals of a regression with the same slopes have signs drawn by person or cluster.
suppressMessages({library(sandwich); library(clubSandwich)})
source("common.R")

d <- read.csv("policy_persons.csv")
terms <- c("treated:x", "treated:men")
draws <- 3999

wald <- function(fit, cluster) {
  v <- if (is.null(cluster)) vcovHC(fit, "HC0") else {
    vcovCL(fit, cluster, type = "HC0", cadjust = FALSE)
  }
  b <- coef(fit)[terms]
  drop(b %*% solve(v[terms, terms], b))
}

for (estimand in c("ITT", "ATE", "ATT")) for (clustered in c(FALSE, TRUE)) {
  t <- d$treated; m <- d$m
  if (estimand == "ATT") {
    inverse <- t + (1 - t) * m / (1 - m)
    effect <- sum(d$weight * (t - (1 - t) * m / (1 - m)) * (d$y - d$g0)) / sum(d$weight * t)
  } else {
    inverse <- t / m + (1 - t) / (1 - m)
    signal <- d$g1 - d$g0 + t / m * (d$y - d$g1) - (1 - t) / (1 - m) * (d$y - d$g0)
    effect <- weighted.mean(signal, d$weight)
  }
  d$r <- d$y - (1 - m) * d$g0 - m * d$g1 - effect * (t - m)
  d$w <- d$weight * inverse
  cluster <- if (clustered) d$cluster else NULL
  observed <- wald(lm(r ~ treated * (x + men), d, weights = w), cluster)
  same <- lm(r ~ treated + x + men, d, weights = w)
  left <- resid(same)
  if (!clustered) left <- left / (1 - hatvalues(same))
  unit <- if (clustered) d$cluster + 1 else seq_len(nrow(d))
  set.seed(20260101)
  drawn <- replicate(draws, {
    d$s <- left * sample(c(-1, 1), max(unit), replace = TRUE)[unit]
    wald(lm(s ~ treated * (x + men), d, weights = w), cluster)
  })
  case <- paste0(estimand, if (clustered) " clusters" else "")
  add(case, "F", observed / 2, NA, nrow(d))
  add(case, "p", (1 + sum(drawn >= observed)) / (1 + draws), NA, draws)
}

e <- read.csv("projection_persons.csv")
fit <- lm(ate ~ age + before + men, e)
for (type in c("HC2", "HC3")) {
  for (x in c("age", "before", "men")) {
    add(type, x, coef(fit)[[x]], sqrt(diag(vcovHC(fit, type)))[[x]], NA)
  }
}
for (type in c("CR2", "CR3")) {
  for (x in c("age", "before", "men")) {
    add(type, x, coef(fit)[[x]], sqrt(diag(vcovCR(fit, e$cluster, type)))[[x]], NA)
  }
}
save_as("joint_test.csv")
