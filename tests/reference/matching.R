# Reference results for tests/effects/observational/test_matching.py: nearest-neighbour matching.
# Run in this folder: Rscript matching.R. Reads trial.csv (simulated), writes matching.csv.
# Written with R 4.2.2, Matching 4.10-8.
#
# Who attended is compared with who did not, on earnings after. The scores are fixed formulas of
# the covariates, so that no fit stands between the two programs.
#
# case: what is matched on (fine, coarse, scattered, mahalanobis, inverse), then options:
#       exact             on sex, which is then among the covariates of mahalanobis, too
#       caliper c         in standard deviations
#       adjusted          bias correction for age, educ, earn0
#       weighted          pmax(w, 1); estimate only: Match takes weights for numbers of persons
#       once              without replacement, highest score first; estimate only
#       estimated         errors for an estimated score, by definition from Abadie and Imbens
#                         (2016); the package has none
# term: estimand, M, Var.calc
#
# Match counts persons pruned by a caliper as matched with a difference of zero, in its error
# though not in its estimate, and gives no variance to whom the caliper leaves without a
# neighbour in the own arm. Here the error is that of the persons matched, and the caliper holds
# between arms only: from the package's own parts.
suppressMessages(library(Matching))
source("common.R")
options(warn = 2)

trial <- read.csv("trial.csv")
d <- trial[!is.na(trial$earn), ]
d$t <- as.integer(d$attended)
d$female <- as.integer(d$sex == "F")
linear <- with(d, -0.4 + 0.03 * (age - 36) + 0.3 * (educ - 2.5) - 0.006 * (earn0 - 89))
d$fine <- plogis(linear)
d$coarse <- round(d$fine, 2)
d$scattered <- linear + 0.05 * sin(d$id)
columns <- c("age", "educ", "earn0")
of_metric <- list(
  fine = list("fine", 1), coarse = list("coarse", 1), scattered = list("scattered", 1),
  mahalanobis = list(columns, 2), inverse = list(columns, 1)
)

run <- function(data, x, metric, version = "standard", ...) {
  suppressWarnings(Match(
    Y = data$earn, Tr = data$t, X = x, Weight = metric, distance.tolerance = 0,
    version = version, ...
  ))
}

# the error with a caliper, of the persons matched
pruned_error <- function(fit, x, metric, estimand, M, caliper, var_calc) {
  parts <- run(d, x, metric, "MatchbyAI", estimand = estimand, M = M, caliper = caliper,
               Var.calc = max(var_calc, 1))
  looked <- if (estimand == "ATT") d$t == 1 else rep(TRUE, nrow(d))
  dropped <- seq_len(nrow(d)) %in% fit$index.dropped
  matched <- looked & !dropped
  sigma2 <- if (var_calc > 0) {
    run(d, x, metric, "MatchbyAI", estimand = estimand, M = M, Var.calc = var_calc)$Sigs
  } else {
    gaps <- d$earn[fit$index.treated] - d$earn[fit$index.control]
    sum(fit$weights * (gaps - c(fit$est))^2) / sum(fit$weights) / 2
  }
  K <- parts$Kcount
  often <- K^2 - parts$KKcount + (if (estimand == "ATE") 2 * K * matched else 0)
  stopifnot(sum(dropped) > 0, sum(matched) == sum(fit$weights))
  sqrt(sum((parts$YCAUS[matched] - c(fit$est))^2) + sum(sigma2 * often)) / sum(matched)
}

