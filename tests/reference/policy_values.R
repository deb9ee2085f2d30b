# Reference results for what rules of who gets a place are worth.
# Run in this folder: Rscript policy_values.R. Reads policy_persons.csv (simulated, written by
# make_policy_persons.py), writes policy_values.csv. Written with R 4.2.2, AER 1.2-10,
# sandwich 3.0-2.
#
# case: estimand, rule, what it is held against, [clustered]; term: gain, cost, net (value of a
# unit 40). A value is a weighted ratio of means of place times score and of share, which is the
# instrumental-variables slope of the one on the other with a constant as instrument: errors are
# HC0, or by cluster with G / (G - 1). A rule with fewer places than women gives them by lot: it
# is the effect among women (their own regression) times the places. `first` gives places to the
# first 40 per cent in the order of `predicted`; those with equal predictions at the last place
# share what is left, and a place taken there is worth the mean score of those within a tenth.
suppressMessages({library(AER); library(sandwich)})
source("common.R")

d <- read.csv("policy_persons.csv")
t <- d$treated
scores <- function(y, g0, g1, estimand) {
  if (estimand == "ATT") (t - (1 - t) * d$m / (1 - d$m)) * (y - g0)
  else g1 - g0 + t / d$m * (y - g1) - (1 - t) / (1 - d$m) * (y - g0)
}
spent0 <- weighted.mean(d$spent[t == 0], d$weight[t == 0])
spent1 <- weighted.mean(d$spent[t == 1], d$weight[t == 1])

first <- function(share) {
  mass <- d$weight * share
  before <- sapply(d$predicted, function(p) sum(mass[d$predicted > p])) / sum(mass)
  size <- sapply(d$predicted, function(p) sum(mass[d$predicted == p])) / sum(mass)
  place <- ifelse(size > 0, pmin(pmax((0.4 - before) / size, 0), 1), before <= 0.4)
  list(place = place, near = before <= 0.5 & before + size >= 0.3)
}

for (estimand in c("ATE", "ATT")) {
  d$share <- if (estimand == "ATT") t else rep(1, nrow(d))
  gain <- scores(d$y, d$g0, d$g1, estimand)
  cost <- scores(d$spent, spent0, spent1, estimand)
  order <- first(d$share)
  for (term in c("gain", "cost", "net")) {
    d$s <- switch(term, gain = gain, cost = cost, net = 40 * gain - cost)
    margin <- with(d[order$near, ], sum(weight * s) / sum(weight * share))
    places <- sum(d$weight * d$share * order$place) / sum(d$weight * d$share)
    women <- 1 - d$men
    # per person: what the rule adds, less the margin on each place where they are limited
    rules <- list(
      "everyone no_one" = list(d$s, 0),
      "women no_one" = list(women * d$s, 0),
      "women everyone" = list((women - 1) * d$s, 0),
      "first no_one" = list(order$place * (d$s - margin * d$share), margin * places),
      "first everyone" = list((order$place - 1) * d$s - margin * order$place * d$share,
                              margin * places))
    for (rule in names(rules)) for (clustered in c("", " clustered")) {
      d$u <- rules[[rule]][[1]]
      d$one <- 1
      f <- ivreg(u ~ 0 + share | 0 + one, data = d, weights = weight)
      v <- if (clustered == "") vcovHC(f, type = "HC0")
           else vcovCL(f, d$cluster, type = "HC0", cadj = TRUE)
      add(paste0(estimand, " ", rule, clustered), term, coef(f) + rules[[rule]][[2]],
          sqrt(diag(v)), nrow(d) - 1)
    }
    own <- d[d$men == 0, ]
    own$one <- 1
    f <- ivreg(s ~ 0 + share | 0 + one, data = own, weights = weight)
    add(paste(estimand, "few women no_one"), term, 0.3 * coef(f),
        0.3 * sqrt(diag(vcovHC(f, type = "HC0"))), nrow(own) - 1)
  }
}
save_as("policy_values.csv")
