# Reference results for the probability of treatment, its measures, and Crump's bounds.
# Run in this folder: Rscript propensity.R. Reads trial.csv (simulated), writes propensity.csv.
# Written with R 4.2.2, sandwich 3.0.2, pROC 1.18.0.
#
# Treated are arms 1 and 2. case: logit, splines, [weighted]; term: a person's id, the fitted
# probability of the first 60; slopes: HC0 standard errors, without weights. measures: of the
# logit's linear predictor, tripled and moved by 0.3, as if it were a score. crump: alpha and
# the number kept, by trying every set of scores from a to 1 - a (ATE), or up to 1 - a (ATT,
# over the treated), for the least variance bound.
suppressMessages({library(sandwich); library(pROC)})
library(splines)
source("common.R")

trial <- read.csv("trial.csv")
trial$treated <- as.numeric(trial$arm > 0)
trial$female <- as.numeric(trial$sex == "F")
trial$site <- factor(trial$site)
tight <- glm.control(epsilon = 1e-15, maxit = 50)
tell <- function(case, term, value) keep(case = case, term = term, value = digits(value))

curved <- function(x) {
  knots <- unique(quantile(x, c(0.05, 0.35, 0.65, 0.95)))
  last <- length(knots)
  ns(x, knots = knots[2:(last - 1)], Boundary.knots = knots[c(1, last)])
}
forms <- list(logit = treated ~ age + educ + earn0 + female + site,
              splines = treated ~ curved(age) + educ + curved(earn0) + female + site)
for (name in names(forms)) for (weighted in c(FALSE, TRUE)) {
  mass <- if (weighted) trial$w else rep(1, nrow(trial))
  m <- suppressWarnings(glm(forms[[name]], binomial, trial, weights = mass, control = tight))
  tell(paste0(name, if (weighted) " weighted"), trial$id[1:60], fitted(m)[1:60])
}

m <- glm(forms$logit, binomial, trial, control = tight)
errors <- sqrt(diag(sandwich(m)))
tell("slopes", names(errors)[-1], errors[-1])

eta <- 0.3 + 3 * predict(m)
p <- plogis(eta)
for (weighted in c(FALSE, TRUE)) {
  mass <- if (weighted) trial$w else rep(1, nrow(trial))
  case <- paste0("measures", if (weighted) " weighted")
  level <- suppressWarnings(glm(treated ~ 1, binomial, trial, weights = mass, offset = eta,
                                control = tight))
  slope <- suppressWarnings(glm(treated ~ eta, binomial, trial, weights = mass, control = tight))
  tell(case, "calibration_intercept", coef(level))
  tell(case, "calibration_slope", coef(slope)[2])
  tell(case, "brier", weighted.mean((trial$treated - p)^2, mass))
  tell(case, "log_loss", -weighted.mean(dbinom(trial$treated, 1, p, log = TRUE), mass))
}
tell("measures", "auc", auc(trial$treated, p, direction = "<", quiet = TRUE))

for (estimand in c("ate", "att")) for (weighted in c(FALSE, TRUE)) {
  of_ate <- estimand == "ate"
  who <- if (of_ate) rep(TRUE, nrow(trial)) else trial$treated == 1
  e <- p[who]
  w <- if (weighted) trial$w[who] else rep(1, sum(who))
  room <- if (of_ate) pmin(e, 1 - e) else 1 - e
  cost <- if (of_ate) 1 / (e * (1 - e)) else 1 / (1 - e)
  best <- Inf
  for (a in unique(room)) {
    kept <- room >= a
    bound <- sum((w * cost)[kept]) / sum(w[kept])^2
    if (bound < best) {
      best <- bound
      size <- 2 * weighted.mean(cost[kept], w[kept])
      n <- sum(kept)
    }
  }
  alpha <- if (of_ate) 1 / 2 - sqrt(1 / 4 - 1 / size) else 1 / size
  case <- paste0("crump ", estimand, if (weighted) " weighted")
  tell(case, "alpha", alpha)
  tell(case, "kept", n)
}
save_as("propensity.csv")
