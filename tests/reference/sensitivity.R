# Reference results for tests/effects/sensitivity: hidden selection.
# Run in this folder: Rscript sensitivity.R. Reads trial.csv (simulated), writes sensitivity.csv.
# Written with R 4.2.2, base only: Debian has no package for these. What has a formula in the
# papers is found here by another way where there is one: a hidden variable is built and put
# into lm, thresholds are searched for, ordered averages are counted.
#
# case: coefficient       lm: estimate, std_error, df
#       hidden ...        lm with a variable built to explain given shares (r2_yz, r2_dz)
#       rv ...            searched by uniroot and optimize
#       benchmark ...     lm without the covariate
#       multiple ...      searched by uniroot
#       signed rank ..., mcnemar ..., hodges lehmann ...
# term: outcome, group, and what the number is; value
source("common.R")

put <- function(case, term, value) keep(case = case, term = term, value = digits(value))
trial <- read.csv("trial.csv")
trial <- trial[trial$arm < 2 & !is.na(trial$earn) & !is.na(trial$work), ]
trial$z <- trial$arm
trial$north <- as.numeric(trial$site == 2)
trial$south <- as.numeric(trial$site == 3)
covariates <- list(age = "age", educ = "educ", earn0 = "earn0", site = c("north", "south"))
all_x <- unlist(covariates)
LEVEL <- 0.95

adjusted <- function(b, se, df, ry, rd) {
  c(estimate = sign(b) * (abs(b) - se * sqrt(df * ry * rd / (1 - rd))),
    se = se * sqrt((1 - ry) / (1 - rd) * df / (df - 1)))
}
# least t among variables that explain up to ry of the outcome and exactly rd of treatment
least_t <- function(b, se, df, ry, rd) {
  t_at <- function(s) { a <- adjusted(abs(b), se, df, s^2, rd); a[["estimate"]] / a[["se"]] }
  min(optimize(t_at, c(0, sqrt(ry)), tol = 1e-13)$objective, t_at(sqrt(ry)))
}
# at the upper end the bias is infinite, of which uniroot would warn
search <- function(f, upper) suppressWarnings(uniroot(f, c(1e-12, upper), tol = 1e-14)$root)

for (y in c("earn", "work")) for (group in groups) for (weighted in c(FALSE, TRUE)) {
  d <- members(trial, group)
  d$h <- if (weighted) d$w else 1
  d$y <- d[[y]]
  fit <- function(left, right) lm(reformulate(right, left), d, weights = h)
  rss <- function(left, right) sum(d$h * resid(fit(left, right))^2)
  words <- if (weighted) " weighted" else ""
  term <- function(what) paste(y, group, what)
  m <- fit("y", c("z", all_x))
  b <- coef(m)[["z"]]; se <- sqrt(vcov(m)["z", "z"]); df <- m$df.residual
  put(paste0("coefficient", words), term("estimate"), b)
  put(paste0("coefficient", words), term("std_error"), se)
  put(paste0("coefficient", words), term("df"), df)

  # a variable that explains ry of the outcome and rd of treatment, pulling towards zero
  unit <- function(v) v / sqrt(sum(d$h * v^2))
  set.seed(5)
  d$noise <- rnorm(nrow(d))
  d$u <- unit(resid(fit("z", all_x)))
  d$v <- unit(resid(m))
  d$e <- unit(resid(fit("noise", c("z", "y", all_x))))
  for (shares in list(c(0.02, 0.01), c(0.2, 0.3), c(0.9, 0.5))) {
    ry <- shares[1]; rd <- shares[2]
    d$hidden <- sqrt(rd) * d$u + sign(b) * sqrt(1 - rd) * (sqrt(ry) * d$v + sqrt(1 - ry) * d$e)
    with_it <- fit("y", c("z", all_x, "hidden"))
    case <- paste0("hidden ", ry, " ", rd, words)
    put(case, term("estimate"), coef(with_it)[["z"]])
    put(case, term("std_error"), sqrt(vcov(with_it)["z", "z"]))
  }

  critical <- qt(1 - (1 - LEVEL) / 2, df - 1)
  put(paste0("rv", words), term("1"),
      search(function(r) adjusted(abs(b), se, df, r, r)[["estimate"]], 1 - 1e-9))
  put(paste0("rv", words), term("half"),
      search(function(r) adjusted(abs(b), se, df, r, r)[["estimate"]] - abs(b) / 2, 1 - 1e-9))
  significant <- abs(b / se) * sqrt((df - 1) / df) > critical
  put(paste0("rv", words), term("significance"), if (!significant) 0 else
      search(function(r) least_t(b, se, df, r, r) - critical, 1 - 1e-9))
  put(paste0("rv", words), term("extreme"), 1 - rss("y", c("z", all_x)) / rss("y", all_x))

  for (name in names(covariates)) {
    others <- setdiff(all_x, covariates[[name]])
    rdx <- 1 - rss("z", all_x) / rss("z", others)
    ryx <- 1 - rss("y", c("z", all_x)) / rss("y", c("z", others))
    of <- function(kd, ky) {
      rd <- kd * rdx / (1 - rdx)
      s <- kd * rdx^2 / ((1 - kd * rdx) * (1 - rdx))
      c(min(1, (sqrt(ky) + sqrt(s))^2 / (1 - s) * ryx / (1 - ryx)), rd)
    }
    what <- function(w) term(paste(name, w))
    case <- paste0("benchmark", words)
    put(case, what("r2_yx"), ryx); put(case, what("r2_dx"), rdx)
    put(case, what("r2_yz"), of(3, 2)[1]); put(case, what("r2_dz"), of(3, 2)[2])
    most <- (1 / rdx - 1) * (1 - 1e-12)
    put(paste0("multiple", words), what("estimate"), search(function(k) {
      at <- of(k, k); adjusted(abs(b), se, df, at[1], at[2])[["estimate"]] }, most))
    put(paste0("multiple", words), what("significance"), if (!significant) 0 else
        search(function(k) { at <- of(k, k); least_t(b, se, df, at[1], at[2]) - critical }, most))
  }
}

