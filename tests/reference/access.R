# Reference results for access against effect: per gender the effects of assignment on earnings
# and on a dose, by one and the same regression; their ratio; and the split of the gap.
# Run in this folder: Rscript access.R. Reads trial.csv (simulated), writes access.csv.
# Written with R 4.2.2, estimatr 1.0.0, AER 1.2-10.
#
# Arms 0 and 1, persons with earnings; the dose is attended * educ.
# case: means | ancova: effects by lm, their joint covariance HC2 over both columns, and the
#   parts with errors by the delta method, its gradient by central differences.
# ivreg means | ivreg ancova: AER's ratio; HC2 errors of estimatr's iv_robust.
# bootstrap means: standard deviations of the parts over 4,000 draws of persons within arm and
#   gender; `estimate` is their mean.
suppressMessages({
  library(estimatr)
  library(AER)
})
source("common.R")

trial <- read.csv("trial.csv")
trial <- trial[trial$arm %in% 0:1 & !is.na(trial$earn), ]
trial$z <- trial$arm
trial$dose <- trial$attended * trial$educ
trial$block <- factor(trial$site)

# effects on earnings and dose with their covariance, HC2 over both columns
pair <- function(d, more) {
  x <- model.matrix(as.formula(paste("~ z", more)), d)
  bread <- solve(crossprod(x))
  beta <- bread %*% t(x) %*% cbind(d$earn, d$dose)
  e <- cbind(d$earn, d$dose) - x %*% beta
  h <- rowSums((x %*% bread) * x)
  a <- (x %*% bread)[, 2]
  list(value = beta[2, ], v = crossprod(a * e / sqrt(1 - h)))
}

parts <- function(b) {
  u <- c(b[1] / b[2], b[3] / b[4])
  c(dose_women = b[2], dose_men = b[4], dose_gap = b[2] - b[4],
    per_unit_women = u[1], per_unit_men = u[2],
    access = (b[2] - b[4]) * mean(u), effect_per_unit = (u[1] - u[2]) * (b[2] + b[4]) / 2,
    gap = b[1] - b[3])
}
gradient <- function(f, b) sapply(seq_along(b), function(i) {
  step <- 1e-5 * max(1, abs(b[i]))
  up <- down <- b
  up[i] <- b[i] + step
  down[i] <- b[i] - step
  (f(up) - f(down)) / (2 * step)
})

for (estimator in c("means", "ancova")) {
  more <- c(means = "", ancova = "+ block + age + educ + earn0")[[estimator]]
  fits <- lapply(c("women", "men"), function(g) pair(members(trial, g), more))
  b <- unname(c(fits[[1]]$value, fits[[2]]$value))
  v <- matrix(0, 4, 4)
  v[1:2, 1:2] <- fits[[1]]$v
  v[3:4, 3:4] <- fits[[2]]$v
  g <- gradient(parts, b)
  se <- sqrt(diag(g %*% v %*% t(g)))
  value <- parts(b)
  for (i in seq_along(value)) add(estimator, names(value)[i], value[[i]], se[i], 1)
  for (group in c("women", "men")) {
    d <- members(trial, group)
    f <- as.formula(paste("earn ~ dose", more, "| z", more))
    robust <- iv_robust(f, d, se_type = "HC2")
    add(paste("ivreg", estimator), paste0("per_unit_", group), coef(ivreg(f, data = d))[["dose"]],
        robust$std.error[["dose"]], robust$df[["dose"]])
  }
}

set.seed(1)
cell <- split(seq_len(nrow(trial)), list(trial$arm, trial$sex))
effect <- function(d) sapply(c("earn", "dose"), function(k) mean(d[[k]][d$z == 1]) - mean(d[[k]][d$z == 0]))
draws <- replicate(4000, {
  d <- trial[unlist(lapply(cell, function(i) i[sample.int(length(i), replace = TRUE)])), ]
  parts(unname(c(effect(members(d, "women")), effect(members(d, "men")))))
})
for (part in rownames(draws)) {
  add("bootstrap means", part, mean(draws[part, ]), sd(draws[part, ]), 4000)
}
save_as("access.csv")
