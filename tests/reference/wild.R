# Reference p-values of the wild cluster bootstrap, by full enumeration, in plain R.
# Run in this folder: Rscript wild.R. Reads clustered.csv (simulated), writes wild.csv.
# Written with R 4.2.2; no package.
#
# The trial is cut down to eight clusters, the first two of each arm in blocks 1 and 2. The
# null (effect = null) is imposed; each of the 2^8 vectors of signs, the one without a change
# among them, flips the restricted residuals of whole clusters; the statistic is t from CR1.
# p_value is the share of vectors with |t*| >= |t|, p_strict that with |t*| > |t|. They differ
# by 2/256 at least: the vector without a change and its opposite give |t| itself.
# case: estimator, [weighted]; term: outcome, arm, group; clusters: those with the outcome.
source("common.R")
TIE <- 1e-9  # statistics closer than this, relatively, are equal

trial <- read.csv("clustered.csv")
chosen <- c(sapply(1:2, function(b) sapply(0:1, function(a) {
  sort(unique(trial$cluster[trial$block == b & trial$arm == a]))[1:2]
})))
trial <- trial[trial$cluster %in% chosen, ]
trial$block <- factor(trial$block)
trial$female <- as.numeric(trial$sex == "F")

estimators <- c(means = "arm", "fixed effects" = "arm + block", ancova = "arm + block + age")
nulls <- list(work = c(-0.5, -0.1, 0, 0.2, 0.6), earn = c(-40, 0, 10, 25, 60))

# least squares of each column of y: coefficient j and its t against null, from CR1
statistic <- function(x, y, j, null, cluster) {
  bread <- solve(crossprod(x))
  beta <- bread %*% crossprod(x, y)
  e <- y - x %*% beta
  a <- drop(x %*% bread[, j])
  sums <- rowsum(a * e, cluster)  # clusters by columns of y
  g <- nrow(sums)
  cr1 <- g / (g - 1) * (nrow(x) - 1) / (nrow(x) - ncol(x))
  (beta[j, ] - null) / sqrt(cr1 * colSums(sums^2))
}

for (y in names(nulls)) for (group in c(groups, "women-men")) for (estimator in names(estimators)) {
  gap <- group == "women-men"
  d <- members(trial[!is.na(trial[[y]]), ], if (gap) "all" else group)
  right <- estimators[[estimator]]
  x <- model.matrix(as.formula(paste("~", if (gap) paste("female * (", right, ")") else right)), d)
  j <- which(colnames(x) == (if (gap) "female:arm" else "arm"))
  members_of <- unique(d$cluster)
  signs <- t(as.matrix(expand.grid(rep(list(c(1, -1)), length(members_of)))))
  flips <- signs[match(d$cluster, members_of), ]
  for (weighted in c(FALSE, TRUE)) for (null in nulls[[y]]) {
    root <- if (weighted) sqrt(d$w) else rep(1, nrow(d))
    xw <- root * x
    yw <- root * d[[y]]
    free <- yw - null * xw[, j]  # what the other columns must explain under the null
    rest <- xw[, -j]
    fitted <- drop(rest %*% solve(crossprod(rest), crossprod(rest, free)))
    drawn <- (fitted + null * xw[, j]) + (free - fitted) * flips
    t0 <- statistic(xw, as.matrix(yw), j, null, d$cluster)
    draws <- abs(statistic(xw, drawn, j, null, d$cluster)) / abs(t0)
    keep(case = paste(c(estimator, if (weighted) "weighted"), collapse = " "),
         term = paste(y, 1, group), null = digits(null), clusters = length(members_of),
         statistic = digits(t0), p_value = digits(mean(draws >= 1 - TIE)),
         p_strict = digits(mean(draws > 1 + TIE)))
  }
}
cat("clusters:", chosen, "\n")
save_as("wild.csv")
