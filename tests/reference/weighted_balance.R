# Reference results for balance before and after weighting, and of predicted outcomes.
# Run in this folder: Rscript weighted_balance.R. Reads trial.csv (simulated), writes
# weighted_balance.csv. Written with R 4.2.2, spatstat.geom 3.0.6.
#
# Treated are arms 1 and 2, among persons whose earn is known. case: estimand, [weighted],
# before or after; after is weighted by the inverse probability of a logit, times w where
# weighted. Means and variances are cov.wt's, unbiased; distribution functions are ewcdf's.
# prognosis: least squares of earn on the covariates among the untreated, weighted by w.
suppressMessages(library(spatstat.geom))
source("common.R")

trial <- read.csv("trial.csv")
trial <- trial[!is.na(trial$earn), ]
trial$treated <- trial$arm > 0
trial$female <- as.numeric(trial$sex == "F")
covariates <- c("age", "educ", "earn0", "female")
by <- function(outcome) reformulate(covariates, outcome)
e <- fitted(glm(by("treated"), binomial, trial, control = glm.control(epsilon = 1e-15)))

distance <- function(x, w, treated) {
  at <- sort(unique(x))
  one <- ewcdf(x[treated], w[treated] / sum(w[treated]))
  other <- ewcdf(x[!treated], w[!treated] / sum(w[!treated]))
  max(abs(one(at) - other(at)))
}
spread <- function(x, w) cov.wt(cbind(x), w / sum(w))$cov[1]

for (estimand in c("att", "ate")) for (weighted in c(FALSE, TRUE)) {
  before <- if (weighted) trial$w else rep(1, nrow(trial))
  share <- if (estimand == "att") e else 1
  inverse <- ifelse(trial$treated, share / e, share / (1 - e))
  m <- lm(by("earn"), trial, weights = before, subset = !treated)
  trial$prognosis <- predict(m, trial)
  for (group in groups) for (side in c("before", "after")) {
    d <- members(trial, group)
    of <- members(cbind(trial, before, inverse), group)
    w <- if (side == "before") of$before else of$before * of$inverse
    treated <- d$treated
    for (name in c(covariates, "prognosis")) {
      if (name == "female" && group != "all") next
      x <- d[[name]]
      base <- c(spread(x[treated], of$before[treated]), spread(x[!treated], of$before[!treated]))
      unit <- sqrt(if (estimand == "att") base[1] else mean(base))
      mean1 <- weighted.mean(x[treated], w[treated])
      mean0 <- weighted.mean(x[!treated], w[!treated])
      ratio <- spread(x[treated], w[treated]) / spread(x[!treated], w[!treated])
      keep(case = paste(c(estimand, if (weighted) "weighted", side), collapse = " "),
           term = paste(name, group), mean_treated = digits(mean1), mean_control = digits(mean0),
           smd = digits((mean1 - mean0) / unit), variance_ratio = digits(ratio),
           ks = digits(distance(x, w, treated)))
    }
  }
}
save_as("weighted_balance.csv")
