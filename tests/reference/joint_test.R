# Reference results for tests/heterogeneity/test_joint_test.py and test_leverage.py.
# Run in this folder: Rscript joint_test.R. Reads policy_persons.csv and projection_persons.csv
# (simulated), writes joint_test.csv. Written with R 4.2.2, sandwich 3.0-2, clubSandwich.
#
# Slopes add up weighted regressions: of what the outcome regressions say among all (or, of
# effects on the treated, of the treated's outcome less what the regression says), and in either
# arm of the residuals, weighed by inverse probabilities. Each person's part of a slope is from
# sandwich's estfun and bread; HC2 and HC3 divide by what hatvalues leave. T2 is Hotelling's
# statistic; df that of a variance which is a sum over the arms. In joint_test.csv, "estimate" of
# a row T2 is the F statistic and "df" its second degrees of freedom.
suppressMessages({library(sandwich); library(clubSandwich)})
source("common.R")

d <- read.csv("policy_persons.csv")
t <- d$treated == 1
terms <- c("x", "men")

part <- function(response, weight, rows, power) {
  d$response <- response
  d$w <- weight
  fit <- lm(response ~ x + men, d[rows, ], weights = w)
  own <- matrix(0, nrow(d), length(terms))
  n <- sum(rows)
  one <- estfun(fit) %*% bread(fit) / n / (1 - hatvalues(fit))^power
  own[rows, ] <- one[, terms]
  list(slope = coef(fit)[terms], own = own)
}

for (estimand in c("ITT", "ATE", "ATT")) {
  power <- if (estimand == "ITT") 1 / 2 else 1
  all <- rep(TRUE, nrow(d))
  parts <- if (estimand == "ATT") {
    list(part(d$y - d$g0, d$weight, t, power),
         part(d$g0 - d$y, d$weight * d$m / (1 - d$m), !t, power))
  } else {
    list(part(d$g1 - d$g0, d$weight, all, power),
         part(d$y - d$g1, d$weight / d$m, t, power),
         part(d$g0 - d$y, d$weight / (1 - d$m), !t, power))
  }
  slope <- Reduce(`+`, lapply(parts, `[[`, "slope"))
  own <- Reduce(`+`, lapply(parts, `[[`, "own"))
  v <- crossprod(own)
  p <- length(slope)
  arms <- sapply(list(t, !t), function(a) {
    sum(diag(solve(v, crossprod(own[a, ]))))^2 / (sum(a) - 1)
  })
  df <- p^2 / sum(arms)
  t2 <- drop(slope %*% solve(v, slope))
  add(estimand, "T2", t2 * (df - p + 1) / (p * df), NA, df - p + 1)
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
