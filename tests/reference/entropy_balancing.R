# Reference results for entropy balancing. Run in this folder: Rscript entropy_balancing.R.
# Reads trial.csv (simulated), writes entropy_balancing.csv.
# Written with R 4.2.2, sandwich 3.0.2, numDeriv 2016.8.1.1, nleqslv 3.3.4.
#
# Treatment is attendance; of those who attended below 35 two in three are left out, so that
# age tells who did. case: estimand, [weighted], [squares], kind of error; term: the outcome.
# The dual is minimised by optim, its equations then solved by nleqslv to 1e-13. "stacked" is
# the sandwich of the equations of targets, multipliers and means together, their derivative
# taken by numDeriv; HC0 to HC3 are sandwich's for the regression on treatment with weights as
# given. "squares" balances the squares of age and earn0 as well. df: persons less parameters.
suppressMessages({library(sandwich); library(numDeriv); library(nleqslv)})
source("common.R")

trial <- read.csv("trial.csv")
trial$female <- as.numeric(trial$sex == "F")
trial <- trial[!(trial$attended == 1 & trial$age < 35 & trial$id %% 3 > 0), ]

solved <- function(x, base, target) {
  moved <- sweep(x, 2, target)
  share <- function(l) { e <- base * exp(drop(moved %*% l)); e / sum(e) }
  slope <- function(l) colSums(share(l) * moved)
  start <- optim(rep(0, ncol(x)), function(l) log(sum(base * exp(drop(moved %*% l)))), slope,
                 method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))$par
  root <- nleqslv(start, slope, control = list(ftol = 1e-15, xtol = 1e-15))
  stopifnot(max(abs(root$fvec)) < 1e-13)
  root$x
}

for (outcome in c("work", "earn")) for (weights in c("", " weighted"))
  for (estimand in c("att", "ate")) for (columns in c("", " squares")) {
    d <- trial[!is.na(trial[[outcome]]), ]
    y <- d[[outcome]]; z <- d$attended; n <- nrow(d)
    w <- if (weights == "") rep(1, n) else d$w
    x <- as.matrix(d[c("age", "educ", "earn0", "female")])
    if (columns != "") x <- cbind(x, d$age^2, d$earn0^2)
    x <- scale(x)
    p <- ncol(x)
    goal <- if (estimand == "att") w * z else w
    target <- colSums(goal * x) / sum(goal)
    arms <- if (estimand == "att") 0 else 0:1
    multipliers <- lapply(arms, function(a) solved(x[z == a, ], w[z == a], target))
    unpack <- function(t) {
      at <- t[1:p]
      l <- matrix(0, p, 2)
      for (i in seq_along(arms)) l[, arms[i] + 1] <- t[p * i + 1:p]
      list(at = at, moved = sweep(x, 2, at), l = l, means = tail(t, 2))
    }
    omega <- function(u) w * exp(rowSums(u$moved * t(u$l)[z + 1, ]))
    psi <- function(t) {
      u <- unpack(t)
      e <- omega(u)
      balance <- lapply(arms, function(a) u$moved * (e * (z == a)))
      do.call(cbind, c(list(goal * u$moved), balance,
                       list(e * z * (y - u$means[1]), e * (1 - z) * (y - u$means[2]))))
    }
    e <- omega(unpack(c(target, unlist(multipliers), 0, 0)))
    m <- c(weighted.mean(y[z == 1], e[z == 1]), weighted.mean(y[z == 0], e[z == 0]))
    theta <- c(target, unlist(multipliers), m)
    bread <- solve(jacobian(function(t) colSums(psi(t)), theta))
    v <- bread %*% crossprod(psi(theta)) %*% t(bread)
    pick <- c(rep(0, length(theta) - 2), 1, -1)
    case <- paste0(estimand, weights, columns)
    add(paste(case, "stacked"), outcome, m[1] - m[2], sqrt(pick %*% v %*% pick),
        n - length(theta))
    share <- e / ifelse(z == 1, sum(e[z == 1]), sum(e[z == 0]))
    fit <- lm(y ~ z, weights = share)
    for (kind in c("HC0", "HC1", "HC2", "HC3"))
      add(paste(case, kind), outcome, coef(fit)[["z"]], sqrt(vcovHC(fit, kind)["z", "z"]),
          fit$df.residual)
  }
save_as("entropy_balancing.csv")