for (metric in names(of_metric)) for (estimand in c("ATT", "ATE")) for (M in c(1, 3)) {
  names_x <- of_metric[[metric]][[1]]
  kind <- of_metric[[metric]][[2]]
  x <- as.matrix(d[names_x])
  for (var_calc in 0:2) {
    term <- paste(tolower(estimand), M, var_calc)
    fit <- run(d, x, kind, estimand = estimand, M = M, Var.calc = var_calc)
    add(metric, term, fit$est, fit$se, NA)
    fit <- run(d, x, kind, estimand = estimand, M = M, Var.calc = var_calc, BiasAdjust = TRUE,
               Z = as.matrix(d[columns]))
    add(paste(metric, "adjusted"), term, fit$est, fit$se, NA)
    xs <- cbind(x, d$female)
    only_sex <- c(rep(FALSE, ncol(x)), TRUE)
    fit <- run(d, xs, kind, estimand = estimand, M = M, Var.calc = var_calc, exact = only_sex)
    stopifnot(is.null(fit$index.dropped))
    add(paste(metric, "exact"), term, fit$est, fit$se, NA)
    if (estimand == "ATE" && M > 1) next # who is pruned may still be used, which Match miscounts
    caliper <- if (length(names_x) == 1) 0.01 else 0.25
    fit <- run(d, x, kind, estimand = estimand, M = M, Var.calc = var_calc, caliper = caliper)
    se <- pruned_error(fit, x, kind, estimand, M, caliper, var_calc)
    add(paste(metric, "caliper", caliper), term, fit$est, se, NA)
  }
}
for (metric in c("fine", "coarse")) for (estimand in c("ATT", "ATE")) {
  fit <- run(d, as.matrix(d[metric]), 1, estimand = estimand, weights = pmax(d$w, 1))
  add(paste(metric, "weighted"), paste(tolower(estimand), 1, 0), fit$est, NA, NA)
}
sorted <- d[order(-d$scattered), ]
for (M in 1:2) for (caliper in c(0, 0.2)) {
  bound <- if (caliper > 0) caliper
  if (M == 2 && caliper == 0) next # more than there are
  fit <- run(sorted, as.matrix(sorted$scattered), 1, "fast", M = M, replace = FALSE,
             ties = FALSE, caliper = bound)
  add(trimws(paste("scattered once", if (caliper > 0) paste("caliper", caliper))),
      paste("att", M, 0), fit$est, NA, NA)
}

# Abadie and Imbens (2016), sections 4 and 5, person by person
nearest <- function(distance, pool, M) {
  s <- sort(distance[pool])
  pool[distance[pool] <= s[M] + 1e-12]
}
logit <- glm(t ~ age + educ + earn0, binomial, d, control = glm.control(epsilon = 1e-14))
p <- fitted(logit)
f <- p * (1 - p)
xx <- model.matrix(logit)
inverse_information <- solve(t(xx) %*% (f * xx))
arms <- lapply(0:1, function(a) which(d$t == a))
score_distance <- abs(outer(p, p, "-"))
z <- scale(as.matrix(d[columns]))
covariate_distance <- as.matrix(dist(z))
covariance <- function(i, a) {
  j <- nearest(score_distance[i, ], arms[[a + 1]], 2)
  c(cov(xx[j, ], d$earn[j]))
}
gap <- function(i, distance, M) {
  j <- nearest(distance[i, ], arms[[2 - d$t[i]]], M)
  (2 * d$t[i] - 1) * (d$earn[i] - mean(d$earn[j]))
}
n <- nrow(d)
cov1 <- t(sapply(1:n, covariance, 1))
cov0 <- t(sapply(1:n, covariance, 0))
for (M in c(1, 3)) {
  fit <- run(d, as.matrix(p), 1, estimand = "ATE", M = M, Var.calc = 2)
  c_ate <- colSums(f * (cov1 / p + cov0 / (1 - p))) / n
  se <- sqrt(fit$se^2 - t(c_ate) %*% inverse_information %*% c_ate)
  add("estimated", paste("ate", M, 2), fit$est, se, NA)
  fit <- run(d, as.matrix(p), 1, estimand = "ATT", M = M, Var.calc = 2)
  of_score <- sapply(1:n, gap, score_distance, M) - c(fit$est)
  of_covariates <- sapply(1:n, gap, covariate_distance, M) - c(fit$est)
  c_att <- colSums(xx * f * of_score + f * (cov1 + p / (1 - p) * cov0)) / sum(d$t)
  drift <- colSums(xx * f * of_covariates) / sum(d$t)
  se <- sqrt(fit$se^2 - t(c_att) %*% inverse_information %*% c_att +
             t(drift) %*% inverse_information %*% drift)
  add("estimated", paste("att", M, 2), fit$est, se, NA)
}
save_as("matching.csv")
