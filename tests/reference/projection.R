# Reference results for tests/heterogeneity/test_projection.py.
# Run in this folder: Rscript projection.R. Reads projection_persons.csv (simulated, written by
# projection_make_persons.py), writes projection.csv.
# Written with R 4.2.2, sandwich 3.0-2, clubSandwich, AER.
library(sandwich)
library(clubSandwich)
library(AER)
source("common.R")

d <- read.csv("projection_persons.csv")
terms <- c("age", "before", "men")
keep_all <- function(case, fit, v, names = terms) {
  for (i in seq_along(terms)) {
    add(case, terms[i], coef(fit)[[names[i]]], sqrt(diag(v))[[names[i]]], nrow(d) - 4)
  }
}

# effects on all: least squares of the signals
for (weighted in c(FALSE, TRUE)) {
  d$w <- if (weighted) d$weight else 1
  name <- function(case) paste0(case, if (weighted) " weighted" else "")
  fit <- lm(ate ~ age + before + men, d, weights = w)
  keep_all(name("HC0"), fit, vcovHC(fit, "HC0"))
  keep_all(name("HC3"), fit, vcovHC(fit, "HC3"))
  keep_all(name("CR1"), fit, vcovCL(fit, d$cluster, type = "HC0", cadjust = TRUE))
  # the exact jackknife: leave each cluster out
  clusters <- unique(d$cluster)
  without <- sapply(clusters, function(g) {
    coef(lm(ate ~ age + before + men, d[d$cluster != g, ], weights = w)) - coef(fit)
  })
  g <- length(clusters)
  keep_all(name("CR3"), fit, (g - 1) / g * tcrossprod(without))
  if (!weighted) {
    # a second implementation, without the factor (G - 1) / G
    keep_all("CR3 clubSandwich", fit, vcovCR(fit, d$cluster, type = "CR3"))
  }

  # effects on the treated: share z with instruments z
  d$s <- d$treated
  for (x in terms) d[[paste0("s_", x)]] <- d$s * d[[x]]
  f <- att ~ 0 + s + s_age + s_before + s_men | age + before + men
  fit <- ivreg(f, data = d, weights = w)
  names <- paste0("s_", terms)
  keep_all(name("ATT HC0"), fit, vcovHC(fit, "HC0"), names)
  keep_all(name("ATT CR1"), fit, vcovCL(fit, d$cluster, type = "HC0", cadjust = TRUE), names)
  without <- sapply(clusters, function(g) {
    coef(ivreg(f, data = d[d$cluster != g, ], weights = w)) - coef(fit)
  })
  keep_all(name("ATT CR3"), fit, (g - 1) / g * tcrossprod(without), names)
  without <- sapply(seq_len(nrow(d)), function(i) {
    coef(ivreg(f, data = d[-i, ], weights = w)) - coef(fit)
  })
  keep_all(name("ATT HC3"), fit, tcrossprod(without), names)
}
save_as("projection.csv")
