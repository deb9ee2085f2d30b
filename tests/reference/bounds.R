# Reference results for tests/effects/test_bounds_oracle.py: effects where outcomes are missing.
# Run in this folder: Rscript bounds.R. Reads trial.csv (simulated), writes bounds.csv.
# Written with R 4.2.2, estimatr 1.0.0. Debian has no package for Lee's bounds, so they are
# computed here from the paper's formulas, and otherwise by definition: sorted, cut, averaged.
#
# case: lee formula       Lee (2009), proposition 3, arms times n / (n - 1)
#       lee ...           by definition; standard errors by moving each person's weight a little
#       manski ...        estimatr on the outcomes filled with the worst and the best
#       manski clustered  lm_robust, CR2
#       ipw ...           glm by arm; standard errors by moving each person's weight a little
#       imbens manski     the equation of Imbens and Manski, solved by uniroot; std_error is empty
# term: outcome, arm, group; with lower or upper
suppressMessages(library(estimatr))
source("common.R")

trial <- read.csv("trial.csv")
# more are missing in control, many outcomes are tied
lacks <- is.na(trial$earn) | (trial$arm == 0 & trial$id %% 5 == 0) |
  (trial$arm == 2 & trial$sex == "M" & trial$id %% 3 == 0)
trial$earn <- round(trial$earn, -1)
trial$earn[lacks] <- NA
trial$work[lacks] <- NA
trial$s <- !lacks
trial$troop <- paste(trial$arm, trial$id %% (11 + trial$arm))
STEP <- 1e-6

# weight of each person, one in all in each arm, the same mix of blocks in both
shares <- function(d, block, w) {
  in_block <- ave(w, block, FUN = sum)
  in_cell <- ave(w, block, d$z, FUN = sum)
  w * in_block / in_cell / sum(w)
}

# mean of the lowest or highest part of y that holds `keep` of the weight h
part <- function(y, h, keep, highest) {
  o <- order(y, decreasing = highest)
  left <- pmax(keep - c(0, cumsum(h[o])[-length(h)]), 0)
  part_of <- pmin(h[o], left)
  sum(part_of * y[o]) / sum(part_of)
}

# both bounds in one cell, and the shares observed, from weights h
trimmed <- function(d, y, h) {
  r <- sapply(0:1, function(a) sum(h[d$z == a & d$s]) / sum(h[d$z == a]))
  ends <- sapply(c(FALSE, TRUE), function(upper) {
    means <- sapply(0:1, function(a) {
      rows <- d$z == a & d$s
      own <- h[rows] / sum(h[d$z == a])
      part(y[rows], own, min(r), if (a == 1) upper else !upper)
    })
    means[2] - means[1]
  })
  list(ends = ends, always = min(r))
}

lee <- function(d, y, h, cell = rep(1, nrow(d))) {
  parts <- lapply(split(seq_len(nrow(d)), cell), function(i) {
    one <- trimmed(d[i, ], y[i], h[i])
    c(one$ends, one$always * sum(h[i]) / 2)
  })
  m <- do.call(rbind, parts)
  colSums(m[, 1:2, drop = FALSE] * m[, 3]) / sum(m[, 3])
}

logit <- function(d, y, h) {
  means <- sapply(0:1, function(a) {
    rows <- d$z == a
    one <- d[rows, ]
    one$h <- h[rows] * sum(rows)
    control <- glm.control(epsilon = 1e-14, maxit = 100)
    fit <- suppressWarnings(
      glm(s ~ age + educ + earn0, quasibinomial, one, weights = h, control = control)
    )
    v <- one$h * one$s / fitted(fit)
    sum(v[one$s] * y[rows][one$s]) / sum(v)
  })
  rep(means[2] - means[1], 2)
}

# standard errors: the derivative in each person's weight, cells of block and arm held fixed
jackknife <- function(f, d, y, block, w, ...) {
  h <- shares(d, block, w)
  mass <- ave(h, block, d$z, FUN = sum)
  moved <- sapply(seq_len(nrow(d)), function(i) {
    ends <- sapply(c(1, -1), function(sign) {
      g <- h
      g[i] <- g[i] * (1 + sign * STEP)
      f(d, y, g * mass / ave(g, block, d$z, FUN = sum), ...)
    })
    (ends[, 1] - ends[, 2]) / (2 * STEP)
  })
  list(value = f(d, y, h, ...), se = sqrt(rowSums(sweep(moved^2, 2, 1 - h / mass, "/"))))
}

keep_both <- function(case, term, value, se) {
  add(case, paste(term, "lower"), value[1], se[1], NA)
  add(case, paste(term, "upper"), value[2], se[2], NA)
}

