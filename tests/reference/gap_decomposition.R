# Reference results for the gap between women and men at the same composition. Run in this
# folder: Rscript gap_decomposition.R. Reads trial.csv (simulated), writes gap_decomposition.csv.
# Written with R 4.2.2, sandwich 3.0.2, numDeriv 2016.8.1.1, nleqslv 3.3.4.
#
# Those of arms 0 and 1 with earnings; z is arm 1, d is 1 ("all") or z ("treated"). The scores
# are plain: s = 2 (2 z - 1) earn, or d earn - (1 - z) 0.8 earn. Composition: age, education as
# a factor, earn0. case: method, whom the effect is about, [weighted], [clustered]; term: part.
# "blinder" projects by lm (for "all"; the equations themselves for "treated"), "balancing" takes
# multipliers by optim, polished by nleqslv. Errors are the sandwich of all equations stacked,
# derivatives by numDeriv; clusters are sites, times G / (G - 1). "slopes women" are HC2 errors of
# sandwich for the projection of women on columns centred at the means of all.
suppressMessages({library(sandwich); library(numDeriv); library(nleqslv)})
source("common.R")

trial <- read.csv("trial.csv")
trial <- trial[trial$arm < 2 & !is.na(trial$earn), ]
z <- trial$arm
female <- as.numeric(trial$sex == "F")
male <- 1 - female
x <- scale(model.matrix(~ age + factor(educ) + earn0, trial)[, -1])
source_of <- c("age", rep("educ", ncol(x) - 2), "earn0")
p <- ncol(x)

errors <- function(psi, theta, parts, cluster) {
  bread <- solve(jacobian(function(t) colSums(psi(t)), theta))
  u <- psi(theta)
  if (!is.null(cluster)) {
    g <- length(unique(cluster))
    u <- rowsum(u, cluster) * sqrt(g / (g - 1))
  }
  slope <- jacobian(parts, theta)
  v <- slope %*% bread %*% crossprod(u) %*% t(bread) %*% t(slope)
  sqrt(diag(v))
}

report <- function(case, psi, theta, parts, cluster) {
  stopifnot(max(abs(colSums(psi(theta)))) < 1e-8 * nrow(x))
  value <- parts(theta)
  se <- errors(psi, theta, parts, cluster)
  for (i in seq_along(value)) add(case, names(value)[i], value[i], se[i], nrow(x))
}

for (about in c("all", "treated")) for (weights in c("", " weighted"))
  for (clusters in c("", " clustered")) {
    d <- if (about == "all") rep(1, nrow(x)) else z
    s <- if (about == "all") 2 * (2 * z - 1) * trial$earn else z * trial$earn - (1 - z) * 0.8 * trial$earn
    w <- if (weights == "") rep(1, nrow(x)) else trial$w
    cluster <- if (clusters == "") NULL else trial$site
    mean_of <- function(g, y) colSums(w * d * g * as.matrix(y)) / sum(w * d * g)
    xw <- mean_of(female, x); xm <- mean_of(male, x)
    share <- sum(w * d * female) / sum(w * d)
    one <- cbind(1, x)

    projected <- function(g) {
      if (about == "all") return(coef(lm(s ~ x, weights = w, subset = g > 0)))
      solve(crossprod(one * (w * d * g), one), colSums(one * w * g * s))
    }
    theta <- c(projected(female), projected(male), xw, xm, share)
    unpack <- function(t) list(
      bw = t[1:(p + 1)], bm = t[p + 1 + 1:(p + 1)], xw = t[2 * p + 2 + 1:p],
      xm = t[3 * p + 2 + 1:p], p = t[4 * p + 3])
    psi <- function(t) {
      u <- unpack(t)
      cbind(one * (w * female * (s - d * drop(one %*% u$bw))),
            one * (w * male) * (s - d * drop(one %*% u$bm)),
            sweep(x, 2, u$xw) * (w * d * female), sweep(x, 2, u$xm) * (w * d * male),
            w * d * (female - u$p))
    }
    parts <- function(t) {
      u <- unpack(t)
      b <- (1 - u$p) * u$bw[-1] + u$p * u$bm[-1]
      each <- (u$xw - u$xm) * b
      at <- u$p * u$xw + (1 - u$p) * u$xm
      gap <- u$bw[1] + sum(u$xw * u$bw[-1]) - u$bm[1] - sum(u$xm * u$bm[-1])
      same <- u$bw[1] - u$bm[1] + sum(at * (u$bw - u$bm)[-1])
      c(gap = unname(gap), same = unname(same), composition = sum(each),
        tapply(each, factor(source_of, unique(source_of)), sum))
    }
    report(paste0("blinder ", about, weights, clusters), psi, theta, parts, cluster)

    tilted <- function(g, target) {
      moved <- sweep(x[g * d > 0, ], 2, target)
      base <- (w * d)[g * d > 0]
      prob <- function(l) { e <- base * exp(drop(moved %*% l)); e / sum(e) }
      slope <- function(l) colSums(prob(l) * moved)
      start <- optim(rep(0, p), function(l) log(sum(base * exp(drop(moved %*% l)))), slope,
                     method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))$par
      root <- nleqslv(start, slope, control = list(ftol = 1e-15, xtol = 1e-15))
      stopifnot(max(abs(root$fvec)) < 1e-12)
      root$x
    }
    effect <- function(g, e) sum(w * e * g * s) / sum(w * e * g * d)
    lw <- tilted(female, xm); lm_ <- tilted(male, xw)
    theta <- c(xw, xm, lw, lm_, share, effect(female, 1), effect(male, 1),
               effect(female, exp(drop(sweep(x, 2, xm) %*% lw))),
               effect(male, exp(drop(sweep(x, 2, xw) %*% lm_))))
    psi <- function(t) {
      tw <- t[1:p]; tm <- t[p + 1:p]; last <- tail(t, 5)
      zw <- sweep(x, 2, tm); zm <- sweep(x, 2, tw)
      ew <- exp(drop(zw %*% t[2 * p + 1:p])) * female
      em <- exp(drop(zm %*% t[3 * p + 1:p])) * male
      cbind(zm * (w * d * female), zw * (w * d * male), zw * (w * d * ew), zm * (w * d * em),
            w * d * (female - last[1]), w * female * (s - d * last[2]),
            w * male * (s - d * last[3]), w * ew * (s - d * last[4]),
            w * em * (s - d * last[5]))
    }
    parts <- function(t) {
      u <- tail(t, 5)
      same <- u[1] * (u[2] - u[5]) + (1 - u[1]) * (u[4] - u[3])
      c(gap = u[2] - u[3], same = same, composition = u[2] - u[3] - same)
    }
    report(paste0("balancing ", about, weights, clusters), psi, theta, parts, cluster)

    if (about == "all" && clusters == "") {
      centred <- sweep(x, 2, mean_of(TRUE, x))
      fit <- lm(s ~ centred, weights = w, subset = female > 0)
      se <- sqrt(diag(vcovHC(fit, "HC2")))
      for (i in seq_along(se))
        add(paste0("slopes women", weights), c("constant", colnames(x))[i], coef(fit)[i], se[i],
            fit$df.residual)
    }
  }
save_as("gap_decomposition.csv")
