# Sets of ratios by inverting the test of numerator - ratio * denominator, in base R: sign changes of
# its statistic on a fine grid of angles, refined by uniroot, without the closed form.
# Run in this folder: Rscript fieller.R > fieller.csv. Written with R 4.2.2.
set.seed(7)
n <- 60
cases <- data.frame(
  a = round(rnorm(n, 0, 3) * 10^sample(0:4, n, TRUE), 3),
  b = round(rnorm(n, 0.5, 1), 4),
  sa = round(runif(n, 0.2, 2) * 10^sample(0:3, n, TRUE), 4),
  sb = round(runif(n, 0.05, 1), 4),
  r = round(runif(n, -0.95, 0.95), 3),
  q = sample(c(1.644854, 1.959964, 2.570582), n, TRUE)
)
invert <- function(a, b, sa, sb, r, q) {
  scale <- sa / sb
  # direction (cos, sin) of angle u is the ratio scale * tan(u); u and u + pi are the same ratio
  excess <- function(u) {
    x <- cos(u); y <- sin(u) * scale
    d <- a * x - y * b
    d^2 - q^2 * (x^2 * sa^2 - 2 * x * y * r * sa * sb + y^2 * sb^2)
  }
  grid <- seq(-pi / 2, pi / 2, length.out = 20001)
  value <- sapply(grid, excess)
  change <- which(sign(value[-1]) != sign(value[-length(value)]))
  if (length(change) == 0) return(list("whole line", NA, NA))
  ends <- sapply(change, function(i) uniroot(excess, grid[c(i, i + 1)], tol = 1e-14)$root)
  ends <- sort(scale * tan(ends))
  kind <- if (excess(pi / 2) > 0) "interval" else "unbounded"
  list(kind, ends[1], ends[2])
}
found <- Map(invert, cases$a, cases$b, cases$sa, cases$sb, cases$r, cases$q)
cases$kind <- sapply(found, `[[`, 1)
cases$low <- sprintf("%.12g", sapply(found, `[[`, 2))
cases$high <- sprintf("%.12g", sapply(found, `[[`, 3))
write.csv(cases, row.names = FALSE, quote = FALSE)
