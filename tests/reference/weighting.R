# Reference results for weighting by the inverse of the propensity score, and for regression,
# where treatment was not drawn. Run in this folder: Rscript weighting.R. Reads trial.csv
# (simulated), writes weighting.csv. Written with R 4.2.2, sandwich 3.0.2, numDeriv 2016.8.1.1.
#
# Treatment is attendance; of those who attended below 35 two in three are left out, so that
# age tells who did. case: estimator, estimand, [weighted], kind of error; term: the
# outcome. "stacked" is the sandwich of all estimating equations together, their derivative
# taken by numDeriv; "known" leaves the equations of the logit out. "clipped" holds
# propensities from 0.4 to 0.6. df are persons less the parameters of the equations.
suppressMessages({library(sandwich); library(numDeriv)})
source("common.R")

trial <- read.csv("trial.csv")
trial$female <- as.numeric(trial$sex == "F")
trial <- trial[!(trial$attended == 1 & trial$age < 35 & trial$id %% 3 > 0), ]
covariates <- c("age", "educ", "earn0", "female")

# the last two parameters are the means of treated and controls, or the last is the effect
stacked <- function(psi, theta, n, contrast = NULL) {
  bread <- jacobian(function(t) colSums(psi(t)), theta)
  v <- solve(bread) %*% crossprod(psi(theta)) %*% t(solve(bread))
  k <- length(theta)
  if (is.null(contrast)) contrast <- c(rep(0, k - 2), 1, -1)
  c(sum(contrast * theta), sqrt(contrast %*% v %*% contrast), n - k)
}
note <- function(case, term, result) add(case, term, result[1], result[2], result[3])

for (outcome in c("work", "earn")) for (weights in c("", " weighted")) {
  d <- trial[!is.na(trial[[outcome]]), ]
  y <- d[[outcome]]; z <- d$attended; n <- nrow(d)
  w <- if (weights == "") rep(1, n) else d$w
  x <- sweep(as.matrix(d[covariates]), 2, apply(d[covariates], 2, sd), "/")
  logit <- cbind(1, x)
  beta <- glm.fit(logit, z, weights = w, family = quasibinomial(),
                  control = list(epsilon = 1e-16, maxit = 100))$coefficients
  for (estimand in c("att", "ate")) for (clip in c("", " clipped")) {
    held <- function(p) if (clip == "") p else pmin(pmax(p, 0.4), 0.6)
    factor <- function(b) {
      p <- held(plogis(drop(logit %*% b)))
      if (estimand == "att") ifelse(z == 1, 1, p / (1 - p)) else ifelse(z == 1, 1 / p, 1 / (1 - p))
    }
    means <- function(b, m) w * factor(b) * cbind(z * (y - m[1]), (1 - z) * (y - m[2]))
    omega <- w * factor(beta)
    m <- c(weighted.mean(y[z == 1], omega[z == 1]), weighted.mean(y[z == 0], omega[z == 0]))
    q <- ncol(logit)
    psi <- function(t) {
      p <- plogis(drop(logit %*% t[1:q]))
      cbind(logit * (w * (z - p)), means(t[1:q], t[q + 1:2]))
    }
    case <- paste0("ipw ", estimand, weights, clip)
    note(paste(case, "stacked"), outcome, stacked(psi, c(beta, m), n))
    note(paste(case, "known"), outcome, stacked(function(t) means(beta, t), m, n))
    fit <- lm(y ~ z, weights = omega)
    for (kind in c("HC0", "HC1", "HC2", "HC3"))
      add(paste(case, kind), outcome, coef(fit)[["z"]],
          sqrt(vcovHC(fit, kind)["z", "z"]), fit$df.residual)
  }

  fit <- lm(y ~ z + x, weights = w)
  for (kind in c("HC0", "HC1", "HC2", "HC3"))
    add(paste0("regression", weights, " ", kind), outcome, coef(fit)[["z"]],
        sqrt(vcovHC(fit, kind)["z", "z"]), fit$df.residual)

  for (estimand in c("att", "ate")) {
    goal <- if (estimand == "att") w * z else w
    centre <- colSums(goal * x) / sum(goal)
    case <- paste0("interacted ", estimand, weights)
    centred <- sweep(x, 2, centre)
    fit <- lm(y ~ z * centred, weights = w)
    for (kind in c("HC0", "HC1", "HC2", "HC3"))
      add(paste(case, "fixed", kind), outcome, coef(fit)[["z"]],
          sqrt(vcovHC(fit, kind)["z", "z"]), fit$df.residual)
    p <- ncol(x)
    psi <- function(t) {
      moved <- sweep(x, 2, t[1:p])
      design <- cbind(1, z, moved, z * moved)
      cbind(goal * moved, design * (w * (y - drop(design %*% t[-(1:p)]))))
    }
    theta <- c(centre, coef(fit))
    pick <- replace(rep(0, length(theta)), p + 2, 1)
    result <- stacked(psi, theta, n, pick)
    add(paste(case, "stacked"), outcome, result[1], result[2], fit$df.residual)
  }
}
save_as("weighting.csv")
