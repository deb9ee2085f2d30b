# Rank-weighted average effects by their definition: the curve of what the first in order gain over
# all, integrated on a fine grid; errors by the half-sample bootstrap of Yadlowsky et al. (2025).
# Writes the simulated persons and the results. Run in this folder: Rscript rate.R

source("common.R")
set.seed(1)
n <- 400
x <- rnorm(n)
people <- data.frame(
  effect = round(x, 1),  # with ties
  signal = 0.5 * x + rnorm(n, 0, 2),
  share = rbinom(n, 1, 0.6),
  weight = round(runif(n, 0.5, 2), 2)
)
write.csv(people, "rate_persons.csv", row.names = FALSE, quote = FALSE)
people <- read.csv("rate_persons.csv")

rate <- function(effect, signal, share, weight, grid = 4e5) {
  levels <- sort(unique(effect[share > 0]), decreasing = TRUE)
  # those whom the effect is not about stand with the next level below them
  place <- pmin(findInterval(-effect, -levels, left.open = TRUE) + 1, length(levels))
  mass <- tapply(weight * share, factor(place, seq_along(levels)), sum)
  gain <- tapply(weight * signal, factor(place, seq_along(levels)), sum)
  u <- (seq_len(grid) - 0.5) / grid
  first <- approx(c(0, cumsum(mass) / sum(mass)), c(0, cumsum(gain) / sum(mass)), u)$y
  toc <- first / u - sum(gain) / sum(mass)
  c(autoc = mean(toc), qini = mean(u * toc))
}

cases <- list(
  plain = transform(people, share = 1, weight = 1),
  weighted = transform(people, share = 1),
  treated = people
)
for (case in names(cases)) {
  d <- cases[[case]]
  value <- rate(d$effect, d$signal, d$share, d$weight)
  halves <- replicate(4000, {
    h <- d[sample(n, n / 2), ]
    rate(h$effect, h$signal, h$share, h$weight, 4e3)
  })
  error <- apply(halves, 1, sd)
  for (kind in names(value)) {
    keep(case = case, term = kind, estimate = digits(value[kind]), std_error = digits(error[kind]))
  }
}
save_as("rate.csv")