# proposition 3 of Lee (2009); he has more observed among the treated, so the trimmed arm is t
formula_of_lee <- function(d, y) {
  more <- as.integer(mean(d$s[d$z == 1]) > mean(d$s[d$z == 0]))
  t <- d$z == more
  n <- c(sum(!t), sum(t))
  alpha <- mean(d$s[!t])  # share observed in the other arm
  seen <- mean(d$s[t])
  p <- 1 - alpha / seen
  v <- y[t & d$s]
  mu_other <- mean(y[!t & d$s])
  one <- function(highest) {
    o <- order(v, decreasing = highest)
    held <- pmin(pmax((1 - p) * length(v) - seq(0, length(v) - 1), 0), 1)
    cut <- v[o][sum(held > 0)]
    mu <- sum(held * v[o]) / sum(held)
    variance <- sum(held * (v[o] - mu)^2) / sum(held)
    own <- variance / (seen * (1 - p)) + (cut - mu)^2 * p / (seen * (1 - p))
    # the two terms of V^p: of the trimmed arm, and of the other
    own <- own + (cut - mu)^2 * (1 - seen) / seen
    other <- (cut - mu)^2 * (1 - alpha) / alpha + mean((y[!t & d$s] - mu_other)^2) / alpha
    c(mu - mu_other, sqrt(own / (n[2] - 1) + other / (n[1] - 1)))
  }
  low <- one(FALSE)
  high <- one(TRUE)
  if (more == 1) {
    list(value = c(low[1], high[1]), se = c(low[2], high[2]))
  } else {
    list(value = c(-high[1], -low[1]), se = c(high[2], low[2]))
  }
}

for (y in c("work", "earn")) for (arm in 1:2) for (group in groups) {
  d <- members(trial[trial$arm %in% c(0, arm), ], group)
  d$z <- as.integer(d$arm == arm)
  outcome <- d[[y]]
  outcome[!d$s] <- 0
  none <- rep(1, nrow(d))
  term <- paste(y, arm, group)

  exact <- formula_of_lee(d, outcome)
  keep_both("lee formula", term, exact$value, exact$se)
  for (blocked in c(FALSE, TRUE)) for (weighted in c(FALSE, TRUE)) {
    words <- trimws(paste(if (blocked) "blocked", if (weighted) "weighted"))
    block <- if (blocked) d$site else none
    w <- if (weighted) d$w else none
    name <- function(method) trimws(paste(method, words))
    one <- jackknife(lee, d, outcome, block, w)
    keep_both(name("lee"), term, one$value, one$se)
    one <- jackknife(lee, d, outcome, block, w, cell = d$educ)
    keep_both(name("lee in cells"), term, one$value, one$se)
    if (group == "all") {
      one <- jackknife(logit, d, outcome, block, w)
      add(name("ipw"), term, one$value[1], one$se[1], NA)
    }
    if (y == "work") for (end in c("lower", "upper")) {
      d$filled <- ifelse(d$s, outcome, if (end == "lower") 1 - d$z else d$z)
      d$b <- factor(block)
      fit <- if (blocked && weighted) {
        difference_in_means(filled ~ z, d, blocks = b, weights = w)
      } else if (blocked) {
        difference_in_means(filled ~ z, d, blocks = b)
      } else if (weighted) {
        difference_in_means(filled ~ z, d, weights = w)
      } else {
        difference_in_means(filled ~ z, d)
      }
      add(name("manski"), paste(term, end), coef(fit), fit$std.error, NA)
    }
  }
  if (y == "work") for (end in c("lower", "upper")) {
    d$filled <- ifelse(d$s, outcome, if (end == "lower") 1 - d$z else d$z)
    fit <- lm_robust(filled ~ z, d, clusters = troop, se_type = "CR2")
    add("manski clustered", paste(term, end), coef(fit)[["z"]], fit$std.error[["z"]], NA)
  }
  level <- 0.95
  wide <- diff(exact$value) / max(exact$se)
  multiple <- uniroot(function(m) pnorm(m + wide) - pnorm(-m) - level, c(1, 3), tol = 1e-13)$root
  keep_both("imbens manski", term, exact$value + c(-1, 1) * multiple * exact$se, c(NA, NA))
}
# degrees of freedom of one arm's mean by cluster
d <- trial[trial$arm == 1, ]
d$earn0 <- d$earn0 / 100
fit <- lm_robust(earn0 ~ 1, d, clusters = troop, se_type = "CR2")
add("mean clustered", "earn0 1 all", coef(fit), fit$std.error, fit$df)
save_as("bounds.csv")