# pairs in the order of the file
treated <- trial[trial$z == 1, ]; control <- trial[trial$z == 0, ]
n <- min(nrow(treated), nrow(control))
for (y in c("earn", "work", "earn0")) {
  diff <- treated[[y]][1:n] - control[[y]][1:n]
  # earnings before are no outcome of treatment: made clearly larger, with ties
  if (y == "earn0") diff <- round(diff + 60, -1)
  kept <- diff[diff != 0]
  ranks <- rank(abs(kept))
  up <- sum(ranks[kept > 0]) >= sum(ranks[kept < 0])
  statistic <- sum(ranks[if (up) kept > 0 else kept < 0])
  p_at <- function(share) pnorm((statistic - share * sum(ranks)) /
                                  sqrt(share * (1 - share) * sum(ranks^2)), lower.tail = FALSE)
  here <- wilcox.test(diff, alternative = if (up) "greater" else "less", exact = FALSE,
                      correct = FALSE)
  put("signed rank", paste(y, "wilcox.test"), here$p.value)
  for (g in c(1, 1.3, 2)) {
    put("signed rank", paste(y, g, "upper"), p_at(g / (1 + g)))
    put("signed rank", paste(y, g, "lower"), p_at(1 / (1 + g)))
  }
  most <- function(p_of_gamma) if (p_of_gamma(1) > 0.025) 1 else
    uniroot(function(g) p_of_gamma(g) - 0.025, c(1, 100), tol = 1e-13)$root
  put("signed rank", paste(y, "largest"), most(function(g) p_at(g / (1 + g))))

  walsh <- outer(diff, diff, "+") / 2
  walsh <- sort(walsh[upper.tri(walsh, diag = TRUE)])
  above <- length(walsh) - seq_along(walsh)   # how many exceed each, from the next one on
  before <- above + 1
  for (g in c(1, 1.3, 2)) for (side in c("least", "most")) {
    share <- if (side == "least") g / (1 + g) else 1 / (1 + g)
    mean <- share * length(walsh)
    sd <- sqrt(share * (1 - share) * sum((1:n)^2))
    first <- walsh[min(which(above < mean - 1e-7))]
    last <- walsh[max(which(before > mean + 1e-7))]
    put("hodges lehmann", paste(y, g, side), (first + last) / 2)
    limit <- if (side == "least") walsh[min(which(above < mean + qnorm(0.975) * sd))] else
      walsh[max(which(before > mean - qnorm(0.975) * sd))]
    put("hodges lehmann", paste(y, g, if (side == "least") "low" else "high"), limit)
  }
}
diff <- treated$work[1:n] - control$work[1:n]
for (y in c("work", "more")) {
  if (y == "more") diff[seq(1, n, 3)] <- 1   # so that there is something to explain away
  a <- max(sum(diff > 0), sum(diff < 0)); all <- sum(diff != 0)
  p_at <- function(g) binom.test(a, all, g / (1 + g), alternative = "greater")$p.value
  for (g in c(1, 1.3, 2)) {
    put("mcnemar", paste(y, g, "upper"), p_at(g))
    put("mcnemar", paste(y, g, "lower"), p_at(1 / g))
  }
  put("mcnemar", paste(y, "largest"), most(p_at))
}
save_as("sensitivity.csv")
