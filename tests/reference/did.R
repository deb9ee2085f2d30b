# Reference effects of difference-in-differences by cohort and month, in plain R.
# Run in this folder: Rscript did.R. Draws did_panel.csv (simulated), writes did.csv.
# Written with R 4.2.2; no package (did and DRDID are not in Debian).
#
# Two months and two groups: Sant'Anna and Zhao (2020), with glm and lm for the two models and
# the influence function as in the paper. Each standard error is then found a second way, from
# the stacked moment conditions of both models and the two means with a numerical Jacobian; the
# script stops where the two differ. Averages: Callaway and Sant'Anna (2021), their weights'
# influence by the quotient rule on the cohorts' shares. Variances divide by n, not n - 1.
# case: method, controls, base, anticipation, [weighted], [missing]; term: cell g t, or average.
source("common.R")
SAME <- 1e-7  # of a standard error; central differences leave some 1e-9

set.seed(20210)
n <- 420
months <- 1:7
age <- rnorm(n)
urban <- rbinom(n, 1, plogis(0.5 * age))
share <- exp(cbind(0.9, 0.2 + 0.5 * age, 0.4 * urban, 0.1 - 0.3 * age + 0.3 * urban))
share <- share / rowSums(share)
draw <- runif(n)
cohort <- c(0, 3, 5, 6)[1 + rowSums(draw > t(apply(share, 1, cumsum))[, 1:3])]
own <- rnorm(n) + age
y <- sapply(months, function(t) {
  own + t * (0.3 * age + 0.4 * urban + 0.1 * age^2) + (cohort > 0 & t >= cohort) * (t - cohort + 1) +
    rnorm(n)
})
panel <- data.frame(cohort, age = round(age, 3), urban, w = round(0.5 + rexp(n), 3), round(y, 3))
names(panel)[-(1:4)] <- paste0("y", months)
gone <- matrix(runif(length(y)) < 0.06, n)
panel[paste0("m", months)] <- ifelse(gone, NA, round(y, 3))
write.csv(panel, "did_panel.csv", row.names = FALSE, quote = FALSE, na = "")
panel <- read.csv("did_panel.csv")

jacobian <- function(f, at, h = 1e-5) {
  sapply(seq_along(at), function(j) {
    e <- replace(numeric(length(at)), j, h)
    (f(at + e) - f(at - e)) / (2 * h)
  })
}

# effect on the treated and its influence function (mean zero; n rows) for one pair of months
pair <- function(change, d, x, w, method) {
  X <- cbind(1, x)
  n <- length(d)
  w <- w / mean(w)
  fit <- suppressWarnings(glm(d ~ x, family = binomial, weights = w,
                              control = glm.control(epsilon = 1e-15, maxit = 100)))
  line <- lm(change ~ x, subset = d == 0, weights = w)
  odds <- function(g) w * (1 - d) * exp(drop(X %*% g))
  # psi: score of the logit, of the regression, of the two means; theta in the same order
  k <- ncol(X)
  moments <- function(theta) {
    g <- theta[1:k]
    b <- theta[k + 1:k]
    fitted <- if (method == "ipw") 0 else drop(X %*% b)
    control <- if (method == "regression") w * d else odds(g)
    of <- if (method == "regression") fitted else change - fitted
    top <- if (method == "regression") change else change - fitted
    cbind(w * (d - plogis(drop(X %*% g))) * X, w * (1 - d) * (change - drop(X %*% b)) * X,
          w * d * (top - theta[2 * k + 1]), control * (of - theta[2 * k + 2]))
  }
  g <- coef(fit)
  b <- coef(line)
  r <- change - if (method == "ipw") 0 else drop(X %*% b)
  p <- plogis(drop(X %*% g))
  wt <- w * d
  wc <- w * (1 - d) * p / (1 - p)
  reg <- (w * (1 - d) * (change - drop(X %*% b)) * X) %*% solve(crossprod(X, w * (1 - d) * X) / n)
  ps <- (w * (d - p) * X) %*% solve(crossprod(X, w * p * (1 - p) * X) / n)
  if (method == "regression") {
    eta <- c(weighted.mean(change, wt), weighted.mean(drop(X %*% b), wt))
    treat <- wt * (change - eta[1])
    control <- wt * (drop(X %*% b) - eta[2]) + reg %*% colMeans(wt * X)
    influence <- (treat - control) / mean(wt)
  } else {
    eta <- c(weighted.mean(r, wt), weighted.mean(r, wc))
    uses <- method == "doubly_robust"
    treat <- wt * (r - eta[1]) - uses * reg %*% colMeans(wt * X)
    control <- wc * (r - eta[2]) + ps %*% colMeans(wc * (r - eta[2]) * X) -
      uses * reg %*% colMeans(wc * X)
    influence <- treat / mean(wt) - control / mean(wc)
  }
  theta <- c(g, b, eta)
  bread <- solve(jacobian(function(th) colMeans(moments(th)), theta))
  stacked <- -moments(theta) %*% t(bread)
  difference <- stacked[, 2 * k + 1] - stacked[, 2 * k + 2]
  stopifnot(abs(sqrt(sum(difference^2) / sum(influence^2)) - 1) < SAME)
  list(att = eta[1] - eta[2], influence = drop(influence))
}

run <- function(method, controls, base, anticipation, weighted, missing) {
  y <- as.matrix(panel[paste0(if (missing) "m" else "y", months)])
  G <- panel$cohort
  w <- if (weighted) panel$w else rep(1, n)
  name <- paste(c(method, controls, base, anticipation, if (weighted) "weighted",
                  if (missing) "missing"), collapse = " ")
  report <- function(term, estimate, influence) {
    keep(case = name, term = term, estimate = digits(estimate),
         std_error = digits(sqrt(sum(influence^2)) / n))
  }
  cells <- list()
  for (g in c(3, 5, 6)) for (t in months) {
    b <- g - anticipation - 1
    if (base == "varying" && t <= b) b <- t - 1
    if (b < 1 || b == t) next
    later <- if (controls == "never_treated") FALSE else
      G > max(t, b) + anticipation & G != g
    use <- (G == g | G == 0 | later) & !is.na(y[, t]) & !is.na(y[, b])
    one <- pair(y[use, t] - y[use, b], as.numeric(G[use] == g),
                as.matrix(panel[use, c("age", "urban")]), w[use], method)
    influence <- numeric(n)
    influence[use] <- one$influence * n / sum(use)
    cells[[length(cells) + 1]] <- list(g = g, t = t, att = one$att, influence = influence)
    report(paste("cell", g, t), one$att, influence)
  }
  g <- sapply(cells, `[[`, "g")
  t <- sapply(cells, `[[`, "t")
  att <- sapply(cells, `[[`, "att")
  inf <- sapply(cells, `[[`, "influence")
  wn <- w / mean(w)
  share_of <- function(g) mean(wn * (G == g))
  # sum over chosen of share * value over sum of share; quotient rule
  average <- function(value, inf, g, chosen) {
    p <- sapply(g[chosen], share_of)
    dp <- sapply(seq_along(p), function(i) wn * (G == g[chosen][i]) - p[i])
    a <- value[chosen]
    s <- sum(p)
    list(value = sum(p * a) / s,
         inf = inf[, chosen, drop = FALSE] %*% p / s + dp %*% a / s - rowSums(dp) * sum(p * a) / s^2)
  }
  several <- function(at, choose, label) {
    all <- lapply(at, function(v) average(att, inf, g, which(choose(v))))
    for (i in seq_along(at)) report(paste(label, at[i]), all[[i]]$value, all[[i]]$inf)
    list(value = sapply(all, `[[`, "value"), inf = sapply(all, function(a) drop(a$inf)))
  }
  e <- t - g
  events <- sort(unique(e))
  path <- several(events, function(v) e == v, "event")
  after <- which(events >= 0)
  report("event overall", mean(path$value[after]), rowMeans(path$inf[, after, drop = FALSE]))
  path <- several(c(3, 5, 6), function(v) g == v & t >= g, "cohort")
  one <- average(path$value, path$inf, c(3, 5, 6), 1:3)
  report("cohort overall", one$value, one$inf)
  path <- several(3:7, function(v) t == v & t >= g, "month")
  report("month overall", mean(path$value), rowMeans(path$inf))
  one <- average(att, inf, g, which(t >= g))
  report("overall", one$value, one$inf)
  before <- which(t < g - anticipation)
  v <- crossprod(inf[, before]) / n^2
  keep(case = name, term = "wald", estimate = digits(att[before] %*% solve(v, att[before])),
       std_error = digits(length(before)))
}

for (method in c("doubly_robust", "regression", "ipw"))
  for (controls in c("not_yet_treated", "never_treated"))
    for (base in c("universal", "varying")) run(method, controls, base, 0, FALSE, FALSE)
for (method in c("doubly_robust", "regression", "ipw")) {
  run(method, "not_yet_treated", "universal", 1, FALSE, FALSE)
  run(method, "not_yet_treated", "varying", 1, TRUE, FALSE)
  run(method, "never_treated", "universal", 0, FALSE, TRUE)
  run(method, "not_yet_treated", "universal", 0, TRUE, TRUE)
}
save_as("did.csv")
